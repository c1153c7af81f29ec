"""Retrieval both ways between neurons and unique captions.

Neurons that share a caption share one candidate: a hit is any item with an equal caption, and in a second number any
caption that is true of the neuron. Text to neuron is a mean over captions, so rare captions count as much as common
ones. Resamples are of groups of neurons: as queries they count as often as they were drawn, as candidates they stand in
the list as often, and a caption none of whose neurons was drawn is not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from axonet.core.seeds import rng
from axonet.evaluation.data import Array, Embedding, Ints
from axonet.evaluation.scoring import Figure, Row, Sample, make_row, mean_figure
from axonet.evaluation.similarity import query_similarity
from axonet.metrics import ranks
from axonet.metrics.average_precision import (
    average_precision,
    chance_average_precision,
    chance_of_lists,
    resampled_average_precision,
)
from axonet.metrics.permutation import p_value, permutation_null

Bools = npt.NDArray[np.bool_]
Hit = Literal["equal", "true"]

CUTOFFS = (1, 5, 10)
N_PERMUTATIONS = 200
LIST_BUDGET, FEWEST_RESAMPLES = 500_000_000, 100  # ranked entries over all resamples of one level
HEADLINE_LEVELS = ("broad", "standard")
HEADLINE = "broad+standard"


@dataclass(frozen=True)
class CaptionLevel:
    """The captions of one level.

    Attributes:
        level: its name.
        texts: ``u`` different captions.
        vectors: ``(u, d)`` their unit vectors.
        answer: ``(n,)`` which of them is a neuron's own; -1 for a neuron without one.
        true: ``(n, u)`` whether a caption is true of a neuron.
        rows: ``(n,)`` the row of ``true`` of every neuron, where it has only those with captions.
    """

    level: str
    texts: tuple[str, ...]
    vectors: Array
    answer: Ints
    true: Bools
    rows: Ints | None = None


@dataclass(frozen=True)
class Direction:
    """One way of asking at one level: figures per metric, and what stands beside them."""

    head: Row
    about: Row
    figures: dict[str, Figure]
    chance: dict[str, float]
    majority: dict[str, Figure]
    p: float | None = None


def ask_level(level: CaptionLevel, embedding: Embedding, sample: Sample, seed: int) -> list[Direction]:
    """All four ways of asking: neuron to text and text to neuron, by equal and by true captions.

    Args:
        level: captions of all neurons.
        embedding: of all neurons.
        sample: the judged items, with resamples.
        seed: of the run, for the permutation null.

    Returns:
        Nothing when no judged neuron has a caption.
    """
    owner = embedding.items[sample.items]
    kept = np.flatnonzero(level.answer[owner] >= 0)
    if not len(kept):
        return []
    used, own = np.unique(level.answer[owner[kept]], return_inverse=True)  # captions of judged neurons alone
    similarity = query_similarity(level.vectors[used], embedding, sample.items[kept])  # (u, m)
    equal = np.arange(len(used))[:, None] == own[None, :]  # (u, m)
    rows = owner[kept] if level.rows is None else level.rows[owner[kept]]
    true = level.true[np.ix_(rows, used)].T | equal
    weights = None if sample.weights is None else sample.weights[:, kept]
    about: Row = {"groups": sample.n_groups}
    found = []
    for hit, relevant in (("equal", equal), ("true", true)):
        head: Row = {"level": level.level, "hit": hit}
        texts: Row = {**about, "n": len(kept), "candidates": len(used)}
        found.append(_neuron_to_text({**head, "direction": "neuron_to_text"}, texts, similarity.T, relevant.T, weights))
        items: Row = {**about, "n": len(used), "candidates": len(kept)}
        back: Row = {**head, "direction": "text_to_neuron"}
        found.append(_text_to_neuron(back, items, similarity, relevant, weights, owner[kept], seed))
    return found


def _neuron_to_text(head: Row, about: Row, similarity: Array, relevant: Bools, weights: Array | None) -> Direction:
    """``(m, u)``: neurons ask, captions are ranked; resamples weigh the neurons."""
    own = rank_figures(ranks.first_hit_ranks(similarity, relevant), weights)
    constant = rank_figures(ranks.constant_list_ranks(relevant), weights)
    return Direction(head, about, own, _chance(relevant), constant)


def _text_to_neuron(
    head: Row, about: Row, similarity: Array, relevant: Bools, weights: Array | None, owner: Ints, seed: int
) -> Direction:
    """``(u, m)``: captions ask, neurons are ranked; resamples change the ranked list, so ranks are taken anew."""
    precision, name = average_precision(similarity, relevant), "mean_average_precision"
    own = {**rank_figures(ranks.first_hit_ranks(similarity, relevant), None), name: mean_figure(precision, None)}
    if weights is not None:
        resampled = _resampled_lists(similarity, relevant, weights)
        own = {key: Figure(figure.value, resampled[key]) for key, figure in own.items()}
    constant = {
        key: Figure(figure.value, _full(figure.value, own[key].resampled))
        for key, figure in rank_figures(ranks.constant_list_ranks(relevant), None).items()
    }
    stream = rng(seed, "retrieval_null", str(head["level"]), str(head["hit"]))
    p = p_value(own[name].value, _null(similarity, relevant, owner, stream))
    return Direction(head, about, own, _list_chance(relevant), constant, p)


def _chance(relevant: Bools) -> dict[str, float]:
    """What a random order reaches in each metric of ranks."""
    n_relevant, n_candidates = relevant.sum(axis=1, dtype=np.int64), relevant.shape[1]
    chance = {f"recall_at_{k}": ranks.chance_recall_at(k, n_relevant, n_candidates) for k in CUTOFFS}
    chance["mean_reciprocal_rank"] = ranks.chance_reciprocal_rank(n_relevant, n_candidates)
    chance["median_rank"] = ranks.chance_median_rank(n_relevant, n_candidates)
    return chance


def _list_chance(relevant: Bools) -> dict[str, float]:
    """As `_chance`, with average precision."""
    expected = chance_average_precision(relevant.sum(axis=1, dtype=np.int64), relevant.shape[1])
    return {**_chance(relevant), "mean_average_precision": float(expected.mean())}


def rank_figures(rank: Ints, weights: Array | None) -> dict[str, Figure]:
    """Recall at the cut-offs, mean reciprocal rank and median rank of ``(q,)`` ranks under ``(b, q)`` weights."""
    figures = {f"recall_at_{k}": mean_figure(rank <= k, weights) for k in CUTOFFS}
    figures["mean_reciprocal_rank"] = mean_figure(1 / rank, weights)
    resampled = None if weights is None else ranks.weighted_median(rank.astype(np.float64), weights)
    figures["median_rank"] = Figure(float(np.median(rank)), resampled)
    return figures


def _resampled_lists(similarity: Array, relevant: Bools, weights: Array) -> dict[str, Array]:
    """Every metric over the captions of each resample; large problems get fewer resamples.

    A resample has fewer different captions and so more right answers to each: an easier list. So what is resampled is
    the distance to the chance of the very list, and it is given as if chance were that of the whole list.

    Args:
        similarity: ``(u, m)``.
        relevant: ``(u, m)``.
        weights: ``(b, m)``.

    Returns:
        Metric -> ``(b',)``.
    """
    weights = weights[: max(FEWEST_RESAMPLES, LIST_BUDGET // similarity.size)]
    pairs = list(zip(similarity, relevant, strict=True))
    rank = np.stack([ranks.resampled_ranks(scores, right, weights) for scores, right in pairs])  # (u, b')
    precision = np.stack([resampled_average_precision(scores, right, weights) for scores, right in pairs])
    n_right = np.rint(relevant @ weights.T).astype(np.int64)  # (u, b'), 0 where a caption is not asked
    length = np.broadcast_to(np.rint(weights.sum(axis=1)).astype(np.int64), n_right.shape)
    recall, reciprocal = ranks.chances_of_lists(n_right, length, CUTOFFS)
    place = np.where(n_right > 0, rank, np.inf)
    excess = {f"recall_at_{k}": (place <= k) - recall[i] for i, k in enumerate(CUTOFFS)}
    excess["mean_reciprocal_rank"] = 1 / place - reciprocal
    excess["mean_average_precision"] = precision - chance_of_lists(n_right, length)
    whole = _list_chance(relevant)
    found = {name: np.clip(np.nanmean(values, axis=0) + whole[name], 0.0, 1.0) for name, values in excess.items()}
    return {**found, "median_rank": np.nanmedian(rank, axis=0)}


def _null(similarity: Array, relevant: Bools, owner: Ints, stream: np.random.Generator) -> Array:
    """Mean average precision when neurons are dealt out at random; the views of a neuron stay together."""
    neurons, first = np.unique(owner, return_index=True)
    place = np.searchsorted(neurons, owner)

    def shuffled(order: Ints) -> float:
        return float(average_precision(similarity, relevant[:, first[order]][:, place]).mean())

    n_permutations = min(N_PERMUTATIONS, max(FEWEST_RESAMPLES, LIST_BUDGET // similarity.size))
    return permutation_null(shuffled, len(neurons), n_permutations, stream)


def headline(directions: Sequence[Direction]) -> list[Direction]:
    """The mean of the broad and standard levels, way by way; what later levels add would be answered by its own input.

    Resamples of the two levels are the same draws, so their mean has an interval too.
    """
    found = []
    chosen = [d for d in directions if d.head["level"] in HEADLINE_LEVELS]
    for first in (d for d in chosen if d.head["level"] == HEADLINE_LEVELS[0]):
        alike = [d for d in chosen if {**d.head, "level": None} == {**first.head, "level": None}]
        if len(alike) != len(HEADLINE_LEVELS):
            continue
        about = {**first.about, **_asked_of_both([d.about for d in alike], str(first.head["direction"]))}
        found.append(
            Direction(
                {**first.head, "level": HEADLINE},
                about,
                {name: _mean([d.figures[name] for d in alike]) for name in first.figures},
                {name: float(np.mean([d.chance[name] for d in alike])) for name in first.chance},
                {name: _mean([d.majority[name] for d in alike]) for name in first.majority},
            )
        )
    return found


def _asked_of_both(abouts: Sequence[Row], direction: str) -> Row:
    """Queries and candidates of several levels: the neurons are the same in each, captions are others."""
    first = abouts[0]
    if direction == "neuron_to_text":
        return {"n": first["n"], "candidates": None}
    return {"n": sum(int(str(about["n"])) for about in abouts), "candidates": first["candidates"]}


def _mean(figures: Sequence[Figure]) -> Figure:
    parts = [figure.resampled for figure in figures if figure.resampled is not None]
    value = float(np.mean([figure.value for figure in figures]))
    if len(parts) < len(figures):
        return Figure(value)
    length = min(len(part) for part in parts)
    return Figure(value, np.mean([part[:length] for part in parts], axis=0))


def retrieval_rows(directions: Sequence[Direction], about: Row) -> list[Row]:
    """Rows of ``metrics.json``; the baseline is the best constant list, where a metric has none, chance.

    Args:
        directions: what was found.
        about: split, model and compartments of every row.
    """
    rows = []
    for direction in directions:
        head: Row = {**direction.head, **about}
        for name, figure in direction.figures.items():
            constant, chance = direction.majority.get(name), direction.chance[name]
            against = constant if constant is not None else Figure(chance, _full(chance, figure.resampled))
            row = make_row(
                head,
                name,
                figure,
                direction.about,
                chance,
                None if constant is None else constant.value,
                "constant_list" if constant is not None else "chance",
                against,
            )
            rows.append({**row, "p": direction.p if name == "mean_average_precision" else None})
    return rows


def _full(value: float, like: Array | None) -> Array | None:
    """A value that is the same in every resample."""
    return None if like is None else np.full(len(like), value)
