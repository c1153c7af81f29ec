"""From answers to figures: values, their resamples, and the rows of ``metrics.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from axonet.core.seeds import rng
from axonet.evaluation.data import Array, Embedding, EvaluationData, Ints
from axonet.metrics import classification
from axonet.metrics.bootstrap import bootstrap_weights, interval, paired_difference, weighted_means

DECIMALS = 6
SCORE_DECIMALS = 9
Row = dict[str, object]


@dataclass(frozen=True)
class Figure:
    """A metric's value and its values in the resamples (None where no interval can be given)."""

    value: float
    resampled: Array | None = None


@dataclass(frozen=True)
class Sample:
    """The judged items of one question, and how often each counts in each resample.

    Attributes:
        items: ``(m,)`` item indices.
        truth: ``(m,)`` class of each.
        n_classes: number of classes.
        n_groups: independent groups among them.
        weights: ``(b, m)``, None when no interval can be given.
    """

    items: Ints
    truth: Ints
    n_classes: int
    n_groups: int
    weights: Array | None

    @property
    def about(self) -> Row:
        """What every row of this question says about its sample."""
        return {"n": len(self.items), "groups": self.n_groups, "classes": self.n_classes}


def draw_sample(
    data: EvaluationData,
    embedding: Embedding,
    judged: Ints,
    truth: Ints,
    n_classes: int,
    n_resamples: int,
    seed: int,
    name: str,
) -> Sample:
    """The items of the judged neurons with resamples of their groups, stratified by class.

    Args:
        data: holds the groups.
        embedding: tells which items the neurons have.
        judged: indices of neurons.
        truth: ``(n,)`` class of every neuron.
        n_classes: number of classes.
        n_resamples: bootstrap resamples.
        seed: of the run.
        name: of the question; every question has its own stream.
    """
    items = embedding.items_of(judged)
    owner = embedding.items[items]
    groups = [data.neurons.groups[i] for i in owner]
    own = truth[owner]
    weights = bootstrap_weights(groups, own.tolist(), n_resamples, rng(seed, "bootstrap", name))
    return Sample(items, own, n_classes, len(set(groups)), weights)


def tied(scores: Array) -> Array:
    """Scores in which what differs by rounding alone is equal: every figure of an answer starts from these."""
    return np.round(scores, SCORE_DECIMALS)


def answer(scores: Array) -> Ints:
    """The class with the best score; among equals the last, which is the rarest: nothing is won by a tie."""
    scores = tied(scores)
    return np.asarray(scores.shape[1] - 1 - scores[:, ::-1].argmax(axis=1), dtype=np.int64)


_FROM_COUNTS = {
    "accuracy": classification.accuracy,
    "balanced_accuracy": classification.balanced_accuracy,
    "macro_f1": classification.macro_f1,
}


def classification_figures(sample: Sample, scores: Array, top: Sequence[int] = ()) -> dict[str, Figure]:
    """Accuracy, balanced accuracy, macro F1 and top-k accuracy of answers.

    Args:
        sample: the judged items.
        scores: ``(m, c)`` in the order of the sample.
        top: the k of top-k accuracies.
    """
    predicted = answer(scores)
    counts = classification.confusion_counts(sample.truth, predicted, sample.n_classes)
    resampled = None
    if sample.weights is not None:
        resampled = classification.confusion_counts(sample.truth, predicted, sample.n_classes, sample.weights)
    figures = {
        name: Figure(float(function(counts)), None if resampled is None else function(resampled))
        for name, function in _FROM_COUNTS.items()
    }
    for k in top:
        figures[f"top_{k}"] = mean_figure(classification.top_k_hits(tied(scores), sample.truth, k), sample.weights)
    return figures


def mean_figure(values: np.typing.NDArray[np.generic], weights: Array | None) -> Figure:
    """The mean of one value an item, with its resamples."""
    numbers = np.asarray(values, dtype=np.float64)
    return Figure(float(numbers.mean()), None if weights is None else weighted_means(numbers, weights))


def chance_figures(sample: Sample, top: Sequence[int] = ()) -> dict[str, float]:
    """What uniform guessing reaches on average in each metric."""
    share = np.bincount(sample.truth, minlength=sample.n_classes) / len(sample.truth)
    return {
        "accuracy": 1 / sample.n_classes,
        "balanced_accuracy": 1 / sample.n_classes,
        "macro_f1": classification.chance_macro_f1(share),
        **{f"top_{k}": min(k, sample.n_classes) / sample.n_classes for k in top},
    }


def rounded(value: float | None) -> float | None:
    """A number as it is written down; not a number becomes None."""
    if value is None or not np.isfinite(value):
        return None
    return round(float(value), DECIMALS) + 0.0  # no negative zero


def bounds(figure: Figure) -> list[float | None] | None:
    """The 95 % interval as it is written down."""
    found = interval(figure.resampled)
    return None if found is None else [rounded(end) for end in found]


def make_row(
    head: Row,
    metric: str,
    figure: Figure,
    about: Row,
    chance: float,
    majority: float | None,
    baseline: str,
    against: Figure,
) -> Row:
    """One row of ``metrics.json``: a figure with its interval and sample, and what stands beside it.

    Args:
        head: what the row is about.
        metric: what is measured.
        figure: the value with its resamples.
        about: the sample.
        chance: the value of random answers.
        majority: the value of the answer that ignores the neuron, None where there is no such answer.
        baseline: name of what the difference is taken to.
        against: the baseline's figure on the same resamples.
    """
    parts = paired_difference(figure.value, against.value, figure.resampled, against.resampled)
    return {
        **head,
        "metric": metric,
        "value": rounded(figure.value),
        "interval": bounds(figure),
        **about,
        "chance": rounded(chance),
        "majority": rounded(majority),
        "baseline": baseline,
        "difference": [rounded(part) for part in parts],
    }


def classification_rows(
    head: Row,
    figures: Mapping[str, Figure],
    sample: Sample,
    majority: Mapping[str, Figure],
    baseline: str,
    baseline_figures: Mapping[str, Figure],
) -> list[Row]:
    """Rows of all classification metrics of one model on one question."""
    chance = chance_figures(sample, top=[int(name[4:]) for name in figures if name.startswith("top_")])
    return [
        make_row(head, name, figure, sample.about, chance[name], majority[name].value, baseline, baseline_figures[name])
        for name, figure in figures.items()
    ]
