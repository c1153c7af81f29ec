"""Rooted forests as parent arrays: depths, orders and sums without recursion and without quadratic time."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Number = TypeVar("Number", np.float64, np.int64)


def sum_from_root(parent: IntArray, value: NDArray[Number]) -> NDArray[Number]:
    """Sum of ``value`` over each node and all its ancestors.

    Pointer doubling: after step k every node knows the sum over 2^k generations, so a chain of n nodes takes
    log2(n) array operations.

    Args:
        parent: ``(n,)`` row of each node's parent, -1 for a root; any order, no cycles.
        value: ``(n,)`` what to add up.

    Returns:
        ``(n,)`` sums, of the type of ``value``.
    """
    total = np.append(value, np.zeros(1, dtype=value.dtype))  # the last slot is "above the root": index -1 means it
    above = np.append(parent, -1)
    while (above >= 0).any():
        total = total + total[above]
        above = above[above]
    return total[:-1]


def depths(parent: IntArray) -> IntArray:
    """Generations from each node up to its root.

    Args:
        parent: ``(n,)`` row of each node's parent, -1 for a root; any order, cycles allowed.

    Returns:
        ``(n,)`` int64; 0 for a root, -1 for a node that reaches no root (it is in a cycle or hangs off one).
    """
    n = len(parent)
    depth = (parent >= 0).astype(np.int64)
    above = parent.copy()
    for _ in range(max(n, 1).bit_length() + 1):
        climbing = above >= 0
        if not climbing.any():
            break
        depth = depth + np.where(climbing, depth[above], 0)
        above = np.where(climbing, above[above], -1)
    depth[above >= 0] = -1
    return depth


def nearest_kept(parent: IntArray, keep: NDArray[np.bool_]) -> IntArray:
    """For each node the nearest ancestor that is kept, -1 if there is none.

    Args:
        parent: ``(n,)`` row of each node's parent, -1 for a root; no cycles.
        keep: ``(n,)`` which nodes stay.
    """
    resolved = np.append(keep, True)  # the last slot is "no ancestor"; index -1 means it
    above = np.append(parent, -1)
    while not resolved[above].all():
        above = np.where(resolved[above], above, above[above])
    return above[:-1]


def drop_nodes(parent: IntArray, keep: NDArray[np.bool_]) -> IntArray:
    """Parents of the kept nodes, renumbered, after orphans moved to the nearest kept ancestor.

    Args:
        parent: ``(n,)`` row of each node's parent, -1 for a root; cycles only among dropped nodes that no kept one
            hangs off.
        keep: ``(n,)`` which nodes stay.
    """
    above = parent if not np.append(~keep, False)[parent[keep]].any() else nearest_kept(parent, keep)
    new_row = np.append(np.cumsum(keep) - 1, -1)
    renumbered: IntArray = new_row[above[keep]]
    return renumbered


def parents_first(parent: IntArray) -> IntArray:
    """Order of rows in which every parent comes before its children.

    Rows that already are in such an order stay as they are; others are sorted by generation, otherwise as given.

    Args:
        parent: ``(n,)`` row of each node's parent, -1 for a root; no cycles.

    Returns:
        ``(n,)`` rows: position ``i`` of the new order holds the old row ``order[i]``.
    """
    if (parent < np.arange(len(parent))).all():
        return np.arange(len(parent))
    return np.argsort(depths(parent), kind="stable")


def reroot(parent: IntArray, row: int) -> IntArray:
    """The same undirected forest with ``row`` as the root of its tree."""
    turned = parent.copy()
    child, node = -1, row
    while node >= 0:
        above = int(parent[node])
        turned[node] = child
        child, node = node, above
    return turned
