"""The rasterizer of rounded cones seen by an eye at a finite distance (numba).

The formula of :mod:`axonet.rendering.raster`, along the line of sight of each sample. Lengths are in samples at the
depth of the camera's center; the eye is the origin, x to the right, y down the rows, z away from the viewer.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from axonet.rendering.camera import Array
from axonet.rendering.kernel import kernel
from axonet.rendering.raster import (
    MIN_RADIUS,
    MIN_ROOT_RADIUS,
    first_sample,
    front_of_cone,
    is_root,
    last_sample,
    pack,
    row_span,
    to_samples,
)


@kernel
def edges(x: float, z: float, radius: float) -> tuple[float, float]:
    """Tangents against the z axis of the two planes through the eye that touch a sphere, along one image axis.

    Args:
        x: position of the sphere along the image axis.
        z: its depth, more than its radius.
        radius: its radius.
    """
    reach = radius * math.sqrt(x * x + z * z - radius * radius)
    scale = 1.0 / (z * z - radius * radius)
    return (x * z - reach) * scale, (x * z + reach) * scale


@kernel
def depth_along(cone: Array, vx: float, vy: float, vz: float) -> float:
    """Distance from the eye to the first point of a cone (body and second sphere) along a unit vector, or infinity."""
    x0, y0, z0, r0, x1, y1, z1, r1 = cone[0], cone[1], cone[2], cone[3], cone[4], cone[5], cone[6], cone[7]
    dr = r1 - r0
    t0, t1 = x0 * vx + y0 * vy + z0 * vz, x1 * vx + y1 * vy + z1 * vz
    # The ends as seen from the line of sight: what of them is at right angles to it.
    px, py, pz = x0 - t0 * vx, y0 - t0 * vy, z0 - t0 * vz
    qx, qy, qz = x1 - t1 * vx, y1 - t1 * vy, z1 - t1 * vz
    dx, dy, dz, dd = qx - px, qy - py, qz - pz, t1 - t0
    length = math.sqrt(dx * dx + dy * dy + dz * dz)
    slant = length * length - dr * dr
    spread = slant + dd * dd
    depth = math.inf
    if spread > 0.0:
        ux, uy, uz = (dx / length, dy / length, dz / length) if length > 0.0 else (0.0, 0.0, 0.0)
        along = -(px * ux + py * uy + pz * uz)
        hx, hy, hz = px + along * ux, py + along * uy, pz + along * uz
        tilted = r0 * length + along * dr
        d = tilted * tilted - (hx * hx + hy * hy + hz * hz) * slant
        if d >= 0.0:
            b, c = r0 * dr + along * length, r0 * r0 - px * px - py * py - pz * pz
            depth = front_of_cone(-slant, b, c, t0, dd, 1.0 / spread, d)
    if depth == math.inf:
        inside = r1 * r1 - qx * qx - qy * qy - qz * qz
        if inside >= 0.0:
            depth = t1 - math.sqrt(inside)
    return depth


@kernel
def draw_cone_in_perspective(
    cone: Array,
    focus: float,
    label: int,
    near: float,
    levels_per_sample: float,
    buffer: NDArray[np.uint32],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
) -> None:
    """Draw the body from the first sphere to the second, and the second sphere.

    Args:
        cone: ``(8,)`` samples from the eye: x, y, z, radius of start and end; both lie before the eye (z > radius).
        focus: distance of the eye from the depth of the camera's center.
        label: mask class.
        near: depth of level 0, from the camera's center.
        levels_per_sample: depth levels per sample length.
        buffer: ``(rows, columns)``, drawn to.
        first: ``(rows,)``, updated.
        last: ``(rows,)``, updated.
    """
    n_rows, n_columns = buffer.shape
    middle_x, middle_y = 0.5 * n_columns, 0.5 * n_rows
    x0, y0, x1, y1 = cone[0] / cone[2], cone[1] / cone[2], cone[4] / cone[6], cone[5] / cone[6]
    left0, right0 = edges(cone[0], cone[2], cone[3])
    top0, bottom0 = edges(cone[1], cone[2], cone[3])
    left1, right1 = edges(cone[4], cone[6], cone[7])
    top1, bottom1 = edges(cone[5], cone[6], cone[7])
    # A rectangle along the image of the axis, as wide as the wider end's box seen from its center.
    reach0 = math.hypot(max(right0 - x0, x0 - left0), max(bottom0 - y0, y0 - top0))
    reach1 = math.hypot(max(right1 - x1, x1 - left1), max(bottom1 - y1, y1 - top1))
    widest = max(reach0, reach1)
    length = math.hypot(x1 - x0, y1 - y0)
    ux, uy = ((x1 - x0) / length, (y1 - y0) / length) if length > 0.0 else (1.0, 0.0)
    left, right = min(left0, left1), max(right0, right1)
    top, bottom = middle_y + focus * min(top0, top1), middle_y + focus * max(bottom0, bottom1)
    for i in range(first_sample(top, n_rows), last_sample(bottom, n_rows) + 1):
        y = i + 0.5 - middle_y
        low, high = row_span(y / focus - y0, ux, uy, widest, -widest, length + widest)
        low, high = middle_x + focus * max(left, x0 + low), middle_x + focus * min(right, x0 + high)
        for j in range(first_sample(low, n_columns), last_sample(high, n_columns) + 1):
            x = j + 0.5 - middle_x
            scale = 1.0 / math.sqrt(x * x + y * y + focus * focus)
            distance = depth_along(cone, x * scale, y * scale, focus * scale)
            if distance == math.inf:
                continue
            value = pack(distance * focus * scale - focus, near, levels_per_sample, label)
            if value < buffer[i, j]:
                buffer[i, j] = value
                first[i] = min(first[i], j)
                last[i] = max(last[i], j)


@kernel
def draw_cones_in_perspective(
    ends: Array,
    labels: NDArray[np.uint8],
    basis: Array,
    center: Array,
    samples_per_um: float,
    focus: float,
    near: float,
    levels_per_sample: float,
    buffer: NDArray[np.uint32],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
) -> None:
    """Draw rounded cones in a perspective view; arguments as :func:`axonet.rendering.raster.draw_cones`.

    ``focus`` is the distance of the eye before the center, in samples. Every sphere must lie before the eye.
    """
    cone = np.empty(8)
    for k in range(ends.shape[0]):
        thinnest = MIN_ROOT_RADIUS if is_root(ends[k]) else MIN_RADIUS
        for side in range(0, 8, 4):
            to_samples(ends[k, side:], basis, center, samples_per_um, cone[side:])
            cone[side + 2] += focus
            # A radius of one sample where this end is.
            one_sample = cone[side + 2] / focus
            cone[side + 3] = max(ends[k, side + 3] * samples_per_um, thinnest * one_sample)
        draw_cone_in_perspective(cone, focus, labels[k], near, levels_per_sample, buffer, first, last)
