"""Average precision of ranked answers, ties counted against us, and what a random order reaches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def average_precision(similarity: npt.NDArray[np.floating], relevant: npt.NDArray[np.bool_]) -> Array:
    """Average precision of every query: mean of the precision at each relevant candidate.

    Among candidates of equal score those that are not relevant come first.

    Args:
        similarity: ``(q, c)`` scores, larger is nearer.
        relevant: ``(q, c)`` whether a candidate is a right answer.

    Returns:
        ``(q,)`` in ``(0, 1]``.

    Raises:
        ValueError: a query has no relevant candidate.
    """
    if not relevant.any(axis=1).all():
        raise ValueError("every query needs at least one relevant candidate")
    order = np.lexsort((relevant, -similarity), axis=1)  # (q, c) by score, and within a tie wrong answers first
    hits = np.take_along_axis(relevant, order, axis=1)
    place = np.arange(1, hits.shape[1] + 1)
    precision = np.cumsum(hits, axis=1) / place  # (q, c)
    result: Array = (precision * hits).sum(axis=1) / hits.sum(axis=1)
    return result


def resampled_average_precision(
    similarity: npt.NDArray[np.floating], relevant: npt.NDArray[np.bool_], weights: Array
) -> Array:
    """Average precision of one query when the candidates are resampled.

    A candidate that was drawn twice stands in the list twice; ties count against us.

    Args:
        similarity: ``(c,)`` scores of the query.
        relevant: ``(c,)`` whether a candidate is a right answer.
        weights: ``(b, c)`` how often each candidate was drawn.

    Returns:
        ``(b,)``, nan where no relevant candidate was drawn.
    """
    order = np.lexsort((relevant, -similarity))  # by score, and within a tie wrong answers first
    right = relevant[order]
    drawn = weights[:, order]
    place = (np.cumsum(drawn, axis=1) - drawn)[:, right]  # (b, r) candidates before each relevant one
    own = drawn[:, right]  # (b, r) copies of each relevant one
    found = np.cumsum(own, axis=1) - own  # (b, r) relevant ones before it
    total = np.zeros(len(weights))
    for copy in range(1, int(own.max(initial=0)) + 1):
        total += np.where(own >= copy, (found + copy) / (place + copy), 0.0).sum(axis=1)
    n_drawn = own.sum(axis=1)
    empty = np.full(len(weights), np.nan)
    return np.asarray(np.divide(total, n_drawn, out=empty, where=n_drawn > 0))


def chance_average_precision(n_relevant: npt.NDArray[np.int64], n_candidates: int) -> Array:
    """Average precision expected of a random order.

    With ``r`` relevant of ``c`` candidates and the harmonic number ``H``, a relevant candidate at place ``i`` has on
    average ``(i - 1)(r - 1)/(c - 1)`` relevant ones before it, hence
    ``((r - 1)/(c - 1) * (c - H) + H) / c``.

    Args:
        n_relevant: ``(q,)`` relevant candidates of every query.
        n_candidates: ``c``.

    Returns:
        ``(q,)``.
    """
    return chance_of_lists(np.asarray(n_relevant, dtype=np.int64), np.int64(n_candidates))


def chance_of_lists(n_relevant: npt.NDArray[np.int64], n_candidates: npt.NDArray[np.int64] | np.int64) -> Array:
    """As `chance_average_precision`, for lists of different lengths; nan where nothing is relevant.

    Args:
        n_relevant: ``(...)``.
        n_candidates: broadcast to the same shape.
    """
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, int(np.max(n_candidates)) + 1))])[n_candidates]
    share_of_others = (n_relevant - 1) / np.maximum(n_candidates - 1, 1)
    chance = (share_of_others * (n_candidates - harmonic) + harmonic) / n_candidates
    return np.where(n_relevant > 0, chance, np.nan)
