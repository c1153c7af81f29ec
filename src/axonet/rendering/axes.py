"""Principal axes of a neuron with signs that do not depend on chance."""

from __future__ import annotations

import numpy as np

from axonet.rendering.camera import Array

FLAT = 1e-9
"""Standard deviations below this fraction of the largest are rounding, not shape."""


def principal_axes(points: Array, weights: Array | None = None) -> Array:
    """Principal axes of a weighted point cloud, widest first.

    The signs of PC1 and PC2 are those for which the cloud's longer tail (third moment) lies on the positive side, so
    they turn with the cloud; PC3 completes a right-handed frame. Axes along which the cloud has no width are completed
    from the world axes.

    Args:
        points: ``(n, 3)`` um, n >= 1.
        weights: ``(n,)`` at least 0; equal by default, and where they are all 0.

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
    weighted = centered * weights
    covariance = np.array([[(weighted[i] * centered[j]).sum() for j in range(3)] for i in range(3)])
    variances, vectors = np.linalg.eigh(covariance)
    n_axes = int((np.sqrt(np.maximum(variances, 0.0)) > FLAT * np.sqrt(variances[-1])).sum())
    axes = complete(vectors.T[::-1][:n_axes])
    for axis in axes[:2]:
        along = axis[0] * centered[0] + axis[1] * centered[1] + axis[2] * centered[2]
        axis *= _sign(float((weights * along**3).sum()), axis)
    axes[2] = np.cross(axes[0], axes[1])
    return axes


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


def _sign(tail: float, axis: Array) -> float:
    """+1 or -1: the side of the longer tail; of a symmetric cloud, that which makes the largest component positive."""
    if abs(tail) > 1e-9:
        return float(np.sign(tail))
    return float(np.sign(axis[int(np.argmax(np.round(np.abs(axis), 9)))]))
