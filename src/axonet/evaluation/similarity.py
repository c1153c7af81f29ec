"""Cosine similarity of pooled poses: the one place that knows what a pooling means for a comparison."""

from __future__ import annotations

import numpy as np

from axonet.evaluation.data import BLOCK, Array, Embedding, Ints

DECIMALS = 7  # what float32 vectors can tell apart; below, two similarities are a tie
CHUNK = 20_000_000  # similarities held at a time


def _rounded(values: Array) -> Array:
    return np.round(values, DECIMALS)


def _best_pose(values: Array, owner: Ints, axis: int) -> Array:
    """Maximum over the poses of every neuron along an axis; ``owner`` is ascending."""
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    return np.asarray(np.maximum.reduceat(values, starts, axis=axis))


def query_similarity(queries: Array, embedding: Embedding, items: Ints | None = None) -> Array:
    """Similarity of queries (texts) to items.

    Args:
        queries: ``(q, d)`` unit vectors.
        embedding: of n neurons, m items.
        items: ``(m',)`` only these items.

    Returns:
        ``(q, m)``, or ``(q, m')``.
    """
    if embedding.pooling != "max":
        wanted = np.arange(len(embedding.items)) if items is None else items
        result = np.empty((len(queries), len(wanted)))
        for at in range(0, len(wanted), BLOCK):
            block = slice(at, at + BLOCK)
            result[:, block] = queries @ embedding.item_vectors[wanted[block]].astype(np.float64).T
        return _rounded(result)
    if items is not None:
        return query_similarity(queries, embedding)[:, items]
    step = max(1, CHUNK // max(1, len(embedding.vectors)))
    blocks = [
        _best_pose(queries[at : at + step] @ embedding.vectors.astype(np.float64).T, embedding.owner, axis=1)
        for at in range(0, len(queries), step)
    ]
    return _rounded(np.concatenate(blocks)) if blocks else np.zeros((0, len(embedding.items)))


def item_similarity(embedding: Embedding, rows: Ints, columns: Ints) -> Array:
    """Similarity between items; with ``max`` that of the best pair of embedding.

    Args:
        embedding: of all neurons.
        rows: ``(r,)`` item indices.
        columns: ``(c,)`` item indices.

    Returns:
        ``(r, c)``.
    """
    if embedding.pooling != "max":
        vectors = embedding.item_vectors
        return _rounded(vectors[rows].astype(np.float64) @ vectors[columns].astype(np.float64).T)
    kept = np.isin(embedding.owner, embedding.items[columns])
    right, right_owner = embedding.vectors[kept].astype(np.float64), embedding.owner[kept]
    order = np.searchsorted(np.unique(right_owner), embedding.items[columns])
    result = np.empty((len(rows), len(columns)))
    for place, row in enumerate(rows):
        pairs = embedding.vectors[embedding.owner == embedding.items[row]] @ right.T  # (views of one neuron, views)
        result[place] = _best_pose(pairs.max(axis=0)[None, :], right_owner, axis=1)[0, order]
    return _rounded(result)
