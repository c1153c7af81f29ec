"""Permutation nulls and the exact sign-flip test."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

EXACT_LIMIT = 20  # 2**20 sign patterns are still enumerated


def permutation_null(
    statistic: Callable[[npt.NDArray[np.int64]], float], n_items: int, n_permutations: int, rng: np.random.Generator
) -> Array:
    """Values of a statistic after the items were shuffled.

    Args:
        statistic: takes ``(n_items,)`` positions, gives the statistic for items in that order.
        n_items: how many items are shuffled.
        n_permutations: ``p``.
        rng: the named stream of this question.

    Returns:
        ``(p,)``.
    """
    return np.array([statistic(rng.permutation(n_items)) for _ in range(n_permutations)], dtype=np.float64)


def p_value(observed: float, null: Array) -> float | None:
    """One-sided p value, the observed order counted among the permutations; None without permutations."""
    if not len(null):
        return None
    return float((1 + (null >= observed - 1e-12).sum()) / (1 + len(null)))


def sign_flip(differences: Array, rng: np.random.Generator | None = None, n_draws: int = 100_000) -> float:
    """Two-sided sign-flip test of the mean of paired differences (for example one difference per lab).

    Exact up to 20 differences: all ``2**n`` sign patterns. The smallest value that ``n`` differences can reach is
    ``2 / 2**n``: below six, nothing can reach .05.

    Args:
        differences: ``(n,)`` paired differences.
        rng: named stream, needed above 20 differences, where patterns are drawn.
        n_draws: drawn patterns above 20 differences.

    Returns:
        The share of sign patterns whose mean is at least as far from zero.

    Raises:
        ValueError: no differences, or more than 20 and no rng.
    """
    values = np.asarray(differences, dtype=np.float64)
    if not len(values):
        raise ValueError("the sign-flip test needs at least one difference")
    observed = abs(values.sum())
    if len(values) <= EXACT_LIMIT:
        sums = np.zeros(1)
        for value in values:  # every pattern of signs, without a table of 2**n rows
            sums = np.concatenate([sums + value, sums - value])
        return float((np.abs(sums) >= observed - 1e-12).mean())
    if rng is None:
        raise ValueError("more than 20 differences need a random stream")
    signs = rng.integers(0, 2, size=(n_draws, len(values))) * 2.0 - 1.0
    return float((1 + (np.abs(signs @ values) >= observed - 1e-12).sum()) / (1 + n_draws))
