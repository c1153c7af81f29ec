"""How far stated probabilities can be believed, and one temperature that mends them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def softmax(logits: Array) -> Array:
    """Probabilities of ``(n, c)`` logits, row by row."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def expected_calibration_error(
    confidence: Array, correct: npt.NDArray[np.bool_] | Array, n_bins: int = 15, weights: Array | None = None
) -> float:
    """Mean distance between confidence and accuracy over equally wide bins of confidence, weighted by their size.

    Args:
        confidence: ``(n,)`` probability of the predicted class, in [0, 1].
        correct: ``(n,)`` whether an answer is right, or the probability that it is.
        n_bins: number of bins.
        weights: ``(n,)`` how often each item counts.
    """
    counted = np.ones(len(confidence)) if weights is None else weights
    which = np.clip(np.ceil(confidence * n_bins).astype(np.int64) - 1, 0, n_bins - 1)
    gap = np.bincount(which, weights=counted * (confidence - correct), minlength=n_bins)
    return float(np.abs(gap).sum() / counted.sum())


def negative_log_likelihood(logits: Array, truth: npt.NDArray[np.int64], temperature: float) -> float:
    """Mean negative log likelihood of the true classes at a temperature."""
    scaled = logits / temperature
    top = scaled.max(axis=1)
    log_total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
    return float((log_total - scaled[np.arange(len(truth)), truth]).mean())


def fit_temperature(logits: Array, truth: npt.NDArray[np.int64], low: float = 0.01, high: float = 100.0) -> float:
    """Temperature that makes held-out answers most likely, by golden-section search on its logarithm.

    The likelihood has one optimum in ``1 / temperature``, so the search cannot stop in a wrong valley.

    Args:
        logits: ``(n, c)`` of neurons that neither trained the model nor are judged.
        truth: ``(n,)``.
        low: smallest temperature looked at.
        high: largest temperature looked at.
    """
    golden = (5**0.5 - 1) / 2
    left, right = np.log(low), np.log(high)
    for _ in range(60):
        a, b = right - golden * (right - left), left + golden * (right - left)
        if negative_log_likelihood(logits, truth, np.exp(a)) <= negative_log_likelihood(logits, truth, np.exp(b)):
            right = b
        else:
            left = a
    return float(np.exp((left + right) / 2))
