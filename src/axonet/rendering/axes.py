"""Principal axes of a neuron with signs that do not depend on chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from axonet.rendering.camera import Array

FLAT = 1e-7
"""Standard deviations below this fraction of the largest are rounding (of variances, to 16 digits), not shape."""


SYMMETRIC = 1e-9
"""A moment below this, of a cloud of size 1, is rounding: the cloud has no longer side."""


def principal_axes(points: Array, weights: Array | None = None, marks: Array | None = None) -> Array:
    """Principal axes of a weighted point cloud, widest first.

    The signs of PC1 and PC2 are those for which the cloud's longer tail (third moment) lies on the positive side, so
    they turn with the cloud; PC3 completes a right-handed frame. Along an axis where the cloud is symmetric, its
    points count without weights, and then the side with the larger marks is positive. Only what is symmetric in all of
    this, or has no width, goes by the world axes.

    Args:
        points: ``(n, 3)`` um, n >= 1.
        weights: ``(n,)`` at least 0; equal by default, and where they are all 0.
        marks: ``(k, n)`` properties of the points that tell the two sides of a symmetric cloud apart, the first first.

    Returns:
        ``(3, 3)`` right-handed rotation; row ``k`` is the unit vector of PC ``k + 1``.
    """
    if weights is None or not weights.sum() > 0:
        weights = np.ones(len(points))
    weights = weights / weights.sum()
    # Rows of coordinates, and sums instead of matrix products, whose rounding may depend on the number of threads.
    centered = np.ascontiguousarray(points.T)  # (3, n)
    centered -= (centered * weights).sum(axis=1, keepdims=True)
    size = np.abs(centered).max()
    if not size > 0:
        return np.eye(3)
    centered /= size
    axes = _wide_axes(centered, weights)
    if len(axes) < 3:  # what has no weight is seen too: it turns the picture where the rest leaves that open
        beside = centered - sum((axis[:, None] * (axis[:, None] * centered).sum(axis=0) for axis in axes), start=0.0)
        axes = np.concatenate([axes, _wide_axes(beside, np.ones(len(points)) / len(points))])[:3]
    axes = complete(axes)
    for axis in axes[:2]:
        along = axis[0] * centered[0] + axis[1] * centered[1] + axis[2] * centered[2]
        axis *= _sign([float((weights * along**3).sum()), float((along**3).mean()), *_slopes(marks, along)], axis)
    axes[2] = np.cross(axes[0], axes[1])
    return axes


def _wide_axes(centered: Array, weights: Array) -> Array:
    """``(k, 3)`` principal axes along which ``(3, n)`` points about the origin, no farther than 1, have a width."""
    weighted = centered * weights
    covariance = np.array([[(weighted[i] * centered[j]).sum() for j in range(3)] for i in range(3)])
    variances, vectors = np.linalg.eigh(covariance)
    widths = np.sqrt(np.maximum(variances, 0.0))
    is_wide = (widths > FLAT * widths[-1]) & (widths > FLAT)
    return np.asarray(vectors.T[is_wide][::-1])


def complete(axes: Array) -> Array:
    """Extend orthonormal rows to a basis; each new row is as close as possible to a world axis.

    Args:
        axes: ``(k, 3)`` orthonormal rows, k from 0 to 3.

    Returns:
        ``(3, 3)`` orthonormal rows.
    """
    rows = [np.array(row) for row in axes]
    while len(rows) < 3:
        taken = sum((row**2 for row in rows), start=np.zeros(3))
        new = np.zeros(3)
        new[int(np.argmin(np.round(taken, 9)))] = 1.0
        for row in rows:
            new = new - (new * row).sum() * row
        rows.append(new / np.sqrt((new**2).sum()))
    return np.stack(rows)


def _slopes(marks: Array | None, along: Array) -> Iterator[float]:
    """How each mark grows along an axis: its covariance with the place, for marks of size 1."""
    for mark in () if marks is None else marks:
        different = mark - mark.mean()
        largest = np.abs(mark).max()
        yield float((different * along).mean() / largest) if largest > 0 else 0.0


def _sign(sides: Iterable[float], axis: Array) -> float:
    """+1 or -1: the sign of the first side that is not 0; if all are, of the largest component."""
    for side in sides:
        if abs(side) > SYMMETRIC:
            return float(np.sign(side))
    return float(np.sign(axis[int(np.argmax(np.round(np.abs(axis), 9)))]))
