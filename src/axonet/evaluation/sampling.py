"""Samples that keep a report on hundreds of thousands of neurons within minutes; each is stated in the report."""

from __future__ import annotations

import numpy as np

from axonet.core.seeds import rng
from axonet.evaluation.data import Ints

FEWEST_OF_A_CLASS = 50  # neurons of a rare class that a sample keeps


def drawn(indices: Ints, most: int, seed: int, name: str) -> Ints:
    """At most so many of the indices, drawn at random, in their order.

    Args:
        indices: ``(n,)`` ascending.
        most: how many at most.
        seed: of the run.
        name: of the draw.
    """
    if len(indices) <= most:
        return indices
    return np.sort(rng(seed, "sample", name).choice(indices, most, replace=False))


def drawn_by_class(indices: Ints, truth: Ints, most: int, seed: int, name: str) -> Ints:
    """As `drawn`, with at least 50 of every class, or all where it has fewer.

    Args:
        indices: ``(n,)`` ascending.
        truth: class of every neuron.
        most: how many at most, but for the rare classes.
        seed: of the run.
        name: of the draw.
    """
    if len(indices) <= most:
        return indices
    stream = rng(seed, "sample", name)
    order = stream.permutation(indices)
    own = truth[order]
    place = np.zeros(len(order), dtype=np.int64)  # of every neuron within its class, in the order of the draw
    for code in np.unique(own):
        members = np.flatnonzero(own == code)
        place[members] = np.arange(len(members))
    rare = place < FEWEST_OF_A_CLASS
    # Drawn anew: among the first of the order that are left, common classes have more than their share.
    rest = stream.permutation(np.flatnonzero(~rare))[: max(0, most - int(rare.sum()))]
    return np.sort(np.concatenate([order[rare], order[rest]]))
