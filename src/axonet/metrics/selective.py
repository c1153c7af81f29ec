"""Answering only when it is likely to be right: how well a score separates, and what silence buys."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NEWTON_STEPS = 50


def sigmoid(values: Array) -> Array:
    """``1 / (1 + exp(-x))`` without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)))


def fit_logistic(score: Array, label: Bools) -> tuple[float, float]:
    """Slope and intercept that turn a score into a probability: ``sigmoid(slope * score + intercept)``.

    Targets are drawn in a little, so that a score that separates perfectly still gives a finite slope.

    Args:
        score: ``(n,)``.
        label: ``(n,)``, both values occur.

    Source:
        Platt 1999, "Probabilistic outputs for support vector machines".
    """
    n_true, n_false = int(label.sum()), int((~label).sum())
    target = np.where(label, (n_true + 1) / (n_true + 2), 1 / (n_false + 2))
    center, spread = float(score.mean()), float(score.std()) or 1.0
    design = np.stack([(score - center) / spread, np.ones_like(score)], axis=1)  # (n, 2)
    weights = np.zeros(2)
    for _ in range(NEWTON_STEPS):
        probability = sigmoid(design @ weights)
        gradient = design.T @ (probability - target)
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights -= step * min(1.0, 4.0 / (np.abs(step).max() + 1e-12))
    slope = float(weights[0] / spread)
    return slope, float(weights[1] - slope * center)


def area_under_roc(score: Array, label: Bools) -> float:
    """Chance that a positive has a higher score than a negative; ties count one half. nan without one of them."""
    positive, negative = score[label], np.sort(score[~label])
    if not len(positive) or not len(negative):
        return float("nan")
    below = np.searchsorted(negative, positive, side="left")
    not_above = np.searchsorted(negative, positive, side="right")
    return float((below + not_above).mean() / 2 / len(negative))


def risk_at_coverage(confidence: Array, correct: Bools, coverage: Array) -> Array:
    """Share of wrong answers among the most confident ones.

    Args:
        confidence: ``(n,)``; of equal ones, wrong answers count as given first.
        correct: ``(n,)``.
        coverage: ``(k,)`` shares of all items that are answered, in (0, 1].

    Returns:
        ``(k,)``.
    """
    order = np.lexsort((correct, -confidence))
    risk = np.cumsum(~correct[order]) / np.arange(1, len(correct) + 1)
    return np.asarray(risk[np.ceil(coverage * len(correct) - 1e-9).astype(np.int64) - 1])


def area_under_risk(confidence: Array, correct: Bools) -> float:
    """Mean risk over all coverages; the share of wrong answers when the confidence tells nothing."""
    every = np.arange(1, len(correct) + 1) / len(correct)
    return float(risk_at_coverage(confidence, correct, every).mean())
