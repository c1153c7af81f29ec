"""Answers of the folds pooled, and their figures: balanced accuracy with intervals over groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from benchmarks.study.protocols import Cohort

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


def figure(cohort: Cohort, question: Question, answers: Answers) -> Figure:
    """Balanced accuracy with its group resamples; all models of a question share them."""
    truth = question.truth[answers.judged]
    groups = [cohort.neurons.groups[i] for i in answers.judged]
    stream = rng(0, "bootstrap", question.field.name)
    weights = bootstrap_weights(groups, truth.tolist(), N_RESAMPLES, stream)
    sample = Sample(answers.judged, truth, len(question.classes), len(set(groups)), weights)
    return classification_figures(sample, answers.scores)["balanced_accuracy"]


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
