"""Bootstrap over groups, stratified by class.

Neurons of one donor, or of one publication, are no independent draws; so whole groups are drawn, with replacement.
Groups are drawn within their class (stratum): otherwise a class of three groups is missing from one resample in twenty.
All resamples of one question come from one named random stream, so they depend on nothing else in the run, and every
model and metric of that question is computed on the same resamples: differences are paired.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FEWEST_GROUPS = 5


def _codes(values: Sequence[Hashable]) -> npt.NDArray[np.int64]:
    """Integer codes of values in the order of their first appearance."""
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(value, len(seen)) for value in values], dtype=np.int64)


def group_strata(groups: Sequence[Hashable], strata: Sequence[Hashable]) -> tuple[npt.NDArray[np.int64], ...]:
    """Code groups, and give each the stratum that most of its items have (the first of several equals).

    Args:
        groups: ``n`` group keys.
        strata: ``n`` stratum keys (classes).

    Returns:
        ``(n,)`` group codes and ``(g,)`` the stratum code of every group.
    """
    group, stratum = _codes(groups), _codes(strata)
    if len(group) != len(stratum):
        raise ValueError(f"{len(group)} groups, {len(stratum)} strata")
    n_groups, n_strata = (int(codes.max(initial=-1)) + 1 for codes in (group, stratum))
    table = np.zeros((n_groups, n_strata), dtype=np.int64)
    np.add.at(table, (group, stratum), 1)
    return group, table.argmax(axis=1) if n_groups else np.zeros(0, dtype=np.int64)


def bootstrap_weights(
    groups: Sequence[Hashable], strata: Sequence[Hashable], n_resamples: int, rng: np.random.Generator
) -> Array | None:
    """How often every item counts in every resample of groups, stratified.

    A class of a single group never varies. Where such classes hold half of the items or more, an interval would be far
    too narrow: then groups are drawn from all classes together.

    Args:
        groups: ``n`` group keys, items of one group are drawn together.
        strata: ``n`` class keys.
        n_resamples: ``b``.
        rng: the named stream of this question.

    Returns:
        ``(b, n)`` whole numbers as floats; None when no interval can be given: no resamples, or fewer than five groups.
    """
    group, stratum = group_strata(groups, strata)
    members = [np.flatnonzero(stratum == code) for code in np.unique(stratum)]
    if n_resamples == 0 or len(stratum) < FEWEST_GROUPS:
        return None
    alone = np.isin(group, [block[0] for block in members if len(block) == 1])
    if 2 * alone.sum() >= len(group):
        members = [np.arange(len(stratum))]
    counts = np.zeros((n_resamples, len(stratum)))
    for block in members:
        counts[:, block] = rng.multinomial(len(block), np.full(len(block), 1 / len(block)), size=n_resamples)
    return np.asarray(counts[:, group])


def weighted_means(values: Array, weights: Array) -> Array:
    """Mean of values in every resample.

    Args:
        values: ``(n,)``.
        weights: ``(b, n)``.

    Returns:
        ``(b,)``, nan where nothing was drawn.
    """
    total = weights.sum(axis=1)
    empty = np.full(len(weights), np.nan)
    return np.asarray(np.divide(weights @ values, total, out=empty, where=total > 0))


def interval(resampled: Array | None, level: float = 0.95) -> tuple[float, float] | None:
    """Percentile interval of resampled values.

    Args:
        resampled: ``(b,)`` the metric in every resample; None when there are none.
        level: coverage.

    Returns:
        (low, high), or None without resamples.
    """
    if resampled is None:
        return None
    kept = resampled[np.isfinite(resampled)]
    if not len(kept):
        return None
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_difference(
    value: float, baseline: float, resampled: Array | None, resampled_baseline: Array | None
) -> tuple[float, float | None, float | None]:
    """Difference to a baseline with the interval of the differences on the same resamples.

    Returns:
        (difference, low, high); low and high are None without resamples.
    """
    if resampled is None or resampled_baseline is None:
        return value - baseline, None, None
    bounds = interval(resampled - resampled_baseline)
    return (value - baseline, *bounds) if bounds else (value - baseline, None, None)
