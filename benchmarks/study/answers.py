"""Answers of the folds pooled, and their figures: balanced accuracy with intervals over groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.study.protocols import Cohort

from axonet.core.files import atomic_path
from axonet.core.seeds import rng
from axonet.evaluation.data import Array, Embedding, Ints
from axonet.evaluation.folds import Question
from axonet.evaluation.probes import logistic_scores, neighbor_scores, standardized
from axonet.evaluation.scoring import Figure, Sample, classification_figures
from axonet.metrics.bootstrap import bootstrap_weights, interval

TASKS = ("coarse", "fine", "types", "layer", "labs", "allen")
N_RESAMPLES = 500
N_NEIGHBORS = 5


@dataclass(frozen=True)
class Answers:
    """Scores for the judged neurons of some folds.

    Attributes:
        judged: ``(m,)`` indices of neurons.
        scores: ``(m, c)``.
    """

    judged: Ints
    scores: Array


def pooled(parts: Sequence[Answers]) -> Answers:
    """The answers of several folds, by neuron; where a neuron was judged several times, the mean of its scores."""
    judged, place = np.unique(np.concatenate([part.judged for part in parts]), return_inverse=True)
    total = np.zeros((len(judged), parts[0].scores.shape[1]))
    np.add.at(total, place, np.concatenate([part.scores for part in parts]))
    return Answers(judged, total / np.bincount(place)[:, None])


def write_answers(path: Path, answers: Mapping[str, Mapping[str, Answers]]) -> None:
    """Keep answers by task and name."""
    arrays = {
        f"{task}|{name}|{part}": getattr(given, part)
        for task, named in answers.items()
        for name, given in named.items()
        for part in ("judged", "scores")
    }
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_answers(path: Path) -> dict[str, dict[str, Answers]]:
    """What :func:`write_answers` kept."""
    found: dict[str, dict[str, Answers]] = {}
    with np.load(path) as arrays:
        for task, name, _ in (key.split("|") for key in arrays.files if key.endswith("judged")):
            own = Answers(arrays[f"{task}|{name}|judged"], arrays[f"{task}|{name}|scores"])
            found.setdefault(task, {})[name] = own
    return found


def figure(cohort: Cohort, question: Question, answers: Answers) -> Figure:
    """Balanced accuracy with its group resamples; all models of a question share them."""
    truth = question.truth[answers.judged]
    groups = [cohort.neurons.groups[i] for i in answers.judged]
    stream = rng(0, "bootstrap", question.field.name)
    weights = bootstrap_weights(groups, truth.tolist(), N_RESAMPLES, stream)
    sample = Sample(answers.judged, truth, len(question.classes), len(set(groups)), weights)
    return classification_figures(sample, answers.scores)["balanced_accuracy"]


def mean_figure(figures: Sequence[Figure]) -> Figure:
    """Several trainings of one recipe as one: the mean, also in every resample."""
    parts = [figure.resampled for figure in figures if figure.resampled is not None]
    resampled = np.mean(parts, axis=0) if len(parts) == len(figures) else None
    return Figure(float(np.mean([figure.value for figure in figures])), resampled)


def gain(value: Figure, other: Figure) -> str:
    """How much a figure is above another in points, the resamples paired: ``+1.2 [-3, +5]``."""
    text = f"{100 * (value.value - other.value):+.1f}"
    if value.resampled is None or other.resampled is None:
        return text
    low, high = interval(value.resampled - other.resampled) or (np.nan, np.nan)
    return f"{text} [{100 * low:+.0f}, {100 * high:+.0f}]"


def percent(value: Figure) -> str:
    """``82.7 [80.1, 85.0]``."""
    ends = interval(value.resampled)
    return f"{100 * value.value:.1f}" + ("" if ends is None else f" [{100 * ends[0]:.0f}, {100 * ends[1]:.0f}]")


def neuron_embedding(vectors: Array) -> Embedding:
    """An embedding of one vector a neuron, row by row."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embedding(vectors / np.where(length > 0, length, 1.0), np.arange(len(vectors)))


def probe(cohort: Cohort, question: Question, features: Array, seed: int = 0) -> Mapping[str, Answers]:
    """What nearest neighbors and a logistic regression make of features, ``(n, d)``, standardized on what is learned.

    Returns:
        Answers by ``knn`` and ``logistic``.
    """
    learned = question.folds[0].train
    columns = standardized(features, learned)
    embedding = neuron_embedding(columns)
    groups = np.array(cohort.neurons.groups)
    return {
        "knn": Answers(question.judged, neighbor_scores(question, embedding, N_NEIGHBORS)),
        "logistic": Answers(question.judged, logistic_scores(question, embedding, columns, groups, seed)),
    }
