"""Where every neuron lies on the map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from axonet.explore.neighbors import nearest

Floats = npt.NDArray[np.float32]

N_ANCHORS = 10  # neurons of the map that say where another one belongs


@dataclass(frozen=True)
class Layout:
    """Positions of all neurons, and how far they can be trusted.

    Attributes:
        xy: ``(n, 2)`` float32 inside [-1, 1], one scale for both axes.
        method: how they were made, in words.
        trustworthiness: 1 when neighbors on the map are neighbors in the embedding, None when there are too few
            neurons to say.
        random: the same for positions dealt out at random, about 0.5.
        n_arranged: neurons that were arranged themselves; the others were placed among these.
    """

    xy: Floats
    method: str
    trustworthiness: float | None
    random: float | None
    n_arranged: int


def arrange(vectors: Floats, seed: int) -> Layout:
    """Lay out all neurons: t-SNE of at most 5,000, the others among the ones on the map that they are nearest to.

    Args:
        vectors: ``(n, d)`` unit vectors.
        seed: of sample and start.
    """
    from axonet.evaluation.maps import make_map

    found = make_map(vectors.astype(np.float64), seed)
    xy = np.empty((len(vectors), 2), dtype=np.float32)
    xy[found.shown] = scaled(found.xy)
    method = found.method
    others = np.setdiff1d(np.arange(len(vectors)), found.shown)
    if len(others):
        xy[others] = place(vectors[others], vectors[found.shown], xy[found.shown])
        method += (
            f" of {len(found.shown):,} neurons drawn at random, the others among their {N_ANCHORS} nearest of these"
        )
    return Layout(xy, method, found.trustworthiness, found.random, len(found.shown))


def place(queries: Floats, vectors: Floats, xy: Floats) -> Floats:
    """Positions among neurons that have one: the mean of the nearest, weighted by how much nearer than the last.

    Args:
        queries: ``(q, d)`` unit vectors to place.
        vectors: ``(n, d)`` unit vectors on the map, n > 0.
        xy: ``(n, 2)`` their positions.

    Returns:
        ``(q, 2)``.
    """
    rows, cosine = nearest(vectors, queries, N_ANCHORS + 1)
    weight = np.maximum(cosine - cosine[:, -1:], 0) + 1e-6  # (q, k); the last one counts next to nothing
    weight /= weight.sum(axis=1, keepdims=True)
    return np.asarray((xy[rows] * weight[:, :, None]).sum(axis=1), dtype=np.float32)


def scaled(xy: npt.NDArray[np.floating]) -> Floats:
    """Positions moved and scaled into [-1, 1], one scale for both axes."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    half = max(float((high - low).max()) / 2, 1e-12)
    return np.asarray((xy - (low + high) / 2) / half, dtype=np.float32)
