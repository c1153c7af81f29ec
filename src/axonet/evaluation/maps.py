"""A flat map of an embedding, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from axonet.core.seeds import rng, stable_seed
from axonet.evaluation.data import Array, Floats, Ints
from axonet.evaluation.threads import one_thread

PERPLEXITY = 30.0
MOST_POINTS = 5000
FEWEST_POINTS = 5  # below, t-SNE has nothing to arrange: the two main directions are drawn


@dataclass(frozen=True)
class Map:
    """Positions of some items.

    Attributes:
        shown: ``(k,)`` indices of the items on the map.
        xy: ``(k, 2)`` positions.
        trustworthiness: 1 when neighbors on the map are neighbors in the embedding, about 0.5 for a random map; None
            when there are too few items to say.
        random: the same for positions dealt out at random.
        n_neighbors: of the trustworthiness.
        method: how the positions were made, for captions.
    """

    shown: Ints
    xy: Array
    trustworthiness: float | None
    random: float | None
    n_neighbors: int
    method: str


def make_map(vectors: Floats, seed: int) -> Map:
    """t-SNE of unit vectors by cosine distance, with a fixed seed and a perplexity that fits their number.

    Args:
        vectors: ``(m, d)`` unit vectors; above 5,000, as many are drawn at random.
        seed: of the run.
    """
    shown = np.arange(len(vectors))
    if len(vectors) > MOST_POINTS:
        shown = np.sort(rng(seed, "map_sample").choice(len(vectors), MOST_POINTS, replace=False))
    chosen = vectors[shown].astype(np.float64)
    if len(chosen) < FEWEST_POINTS:
        return Map(shown, _main_directions(chosen), None, None, 0, "two main directions (too few neurons for t-SNE)")
    perplexity = min(PERPLEXITY, (len(chosen) - 1) / 3)
    xy = _tsne(chosen, perplexity, stable_seed(seed, "map"))
    n_neighbors = min(10, (len(chosen) - 1) // 2)
    return Map(
        shown,
        xy,
        _trustworthiness(chosen, xy, n_neighbors),
        _trustworthiness(chosen, rng(seed, "random_map").permutation(xy), n_neighbors),
        n_neighbors,
        f"t-SNE, perplexity {perplexity:.3g}",
    )


def _main_directions(vectors: Array) -> Array:
    """``(k, 2)`` the two principal components, as far as there are any."""
    centered = vectors - vectors.mean(axis=0)
    axes = np.linalg.svd(centered, full_matrices=False)[2][:2]
    axes *= np.where(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]  # a sign for all
    xy = np.zeros((len(vectors), 2))
    xy[:, : len(axes)] = centered @ axes.T
    return xy


def _tsne(vectors: Array, perplexity: float, state: int) -> Array:
    from sklearn.manifold import TSNE

    start = _main_directions(vectors)
    scale = start[:, 0].std()
    start = start / scale * 1e-4 if scale > 0 else rng(state, "start").normal(size=start.shape) * 1e-4
    with one_thread():  # the same picture everywhere
        model = TSNE(perplexity=perplexity, init=start, random_state=state, metric="cosine", n_jobs=1)
        return np.asarray(model.fit_transform(vectors), dtype=np.float64)


def _trustworthiness(vectors: Array, xy: Array, n_neighbors: int) -> float:
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(vectors, xy, n_neighbors=n_neighbors, metric="cosine"))
