"""What evaluation works on: neurons with their records, measurements, groups and vectors, all as plain arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from axonet.inference.pool import Pooling, unit
from axonet.metadata.record import NeuronRecord
from axonet.morphology.persistence import unpacked_numbers

if TYPE_CHECKING:
    from axonet.evaluation.stage1 import Decoded

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
BLOCK = 8192  # neurons
IMAGE, JOINED = "image", "image+morphometrics"
AS_TYPED, MERGED = "as_typed", "merged"  # node types as the tracer gave them, and with dendrites as one


@dataclass(frozen=True)
class Neurons:
    """Neurons and what is known of them; every sequence has the same order.

    Attributes:
        ids: neuron ids.
        records: metadata of each, None where there is none.
        measures: row of the table of measurements of each, None where it was not measured.
        groups: what each neuron shares with others that are no independent draws (donor, else publication, else
            archive, and equal shapes); the bootstrap resamples these.
    """

    ids: tuple[str, ...]
    records: tuple[NeuronRecord | None, ...]
    measures: tuple[Mapping[str, Any] | None, ...]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def measured(self, names: Sequence[str]) -> Array:
        """``(n, f)`` measurements, nan where undefined or not measured."""
        columns = [self._column(name) for name in names]
        return np.stack(columns, axis=1) if columns else np.zeros((len(self.ids), 0))

    def _column(self, name: str) -> Array:
        """One measurement of all neurons; worked out once, as many questions ask for it."""
        if name not in self._columns:
            values = (None if row is None else row.get(name) for row in self.measures)
            numbers = (math.nan if value is None else float(value) for value in values)
            self._columns[name] = np.fromiter(numbers, np.float64, len(self.ids))
        return self._columns[name]

    @cached_property
    def _columns(self) -> dict[str, Array]:
        return {}

    @cached_property
    def persistence(self) -> Array | None:
        """``(n, 258)`` persistence pictures, nan where there is none; None where no neuron has one."""
        packed = [None if row is None else row.get("persistence") for row in self.measures]
        return unpacked_numbers(packed) if any(packed) else None

    @cached_property
    def measured_names(self) -> set[str]:
        """Names of everything that some neuron was measured for."""
        return {name for row in self.measures if row for name, value in row.items() if isinstance(value, int | float)}


@dataclass(frozen=True)
class Embedding:
    """Vectors of views, whose they are, and what is compared: items.

    Attributes:
        vectors: ``(v, d)`` float32 unit vectors, the views of a neuron one after the other.
        owner: ``(v,)`` index of the neuron, ascending; every neuron has at least one view.
        pooling: ``mean``: one item a neuron, the re-normalized mean of its views. ``max``: one item a neuron, its
            similarity is that of its best view. ``none``: every view is an item of its own.
    """

    vectors: Floats
    owner: Ints
    pooling: Pooling = "mean"

    @cached_property
    def items(self) -> Ints:
        """``(m,)`` the neuron of every item; items are what is ranked, classified and counted."""
        return self.owner if self.pooling == "none" else np.unique(self.owner)

    @cached_property
    def item_vectors(self) -> Floats:
        """``(m, d)`` one unit vector an item; for ``max``, which has no single vector, that of ``mean``."""
        if self.pooling == "none":
            return self.vectors
        starts = np.flatnonzero(np.diff(self.owner, prepend=-1))
        ends = np.append(starts[1:], len(self.owner))
        found = np.empty((len(starts), self.vectors.shape[1]), dtype=np.float32)
        for at in range(0, len(starts), BLOCK):  # sums are in double precision, block by block
            first, last = starts[at : at + BLOCK], ends[at : at + BLOCK][-1]
            rows = self.vectors[first[0] : last].astype(np.float64)
            found[at : at + BLOCK] = unit(np.add.reduceat(rows, first - first[0], axis=0))
        return found

    def items_of(self, neurons: Ints) -> Ints:
        """Indices of the items that belong to these neurons, in ascending order."""
        return np.flatnonzero(np.isin(self.items, neurons))


@dataclass(frozen=True)
class EvaluationData:
    """Everything a report is made from.

    Attributes:
        neurons: the judged neurons, and after them those that probes and baselines learn on.
        n_judged: how many of them are judged.
        embedding: vectors of all their views under the judged model.
        judged_split: ``train``, ``validation``, ``test``, ``mixed`` or ``unknown``.
        held_out: what no judged neuron shares with those that a probe or the model learned on, or that chose its epoch:
            ``lab``, ``donor``, ``neuron``, ``nothing`` or ``unknown``.
        promised: what the split file was made to keep together (``neuron``, ``donor``, ``lab``), None where none says.
        same_donor: judged neurons that share donor, else publication, else archive, with one of those.
        same_lab: judged neurons that share donor, publication or archive with one of those.
        checkpoint: fingerprint of the judged model.
        model: name of the judged model in tables.
        joined: vectors of the same views with the neurons' morphometrics, if the model joins them.
        merged: the same vectors of a model that sees node types, shown basal and apical dendrites as one.
        merged_joined: those with the neurons' morphometrics.
        compartments: what the model sees of node types: ``as_typed``, ``merged``, None where it reads none.
        stage1: what Stage 1 recovers of judged neurons, None where nothing is decoded.
        references: embeddings of the same neurons by baselines (untrained encoder, pictures), by name, pooled by mean.
        notes: sentences about the data that the reader of the report must know.
        dropped: rows about neurons that could not be judged.
    """

    neurons: Neurons
    n_judged: int
    embedding: Embedding
    judged_split: str
    held_out: str
    promised: str | None = None
    same_donor: int = 0
    same_lab: int = 0
    checkpoint: str | None = None
    model: str = IMAGE
    joined: Embedding | None = None
    merged: Embedding | None = None
    merged_joined: Embedding | None = None
    compartments: str | None = None
    stage1: Decoded | None = None
    references: Mapping[str, Embedding] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    dropped: tuple[Mapping[str, object], ...] = ()

    @property
    def judged(self) -> Ints:
        """Indices of the judged neurons."""
        return np.arange(self.n_judged)

    @property
    def learned_on(self) -> Ints:
        """Indices of the neurons that probes learn on; empty when they learn by cross-validation."""
        return np.arange(self.n_judged, len(self.neurons))

    @property
    def dendrites_merged(self) -> EvaluationData:
        """The same where basal and apical dendrites are one: another set of vectors for a model that sees types."""
        if self.merged is None:
            return self
        return replace(
            self,
            embedding=self.merged,
            joined=self.merged_joined,
            compartments=MERGED,
            merged=None,
            merged_joined=None,
        )

    @property
    def embeddings(self) -> tuple[EvaluationData, ...]:
        """The same questions to each embedding of the model: of the image alone, and joined with morphometrics."""
        if self.joined is None:
            return (self,)
        return (self, replace(self, embedding=self.joined, model=JOINED, joined=None, references={}))


def join_vectors(
    neuron_ids: Sequence[str], vectors: npt.NDArray[np.floating], wanted: Sequence[str], pooling: Pooling = "mean"
) -> Embedding:
    """Bring vectors of views into the order of neurons.

    Args:
        neuron_ids: ``v`` neuron id of every vector, in any order.
        vectors: ``(v, d)``.
        wanted: neuron ids; each must have a vector.
        pooling: what will be compared.

    Returns:
        An embedding with the given pooling; views keep their order within a neuron.

    Raises:
        ValueError: a wanted neuron has no vector.
    """
    place = {neuron: index for index, neuron in enumerate(wanted)}
    index = np.array([place.get(neuron, -1) for neuron in neuron_ids], dtype=np.int64)
    order = np.argsort(index, kind="stable")
    order = order[index[order] >= 0]
    owner = index[order]
    missing = np.setdiff1d(np.arange(len(wanted)), owner)
    if len(missing):
        raise ValueError(f"{len(missing)} neurons have no vector, for example {wanted[int(missing[0])]}")
    ordered = np.empty((len(order), vectors.shape[1]), dtype=np.float32)
    for at in range(0, len(order), BLOCK):
        ordered[at : at + BLOCK] = unit(vectors[order[at : at + BLOCK]].astype(np.float64))
    return Embedding(ordered, owner, pooling)
