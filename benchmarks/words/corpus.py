"""The neurons of the Stage 1 study with their words: what is learned from and what is judged, fold by fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from benchmarks.study.training import Run, learned_from, study_settings, train_run
from benchmarks.study.vectors import of_neurons, trained_vectors
from benchmarks.study.work import Study

from axonet.core.files import read_table, write_table
from axonet.core.seeds import rng
from axonet.evaluation import data as evaluation
from axonet.evaluation.data import Array, Ints
from axonet.evaluation.folds import Question
from axonet.learning.clip_captions import TextVectors
from axonet.learning.clip_neurons import Neurons, rows_by_neuron
from axonet.learning.clip_views import Views
from axonet.metadata.adapters import load_records
from axonet.models.text import TextEncoder

TASKS = {"donors": ("coarse", "fine", "allen"), "labs": ("labs",)}


class Remembered:
    """A text encoder that encodes every sentence once for all trainings, and keeps the vectors in a file.

    Args:
        encoder: the text encoder.
        path: Parquet of sentences and vectors.
    """

    def __init__(self, encoder: TextEncoder, path: Path) -> None:
        self.name, self.dim, self.digest = encoder.name, encoder.dim, encoder.digest
        self.path = path
        self._vectors = TextVectors(encoder, limit=1_000_000)
        if path.is_file():
            table = read_table(path, ["text", "vector"]).combine_chunks()
            vectors = table.column("vector").chunk(0).flatten().to_numpy().reshape(len(table), -1)
            self._vectors.known.update(zip(table.column("text").to_pylist(), vectors, strict=True))
        self._n_kept = len(self._vectors.known)

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors of the texts."""
        return self._vectors(texts)

    def keep(self) -> None:
        """Write new sentences down."""
        import pyarrow as pa

        known = self._vectors.known
        if len(known) > self._n_kept:
            flat = pa.array(np.concatenate(list(known.values())))
            vectors = pa.FixedSizeListArray.from_arrays(flat, self.dim)
            write_table(self.path, pa.table({"text": list(known), "vector": vectors}))
            self._n_kept = len(known)


@dataclass(frozen=True)
class Part:
    """One fold: what Stage 1 and Stage 2 learned from, and what is judged.

    Attributes:
        cohort: all neurons, with the records of their metadata.
        train: those that are learned from.
        judged: indices of those that are judged.
        views: frozen vectors of all neurons by an encoder that saw no judged one.
        checkpoint: of that encoder.
        before: ``(n, d)`` what a neuron is before Stage 2.
        questions: labels that are asked about, by task.
    """

    cohort: evaluation.Neurons
    train: Neurons
    judged: Ints
    views: Views
    checkpoint: Path
    before: Array
    questions: dict[str, Question]

    @cached_property
    def owner(self) -> Ints:
        """``(v,)`` the neuron of each view."""
        place = {name: index for index, name in enumerate(self.cohort.ids)}
        return np.array([place[name] for name in self.views.neuron_id], dtype=np.int64)


@dataclass(frozen=True)
class Corpus:
    """The study with the words of its neurons.

    Attributes:
        study: views, measurements, labels and folds.
    """

    study: Study

    @cached_property
    def neurons(self) -> evaluation.Neurons:
        """All neurons of the cohort with their records."""
        found = [record for table in self.study.tables for record in load_records(table, "table")]
        records = {record.id: record for record in found}
        known = self.study.cohort.neurons
        return replace(known, records=tuple(records[name] for name in known.ids))

    def part(self, scheme: str, number: int, inputs: str) -> Part:
        """A fold.

        Args:
            scheme: ``donors`` or ``labs``.
            number: of the fold.
            inputs: ``silhouette`` or ``shape``: which Stage 1 encoder.
        """
        study, changes = self.study, {} if inputs == "silhouette" else {"inputs": inputs}
        run = Run(study_settings(**changes), scheme=scheme, fold=number)
        checkpoint = train_run(run, study.cohort, study.store, study.prepared, study.cache / "runs")
        vectors = trained_vectors(checkpoint, study.views)
        views = Views(list(vectors.neuron_id), np.asarray(vectors.view, np.int64), vectors=vectors.vector)
        folds = study.cohort.folds if scheme == "donors" else study.cohort.lab_folds
        return Part(
            self.neurons,
            self._of(np.flatnonzero(learned_from(study.cohort, run)), views),
            np.flatnonzero((folds == number) & ~study.cohort.apart),
            views,
            checkpoint,
            of_neurons(vectors.vector.astype(np.float64), study.views, study.cohort, run),
            {task: study.question(task, number) for task in TASKS[scheme]},
        )

    def _of(self, chosen: Ints, views: Views) -> Neurons:
        rows, known = rows_by_neuron(views.neuron_id), self.neurons
        records = [known.records[i] for i in chosen]
        return Neurons(
            tuple(known.ids[i] for i in chosen),
            tuple(record for record in records if record is not None),
            tuple(known.measures[i] for i in chosen),
            tuple(rows[known.ids[i]] for i in chosen),
        )


def shuffled_words(neurons: Neurons) -> Neurons:
    """Every neuron with the words of another one."""
    order = rng(0, "shuffled captions").permutation(len(neurons))
    records, measures = ([sequence[i] for i in order] for sequence in (neurons.records, neurons.measures))
    return replace(neurons, records=tuple(records), measures=tuple(measures))
