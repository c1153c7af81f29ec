"""The parts of the study: each reads what was prepared, and writes rows into the notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from benchmarks.study.answers import (
    TASKS,
    Answers,
    figure,
    mean_figure,
    percent,
    pooled,
    probe,
    read_answers,
    write_answers,
)
from benchmarks.study.baselines import baseline_answers, forest_features
from benchmarks.study.prepare import Prepared, prepare, study_views
from benchmarks.study.protocols import N_FOLDS, Cohort, load_cohort
from benchmarks.study.report import Notebook
from benchmarks.study.training import Run, train_run
from benchmarks.study.vectors import (
    judged_views,
    of_neurons,
    picture_vectors,
    read_of,
    trained_vectors,
    untrained_vectors,
)

from axonet.core.progress import say
from axonet.datasets.view_store import ViewStore
from axonet.evaluation.data import Array
from axonet.evaluation.folds import Question
from axonet.evaluation.scoring import Figure

Figures = dict[str, Figure]


@dataclass(frozen=True)
class Study:
    """What all parts share.

    Attributes:
        tables: Parquet files of labelled neurons; of all but the first nothing is learned.
        cache: folder for everything that is made.
        seeds: how often a headline row is trained.
    """

    tables: tuple[Path, ...]
    cache: Path
    seeds: int = 1

    @cached_property
    def prepared(self) -> list[Prepared]:
        """Views, measurements and labels of every table."""
        return [prepare(table, self.cache, study_views()) for table in self.tables]

    @cached_property
    def cohort(self) -> Cohort:
        """All neurons."""
        return load_cohort(self.prepared)

    @cached_property
    def store(self) -> ViewStore:
        """All views of all neurons."""
        return ViewStore.from_shards([shard for one in self.prepared for shard in one.shards])

    @cached_property
    def views(self) -> ViewStore:
        """The views that neurons are judged by."""
        return judged_views(self.store, self.cohort)

    @cached_property
    def notebook(self) -> Notebook:
        """Where rows are written down."""
        return Notebook(self.cache / "figures.json")

    def question(self, task: str, number: int) -> Question:
        """A task with one fold held out."""
        folds = self.cohort.lab_folds if task == "labs" else self.cohort.folds
        return self.cohort.question(task, folds, number)

    def figures(self, answers: Mapping[str, Sequence[Answers]]) -> Figures:
        """Balanced accuracy of every task, folds pooled."""
        return {
            task: figure(self.cohort, self.question(task, 0), pooled(parts)) for task, parts in answers.items() if parts
        }


def judge_baselines(study: Study) -> dict[str, dict[str, list[Answers]]]:
    """Answers of the baselines that look at no picture, of every fold, by baseline and task; they are kept."""
    features = forest_features(study.cohort)
    found: dict[str, dict[str, list[Answers]]] = {}
    for number in range(N_FOLDS):
        path = study.cache / "answers" / f"baselines{number}.npz"
        if not path.is_file():
            write_answers(path, {task: baseline_answers(study.question(task, number), features) for task in TASKS})
        for task, named in read_answers(path).items():
            for name, answers in named.items():
                found.setdefault(name, {}).setdefault(task, []).append(answers)
    return found


def features_of(study: Study, run: Run, kind: str = "trained", read: str = "all") -> Array:
    """``(n, d)`` vectors of neurons: by a run's model, its network before training, or components of pictures.

    Args:
        study: everything.
        run: a training.
        kind: ``pictures``, ``untrained``, or how its model is shown the views, see :func:`trained_vectors`.
        read: see :func:`read_of`.
    """
    if kind == "pictures":
        vectors = picture_vectors(study.views, study.cohort, run)
    elif kind == "untrained":
        vectors = untrained_vectors(run, study.views).astype(np.float64)
    else:
        checkpoint = train_run(run, study.cohort, study.store, study.prepared, study.cache / "runs")
        found = trained_vectors(checkpoint, study.views, kind)
        vectors = found.vector.astype(np.float64)
        vectors = vectors[:, read_of(read, run.settings.latent_channels, vectors.shape[1])]
    return of_neurons(vectors, study.views, study.cohort, run)


def tasks_of(run: Run) -> tuple[str, ...]:
    """What a run can be asked about: what is held out decides."""
    return ("labs",) if run.scheme == "labs" else tuple(task for task in TASKS if task != "labs")


def judge_run(study: Study, run: Run, kind: str = "trained", read: str = "all") -> dict[str, dict[str, Answers]]:
    """Answers of kNN and logistic probe to every task of a run, by task and probe; they are kept."""
    path = study.cache / "answers" / f"{run.key}-{kind}-{read.replace(' ', '_')}.npz"
    if not path.is_file():
        features = features_of(study, run, kind, read)
        questions = {task: study.question(task, run.fold) for task in tasks_of(run)}
        write_answers(path, {task: probe(study.cohort, own, features) for task, own in questions.items()})
    return read_answers(path)


def judge_folds(
    study: Study, run: Run, folds: Sequence[int] = range(N_FOLDS), kind: str = "trained", read: str = "all"
) -> dict[str, Figures]:
    """Figures of kNN and logistic probe over folds, by probe and task."""
    answers: dict[str, dict[str, list[Answers]]] = {}
    for number in folds:
        for task, probes in judge_run(study, replace(run, fold=number), kind, read).items():
            for name, part in probes.items():
                answers.setdefault(name, {}).setdefault(task, []).append(part)
    return {name: study.figures(parts) for name, parts in answers.items()}


def judge_seeds(study: Study, runs: Sequence[Run], kind: str = "trained") -> tuple[dict[str, Figures], dict[str, str]]:
    """Figures over folds as means over several trainings, by probe and task; and how far the trainings spread.

    Returns:
        The figures, and by probe a line of the standard deviations in points by task, empty for one training.
    """
    each = [judge_folds(study, run, kind=kind) for run in runs]
    means = {
        name: {task: mean_figure([one[name][task] for one in each]) for task in figures}
        for name, figures in each[0].items()
    }
    spread = {}
    for name, figures in each[0].items():
        values = {task: [100 * one[name][task].value for one in each] for task in figures}
        own = [f"{task} {np.std(found, ddof=1):.1f}" for task, found in values.items()] if len(runs) > 1 else []
        spread[name] = ", ".join(own)
    return means, spread


def write_row(study: Study, table: str, row: str, figures: Figures) -> None:
    """Write balanced accuracies of a row down, in percent."""
    study.notebook.add(table, row, {task: percent(value) for task, value in figures.items()})
    say(f"{table} / {row}: " + ", ".join(f"{task} {percent(value)}" for task, value in figures.items()))
