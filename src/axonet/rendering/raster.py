"""Exact rasterizer of rounded cones into a packed depth buffer (numba).

Lengths are in samples (supersampled pixels): x to the right, y down the rows, z away from the viewer; the center of
sample (i, j) is (j + 0.5, i + 0.5). A depth buffer value is ``depth level << 8 | mask class``, so the smaller of two
values is the nearer one and, at equal depth, that of the lower class: the order of drawing does not matter.

**The surface.** A rounded cone is made of the spheres with centers c0 + s (c1 - c0) and radii r0 + s dr, 0 <= s <= 1.
Sphere s lies at depth z0 + s dd, and beside the line of sight through a sample by w(s). So the sample sees its front at
z0 + s dd - sqrt(f(s)), f(s) = (r0 + s dr)^2 - w(s)^2 = A s^2 + 2 B s + C, and the front of the cone is the smallest of
these. Setting the derivative to 0 gives A s + B = dd q with q = sqrt(f), and with q^2 (dd^2 - A) = B^2 - A C = D:

    q = sqrt(D / (dd^2 - A)),   s = (dd q - B) / A,   front = z0 + s dd - q.

If s falls outside 0..1, the front is that of an end sphere. All of it holds for a line of sight in any direction, with
z measured along it: perspective is the same formula with numbers that differ from sample to sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axonet.rendering.camera import Array
from axonet.rendering.kernel import kernel

EMPTY = 0xFFFFFFFF
"""Value of a sample that nothing covers."""

N_LEVELS = 2**24 - 1
"""Depth levels between near and far; the next one is that of ``EMPTY``."""

MIN_RADIUS = 0.500001
"""Thinnest cable in samples. A line of this radius covers the sample nearest to every crossing with a grid line through
sample centers, so a connected tree covers samples that touch each other, by a side or a corner."""

MIN_ROOT_RADIUS = 0.707108
"""Smallest root in samples: half the diagonal, so that even a tree inside one sample covers one."""


@dataclass(frozen=True, eq=False)
class Canvas:
    """A depth buffer that is reused from view to view.

    Attributes:
        buffer: ``(rows, columns)`` uint32 packed samples.
        first: ``(rows,)`` leftmost column that was drawn to, or the number of columns.
        last: ``(rows,)`` rightmost column that was drawn to, or -1.
    """

    buffer: NDArray[np.uint32]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @classmethod
    def blank(cls, n_rows: int, n_columns: int) -> Canvas:
        """A canvas with nothing on it."""
        return cls(
            np.full((n_rows, n_columns), EMPTY, dtype=np.uint32),
            np.full(n_rows, n_columns, dtype=np.int64),
            np.full(n_rows, -1, dtype=np.int64),
        )


@kernel
def front_of_cone(a: float, b: float, c: float, z0: float, dd: float, inverse_spread: float, d: float) -> float:
    """Depth of the lateral body at a sample; infinity where the line of sight misses it. Symbols as above."""
    q = math.sqrt(d * inverse_spread)
    t = dd * q
    # (t - b) / a loses digits when t and b nearly agree (always so near end-on, where a is small); as a product with
    # the conjugate t + b the difference is (q^2 - c) / (t + b).
    s = (q * q - c) / (t + b) if t * b > 0.0 else (t - b) / a
    return z0 + s * dd - q if 0.0 <= s <= 1.0 else math.inf


@kernel
def pack(depth: float, near: float, levels_per_sample: float, label: int) -> int:
    """Depth buffer value of a depth; what lies outside near..far counts as lying on it."""
    level = min(max((depth - near) * levels_per_sample, 0.0), N_LEVELS - 1.0)
    return (int(level) << 8) | label


@kernel
def first_sample(low: float, n_samples: int) -> int:
    """Index of the first sample whose center is not below a coordinate."""
    return int(min(max(math.ceil(low - 0.5), 0.0), float(n_samples)))


@kernel
def last_sample(high: float, n_samples: int) -> int:
    """Index of the last sample whose center is not above a coordinate; -1 for none."""
    return int(max(min(math.floor(high - 0.5), n_samples - 1.0), -1.0))


@kernel
def row_span(
    py: float, ux: float, uy: float, widest: float, along_low: float, along_high: float
) -> tuple[float, float]:
    """Where a row crosses the rectangle ``|across| <= widest``, ``along_low <= along <= along_high``.

    Args:
        py: of the row, relative to the start of the axis.
        ux: direction of the axis, a unit vector in the image.
        uy: the same, down the rows.
        widest: half the width of the rectangle.
        along_low: where it begins on the axis.
        along_high: where it ends.

    Returns:
        Low and high x relative to the start of the axis; low > high where the row misses it.
    """
    low, high = -math.inf, math.inf
    if abs(uy) > 1e-6:
        middle, half = py * ux / uy, widest / abs(uy)
        low, high = middle - half, middle + half
    if abs(ux) > 1e-6:
        p, q = (along_low - py * uy) / ux, (along_high - py * uy) / ux
        low, high = max(low, min(p, q)), min(high, max(p, q))
    return low, high


@kernel
def draw_cone(
    cone: Array,
    label: int,
    near: float,
    levels_per_sample: float,
    buffer: NDArray[np.uint32],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
) -> None:
    """Draw the body from the first sphere to the second, and the second sphere, seen along z.

    Args:
        cone: ``(8,)`` samples: x, y, z, radius of start and end.
        label: mask class.
        near: depth of level 0.
        levels_per_sample: depth levels per sample length.
        buffer: ``(rows, columns)``, drawn to.
        first: ``(rows,)``, updated.
        last: ``(rows,)``, updated.
    """
    n_rows, n_columns = buffer.shape
    x0, y0, z0, r0, x1, y1, z1, r1 = cone[0], cone[1], cone[2], cone[3], cone[4], cone[5], cone[6], cone[7]
    dx, dy, dd, dr = x1 - x0, y1 - y0, z1 - z0, r1 - r0
    length = math.sqrt(dx * dx + dy * dy)
    slant = length * length - dr * dr  # -A
    spread = slant + dd * dd  # dd^2 - A; not positive when one sphere holds the other: then there is no body
    inverse_spread = 1.0 / spread
    ux, uy = (dx / length, dy / length) if length > 0.0 else (1.0, 0.0)
    top, bottom, left, right = y1 - r1, y1 + r1, x1 - r1, x1 + r1
    nearest = z1 - r1
    if spread > 0.0:
        nearest = min(nearest, z0 - r0)
        top, bottom, left, right = min(top, y0 - r0), max(bottom, y0 + r0), min(left, x0 - r0), max(right, x0 + r0)
    widest, along_low, along_high = max(r0, r1), min(-r0, length - r1), max(r0, length + r1)
    nearest_value = pack(nearest, near, levels_per_sample, 0)
    for i in range(first_sample(top, n_rows), last_sample(bottom, n_rows) + 1):
        py = i + 0.5 - y0
        low, high = row_span(py, ux, uy, widest, along_low, along_high)
        for j in range(first_sample(max(left, x0 + low), n_columns), last_sample(min(right, x0 + high), n_columns) + 1):
            if buffer[i, j] < nearest_value:  # hidden, wherever the cone's front is
                continue
            px = j + 0.5 - x0
            depth = math.inf
            if spread > 0.0:
                along, across = px * ux + py * uy, py * ux - px * uy
                tilted = r0 * length + along * dr
                d = tilted * tilted - across * across * slant  # without the large terms that cancel in B^2 - A C
                if d >= 0.0:
                    b = r0 * dr + along * length
                    depth = front_of_cone(-slant, b, r0 * r0 - px * px - py * py, z0, dd, inverse_spread, d)
            if depth == math.inf:
                qx, qy = j + 0.5 - x1, i + 0.5 - y1
                inside = r1 * r1 - qx * qx - qy * qy
                if inside < 0.0:
                    continue
                depth = z1 - math.sqrt(inside)
            value = pack(depth, near, levels_per_sample, label)
            if value < buffer[i, j]:
                buffer[i, j] = value
                first[i] = min(first[i], j)
                last[i] = max(last[i], j)


@kernel
def to_samples(end: Array, basis: Array, center: Array, samples_per_um: float, point: Array) -> None:
    """Write a world point in um as right, down and forward of the center, in samples."""
    x = (end[0] - center[0]) * samples_per_um
    y = (end[1] - center[1]) * samples_per_um
    z = (end[2] - center[2]) * samples_per_um
    point[0] = x * basis[0, 0] + y * basis[0, 1] + z * basis[0, 2]
    point[1] = -(x * basis[1, 0] + y * basis[1, 1] + z * basis[1, 2])
    point[2] = x * basis[2, 0] + y * basis[2, 1] + z * basis[2, 2]


@kernel
def is_root(end: Array) -> bool:
    """Whether a row of ends has length zero."""
    return bool(end[0] == end[4] and end[1] == end[5] and end[2] == end[6])


@kernel
def place_cone(
    ends: Array,
    basis: Array,
    center: Array,
    samples_per_um: float,
    middle_x: float,
    middle_y: float,
    cone: Array,
) -> None:
    """Write a row of ends in um as a cone in samples of an orthographic image, not thinner than can be seen.

    Args:
        ends: ``(8,)`` um: x, y, z, radius of start and end; start = end is a root.
        basis: ``(3, 3)`` rows right, up, forward.
        center: ``(3,)`` um, in the middle of the image.
        samples_per_um: scale.
        middle_x: column of the center.
        middle_y: row of the center.
        cone: ``(8,)``, written, as :func:`draw_cone` takes it.
    """
    thinnest = MIN_ROOT_RADIUS if is_root(ends) else MIN_RADIUS
    for side in range(0, 8, 4):
        to_samples(ends[side:], basis, center, samples_per_um, cone[side:])
        cone[side] += middle_x
        cone[side + 1] += middle_y
        cone[side + 3] = max(ends[side + 3] * samples_per_um, thinnest)


@kernel
def draw_cones(
    ends: Array,
    labels: NDArray[np.uint8],
    basis: Array,
    center: Array,
    samples_per_um: float,
    near: float,
    levels_per_sample: float,
    buffer: NDArray[np.uint32],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
) -> None:
    """Draw rounded cones in an orthographic view.

    Args:
        ends: ``(n, 8)`` um: x, y, z, radius of start and end; start = end is a root, a sphere.
        labels: ``(n,)`` mask classes.
        basis: ``(3, 3)`` rows right, up, forward.
        center: ``(3,)`` um, in the middle of the buffer, depth 0.
        samples_per_um: scale.
        near: depth of level 0 in samples.
        levels_per_sample: depth levels per sample length.
        buffer: ``(rows, columns)``, drawn to.
        first: ``(rows,)``, updated.
        last: ``(rows,)``, updated.
    """
    middle_x, middle_y = 0.5 * buffer.shape[1], 0.5 * buffer.shape[0]
    cone = np.empty(8)
    for k in range(ends.shape[0]):
        place_cone(ends[k], basis, center, samples_per_um, middle_x, middle_y, cone)
        draw_cone(cone, labels[k], near, levels_per_sample, buffer, first, last)
