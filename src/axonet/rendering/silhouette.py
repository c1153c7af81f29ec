"""Silhouettes of rounded cones (numba): which pixels the rasterizer would find covered, without their depths.

The solid, the samples and the test of a sample are those of :mod:`axonet.rendering.raster`. As a pixel is foreground as
soon as one of its samples is covered, nothing behind or beside that sample in the same pixel need be looked at.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from axonet.rendering.camera import Array
from axonet.rendering.kernel import kernel
from axonet.rendering.raster import (
    first_sample,
    front_of_cone,
    last_sample,
    place_cone,
    row_span,
)


@kernel
def cover_pixels(
    ends: Array, basis: Array, center: Array, samples_per_um: float, factor: int, covered: NDArray[np.bool_]
) -> None:
    """Mark the pixels with a covered sample in an orthographic view.

    Args:
        ends: ``(n, 8)`` um: x, y, z, radius of start and end; start = end is a root, a sphere.
        basis: ``(3, 3)`` rows right, up, forward.
        center: ``(3,)`` um, in the middle of the image.
        samples_per_um: scale.
        factor: samples per pixel side.
        covered: ``(height, width)`` of false; written.
    """
    middle_x, middle_y = 0.5 * covered.shape[1] * factor, 0.5 * covered.shape[0] * factor
    cone = np.empty(8)
    n_open = np.full(covered.shape[0], covered.shape[1])  # pixels of each row that are not covered yet
    for k in range(ends.shape[0]):
        if k % 64 == 0 and n_open.max() == 0:  # a soma may fill the window
            return
        place_cone(ends[k], basis, center, samples_per_um, middle_x, middle_y, cone)
        cover_cone(cone, factor, covered, n_open)


@kernel
def cover_cone(cone: Array, factor: int, covered: NDArray[np.bool_], n_open: NDArray[np.int64]) -> None:
    """Mark the pixels that a cone covers; ``cone`` as in :func:`axonet.rendering.raster.draw_cone`."""
    n_rows, n_columns = covered.shape[0] * factor, covered.shape[1] * factor
    x0, y0, z0, r0, x1, y1, z1, r1 = cone[0], cone[1], cone[2], cone[3], cone[4], cone[5], cone[6], cone[7]
    dx, dy, dd, dr = x1 - x0, y1 - y0, z1 - z0, r1 - r0
    length = math.sqrt(dx * dx + dy * dy)
    slant = length * length - dr * dr
    spread = slant + dd * dd
    inverse_spread = 1.0 / spread
    ux, uy = (dx / length, dy / length) if length > 0.0 else (1.0, 0.0)
    top, bottom, left, right = y1 - r1, y1 + r1, x1 - r1, x1 + r1
    if spread > 0.0:
        top, bottom, left, right = min(top, y0 - r0), max(bottom, y0 + r0), min(left, x0 - r0), max(right, x0 + r0)
    widest, along_low, along_high = max(r0, r1), min(-r0, length - r1), max(r0, length + r1)
    if left > n_columns or right < 0.0:
        return
    for i in range(first_sample(top, n_rows), last_sample(bottom, n_rows) + 1):
        if n_open[i // factor] == 0:
            continue
        py, qy = i + 0.5 - y0, i + 0.5 - y1
        low, high = row_span(py, ux, uy, widest, along_low, along_high)
        j = first_sample(max(left, x0 + low), n_columns)
        end = last_sample(min(right, x0 + high), n_columns)
        row = covered[i // factor]
        while j <= end:
            column = j // factor
            if row[column]:
                j = (column + 1) * factor
                continue
            px, qx = j + 0.5 - x0, j + 0.5 - x1
            is_hit = r1 * r1 - qx * qx - qy * qy >= 0.0
            if not is_hit and spread > 0.0:
                along, across = px * ux + py * uy, py * ux - px * uy
                tilted = r0 * length + along * dr
                d = tilted * tilted - across * across * slant
                if d >= 0.0:
                    b = r0 * dr + along * length
                    c = r0 * r0 - px * px - py * py
                    is_hit = front_of_cone(-slant, b, c, z0, dd, inverse_spread, d) < math.inf
            if is_hit:
                row[column] = True
                n_open[i // factor] -= 1
            j += 1
