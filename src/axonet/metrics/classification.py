"""Classification metrics from counts, for one sample and for many bootstrap resamples at once.

Everything starts from the confusion counts ``(..., c, c)``: rows are the true class, columns the predicted one. Leading
axes are resamples. A class that no (resampled) neuron belongs to is left out of every mean over classes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def confusion_counts(truth: Ints, predicted: Ints, n_classes: int, weights: Array | None = None) -> Array:
    """Confusion counts, rows true and columns predicted.

    Args:
        truth: ``(n,)`` class of every item, in ``0 .. n_classes - 1``.
        predicted: ``(n,)`` predicted class.
        n_classes: ``c``.
        weights: ``(b, n)`` how often each item counts in each resample; None counts every item once.

    Returns:
        ``(c, c)`` counts, or ``(b, c, c)`` with weights.
    """
    cell = truth * n_classes + predicted
    size = n_classes * n_classes
    if weights is None:
        return np.bincount(cell, minlength=size).astype(np.float64).reshape(n_classes, n_classes)
    counts = np.array([np.bincount(cell, weights=row, minlength=size) for row in weights], dtype=np.float64)
    return counts.reshape(len(weights), n_classes, n_classes)


def _diagonal(counts: Array) -> Array:
    return np.asarray(np.diagonal(counts, axis1=-2, axis2=-1))


def _ratio(part: Array, whole: Array) -> Array:
    """Elementwise ``part / whole``, nan where the whole is zero."""
    empty = np.full(np.shape(part), np.nan)
    return np.asarray(np.divide(part, whole, out=empty, where=np.asarray(whole) > 0))


def _mean_over_classes(values: Array, support: Array) -> Array:
    """Mean over the last axis of the classes with support; nan where there is none."""
    present = support > 0
    return _ratio(np.where(present, values, 0.0).sum(axis=-1), present.sum(axis=-1))


def support(counts: Array) -> Array:
    """``(..., c)`` items of every true class."""
    return np.asarray(counts.sum(axis=-1))


def recalls(counts: Array) -> Array:
    """``(..., c)`` share of every class that was recognized; nan for a class without items."""
    return _ratio(_diagonal(counts), support(counts))


def accuracy(counts: Array) -> Array:
    """``(...)`` share of items whose class was recognized."""
    return _ratio(_diagonal(counts).sum(axis=-1), counts.sum(axis=(-2, -1)))


def balanced_accuracy(counts: Array) -> Array:
    """``(...)`` mean recall over the classes that have items: every class counts the same, however rare."""
    return _mean_over_classes(recalls(counts), support(counts))


def macro_f1(counts: Array) -> Array:
    """``(...)`` mean F1 over the classes that have items; a class never predicted counts 0."""
    found = counts.sum(axis=-2)  # (..., c) predictions of every class
    f1 = _ratio(2 * _diagonal(counts), support(counts) + found)
    return _mean_over_classes(f1, support(counts))


def top_k_hits(scores: npt.NDArray[np.floating], truth: Ints, k: int) -> npt.NDArray[np.bool_]:
    """Whether the true class is among the ``k`` best scores; classes with the same score come before it.

    Args:
        scores: ``(n, c)``.
        truth: ``(n,)``.
        k: at least 1.

    Returns:
        ``(n,)``.
    """
    own = scores[np.arange(len(truth)), truth][:, None]  # (n, 1)
    return np.asarray((scores >= own).sum(axis=1) <= k)


def chance_macro_f1(class_share: Array) -> float:
    """Macro F1 that uniform guessing tends to: precision is the class's share ``p``, recall ``1 / c``.

    Args:
        class_share: ``(c,)`` share of every class among the items, summing to 1.
    """
    n_classes = len(class_share)
    return float((2 * class_share / (class_share * n_classes + 1)).mean())
