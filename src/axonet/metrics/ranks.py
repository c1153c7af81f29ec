"""Ranks in retrieval, what chance and a constant answer would reach.

Everywhere: any relevant candidate is a hit, ties count against us, and candidates are distinct (a caption that many
neurons share is one candidate, not many).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def first_hit_ranks(similarity: npt.NDArray[np.floating], relevant: Bools) -> Ints:
    """Rank of the best relevant candidate of every query; 1 is best.

    Candidates that are not relevant and score the same as the best relevant one are counted before it, so a model that
    gives the same score to everything gets the worst rank.

    Args:
        similarity: ``(q, c)`` scores, larger is nearer.
        relevant: ``(q, c)`` whether a candidate is a right answer.

    Returns:
        ``(q,)`` ranks in ``1 .. c``.

    Raises:
        ValueError: shapes differ, or a query has no relevant candidate.
    """
    if similarity.shape != relevant.shape:
        raise ValueError(f"similarity is {similarity.shape}, relevant is {relevant.shape}")
    if not relevant.any(axis=1).all():
        raise ValueError("every query needs at least one relevant candidate")
    best = np.where(relevant, similarity, -np.inf).max(axis=1, keepdims=True)  # (q, 1)
    ahead = (similarity >= best) & ~relevant  # (q, c), ties count against us
    return np.asarray(1 + ahead.sum(axis=1), dtype=np.int64)


def resampled_ranks(similarity: Array, relevant: Bools, weights: Array) -> Array:
    """Rank of the best relevant candidate of one query when the candidates are resampled.

    A candidate that was drawn twice stands in the list twice; ties count against us.

    Args:
        similarity: ``(c,)`` scores of the query.
        relevant: ``(c,)`` whether a candidate is a right answer.
        weights: ``(b, c)`` how often each candidate was drawn.

    Returns:
        ``(b,)`` ranks, nan where no relevant candidate was drawn.
    """
    order = np.lexsort((relevant, -similarity))  # by score, and within a tie wrong answers first
    drawn, right = weights[:, order], relevant[order]
    hit = (drawn > 0) & right  # (b, c)
    first = hit.argmax(axis=1)
    ahead = np.cumsum(np.where(right, 0.0, drawn), axis=1)[np.arange(len(drawn)), first]
    return np.where(hit.any(axis=1), 1 + ahead, np.nan)


def random_rank_distribution(n_relevant: Ints, n_candidates: int) -> Array:
    """Probability of each rank of the first relevant candidate when the order is random.

    The first of ``r`` right answers among ``c`` stands at rank ``j`` with probability ``C(c - j, r - 1) / C(c, r)``
    (computed by the ratio of neighbors, so no large factorials arise).

    Args:
        n_relevant: ``(q,)`` number of relevant candidates of every query, at least 1.
        n_candidates: ``c``.

    Returns:
        ``(q, c)`` probabilities of rank ``1 .. c``; every row sums to 1.

    Raises:
        ValueError: a number of relevant candidates outside ``1 .. c``.
    """
    relevant = np.asarray(n_relevant, dtype=np.float64)[:, None]  # (q, 1)
    if relevant.size and (relevant.min() < 1 or relevant.max() > n_candidates):
        raise ValueError("every query needs between 1 and n_candidates relevant candidates")
    place = np.arange(1, n_candidates + 1, dtype=np.float64)[None, :]  # (1, c)
    left = n_candidates - place + 1  # candidates not yet drawn before rank j
    hit = np.minimum(relevant / left, 1.0)  # (q, c) chance of a hit at rank j given none before
    missed = np.cumprod(1 - hit, axis=1)
    missed_before = np.concatenate([np.ones_like(relevant), missed[:, :-1]], axis=1)  # (q, c)
    return missed_before * hit


def _mean_distribution(n_relevant: Ints, n_candidates: int) -> Array:
    """``(c,)`` rank distribution averaged over queries; queries with as many right answers are computed once."""
    numbers, counts = np.unique(n_relevant, return_counts=True)
    return np.asarray(counts @ random_rank_distribution(numbers, n_candidates) / counts.sum())


def chances_of_lists(n_relevant: Ints, n_candidates: Ints, cutoffs: tuple[int, ...]) -> tuple[Array, Array]:
    """Recall at cut-offs and reciprocal rank expected of random orders, for lists of different lengths.

    Args:
        n_relevant: ``(...)`` relevant candidates; 0 where a list is not asked for.
        n_candidates: ``(...)`` lengths of the lists.
        cutoffs: ``k`` cut-offs.

    Returns:
        ``(k, ...)`` recalls and ``(...)`` reciprocal ranks; nan where nothing is relevant.
    """
    base = int(n_candidates.max(initial=0)) + 1
    codes, place = np.unique(n_candidates * base + n_relevant, return_inverse=True)
    table = np.full((len(codes), len(cutoffs) + 1), np.nan)  # every distinct pair is computed once
    lengths, relevant = codes // base, codes % base
    for length in np.unique(lengths[relevant > 0]):
        rows = np.flatnonzero((lengths == length) & (relevant > 0))
        distribution = random_rank_distribution(relevant[rows], int(length))
        cumulative = np.cumsum(distribution, axis=1)
        for column, k in enumerate(cutoffs):
            table[rows, column] = cumulative[:, min(k, int(length)) - 1]
        table[rows, -1] = (distribution / np.arange(1, length + 1)).sum(axis=1)
    found = np.moveaxis(table[place.reshape(n_relevant.shape)], -1, 0)
    return found[:-1], found[-1]


def chance_recall_at(k: int, n_relevant: Ints, n_candidates: int) -> float:
    """Recall at ``k`` expected of a random order, averaged over queries: ``1 - C(c - r, k) / C(c, k)``.

    Args:
        k: how many answers are looked at.
        n_relevant: ``(q,)`` relevant candidates of every query.
        n_candidates: number of candidates.
    """
    return float(_mean_distribution(n_relevant, n_candidates)[:k].sum())


def chance_reciprocal_rank(n_relevant: Ints, n_candidates: int) -> float:
    """Mean reciprocal rank expected of a random order, averaged over queries; arguments as `chance_recall_at`."""
    place = np.arange(1, n_candidates + 1, dtype=np.float64)
    return float((_mean_distribution(n_relevant, n_candidates) / place).sum())


def chance_median_rank(n_relevant: Ints, n_candidates: int) -> float:
    """Median of the rank when every query is answered in random order (median of the pooled distribution)."""
    cumulative = np.cumsum(_mean_distribution(n_relevant, n_candidates))
    return float(1 + np.searchsorted(cumulative, 0.5 - 1e-12))


def constant_list_ranks(relevant: Bools) -> Ints:
    """Ranks when every query gets the same list, and the list is as good as a list that ignores its query can be.

    The list takes, again and again, the candidate that answers most of the queries not answered yet. With one answer a
    query that is "always the commonest caption" first, the next commonest second, and so on: no constant list reaches
    more at any cut-off. With several answers a query the first place is still the best possible.

    Args:
        relevant: ``(q, c)`` whether a candidate is a right answer; every query has one.

    Returns:
        ``(q,)`` ranks; a query that the list's first ``j - 1`` places leave open has at least rank ``j``.
    """
    rank = np.zeros(len(relevant), dtype=np.int64)
    gain = relevant.sum(axis=0, dtype=np.int64)  # (c,) open queries that each candidate would answer
    place = 0
    while (rank == 0).any():
        place += 1
        best = int(gain.argmax())
        if gain[best] <= 0:
            raise ValueError("every query needs at least one relevant candidate")
        answered = relevant[:, best] & (rank == 0)
        rank[answered] = place
        gain -= relevant[answered].sum(axis=0, dtype=np.int64)
    return rank


def weighted_median(values: Array, weights: Array) -> Array:
    """Median of values under integer-like weights, as if every value were written down ``weight`` times.

    Args:
        values: ``(q,)``.
        weights: ``(b, q)`` nonnegative, one row a resample.

    Returns:
        ``(b,)``; nan where all weights are zero. Between two values the lower and upper are averaged.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order].astype(np.float64)
    cumulative = np.cumsum(weights[:, order], axis=1)  # (b, q)
    total = cumulative[:, -1:]  # (b, 1)
    low = np.argmax(cumulative >= total / 2 - 1e-9, axis=1)
    high = np.argmax(cumulative > total / 2 + 1e-9, axis=1)
    median = (ordered[low] + ordered[high]) / 2
    return np.where(total[:, 0] > 0, median, np.nan)
