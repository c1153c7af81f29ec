"""From the vectors of a neuron's views to the vectors of neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Pooling = Literal["mean", "max", "none"]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Poses:
    """Items to search among, each with one or more poses.

    Attributes:
        names: ``(m,)`` name of each item: the neuron's id; with pooling ``none`` once per view.
        vectors: ``(p, d)`` unit vectors of the poses.
        item: ``(p,)`` index of the item that a pose belongs to, ascending.
    """

    names: list[str]
    vectors: FloatArray
    item: npt.NDArray[np.int64]

    def similarity(self, queries: FloatArray) -> FloatArray:
        """Cosine of every query with every item; where an item has several poses, with its best one.

        Args:
            queries: ``(q, d)`` unit vectors.

        Returns:
            ``(q, m)``.
        """
        cosine = queries @ self.vectors.T  # (q, p)
        if len(self.names) == len(self.vectors):
            return cosine
        starts = np.searchsorted(self.item, np.arange(len(self.names)))
        return np.maximum.reduceat(cosine, starts, axis=1)


def pool_poses(vectors: FloatArray, groups: Sequence[str], how: Pooling) -> Poses:
    """Pool the views of each neuron.

    ``mean`` is the normalized mean of unit vectors, ``max`` keeps all poses and lets each query choose its best,
    ``none`` makes every view an item of its own.

    Args:
        vectors: ``(n, d)`` unit vectors of views.
        groups: ``(n,)`` neuron id of each view, in any order.
        how: the kind of pooling.

    Returns:
        Items sorted by neuron id; poses of a neuron keep their order.

    Raises:
        ValueError: lengths differ, or ``how`` is unknown.
    """
    if len(vectors) != len(groups):
        raise ValueError(f"{len(vectors)} vectors, {len(groups)} groups")
    ids = np.asarray(groups, dtype=np.str_) if len(groups) else np.empty(0, dtype="<U1")
    order = np.argsort(ids, kind="stable")
    ordered = vectors[order]
    if how == "none":
        return Poses([str(name) for name in ids[order]], ordered, np.arange(len(ordered), dtype=np.int64))
    names, item = np.unique(ids[order], return_inverse=True)
    item = item.astype(np.int64)
    if how == "max":
        return Poses([str(name) for name in names], ordered, item)
    if how == "mean":
        mean = unit(group_sum(ordered.astype(np.float64), item, len(names)))
        return Poses([str(name) for name in names], mean, np.arange(len(names), dtype=np.int64))
    raise ValueError(f"pooling {how!r}: mean, max or none")


def group_sum(values: npt.NDArray[np.float64], item: npt.NDArray[np.int64], n_items: int) -> npt.NDArray[np.float64]:
    """Sum of the rows of each item, ``(n_items, d)``."""
    total = np.zeros((n_items, values.shape[1]), dtype=np.float64)
    np.add.at(total, item, values)
    return total


def unit(vectors: npt.NDArray[np.floating]) -> FloatArray:
    """Rows scaled to length 1 as float32; a row of zeros stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0), dtype=np.float32)
