"""How far cable spreads: covariance, principal axes and extents of line segments.

Every point of a segment counts, not only its ends: a tracing with more nodes has the same extents.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

CENTRAL_SHARE = 0.95  # of the cable, so that one stray branch does not set an extent


def principal_extents(start: FloatArray, end: FloatArray, length: FloatArray) -> FloatArray:
    """Extents of cable along its principal axes.

    Args:
        start: ``(m, 3)`` where segments begin, um.
        end: ``(m, 3)`` where they end, um.
        length: ``(m,)`` their lengths in um.

    Returns:
        ``(3,)`` um, along PC1, PC2, PC3: each the length of the interval that holds the central 95 % of the cable.
        NaN where coordinates are so large that their squares are not finite.
    """
    if not length.sum() > 0:
        return np.zeros(3)
    covariance = cable_covariance(start, end, length)
    if not np.isfinite(covariance).all():
        return np.full(3, np.nan)
    axes = np.linalg.eigh(covariance)[1][:, ::-1]  # (3, 3) columns, widest first
    along = zip((start @ axes).T, (end @ axes).T, strict=True)
    return np.array([central_extent(begin, stop, length) for begin, stop in along])


def cable_covariance(start: FloatArray, end: FloatArray, length: FloatArray) -> FloatArray:
    """Covariance of the points of line segments.

    Args:
        start: ``(m, 3)`` where segments begin, um.
        end: ``(m, 3)`` where they end, um.
        length: ``(m,)`` their lengths in um, not all 0.

    Returns:
        ``(3, 3)`` um2.
    """
    weight = length / length.sum()
    middle, half = (start + end) / 2, (end - start) / 2
    middle = middle - weight @ middle
    # The points of a segment spread by half^2 / 3 around its middle.
    covariance: FloatArray = (weight * middle.T) @ middle + (weight * half.T) @ half / 3
    return covariance


def central_extent(start: FloatArray, end: FloatArray, length: FloatArray) -> float:
    """Length of the interval that leaves out 2.5 % of the cable on each side.

    Args:
        start: ``(m,)`` coordinate where segments begin, um.
        end: ``(m,)`` coordinate where they end, um.
        length: ``(m,)`` their lengths in um, not all 0; spread evenly between start and end.
    """
    left, right = np.minimum(start, end), np.maximum(start, end)
    origin, span = left.min(), right.max() - left.min()
    left, right = left - origin, right - origin
    # Segments that are nearly at one coordinate are put there: their density would drown the others in rounding.
    narrow = right - left <= 1e-6 * span
    left = np.where(narrow, right, left)
    density = np.where(narrow, 0.0, length / np.where(narrow, 1.0, right - left))
    order = np.argsort(np.concatenate([left, right]), kind="stable")
    place = np.concatenate([left, right])[order]
    # Cable up to a place = segments that ended + those under way, each density * (place - left).
    ended = np.cumsum(np.concatenate([np.zeros_like(length), length])[order])
    under_way = np.cumsum(np.concatenate([density, -density])[order])
    offset = np.cumsum(np.concatenate([density * left, -density * left])[order])
    cable_up_to = np.maximum.accumulate(ended + under_way * place - offset)
    outside = (1 - CENTRAL_SHARE) / 2
    low, high = np.interp(np.array([outside, 1 - outside]) * length.sum(), cable_up_to, place)
    return float(high - low)
