"""What the GL backend sends and receives (numba): rounded cones as instances, pooled pixels as values.

Single precision has 24 bits: a place on an image of 2048 samples is then off by 1e-4, too much for cable half a sample
wide. So the place of a cone is sent as a whole number of samples and a fraction, everything else relative to it, and a
shader's difference between a sample and a cone is as exact as double precision would be.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from axonet.rendering.camera import Array
from axonet.rendering.kernel import kernel
from axonet.rendering.perspective import edges
from axonet.rendering.raster import EMPTY, MIN_RADIUS, MIN_ROOT_RADIUS, is_root, to_samples

INSTANCE_SIZE = 16
"""Floats of an instance: whole column and row of the start's image, and their fractions; axis x, y, z and the start's
depth from near; radius of start and end, mask class, half the width of its rectangle; direction of the rectangle (a
unit vector in the image), where it begins and ends along it."""

PADDING = 1.0 / 32.0
"""Samples around a rectangle: hardware places corners on a grid of 1/256 of a sample."""


@kernel
def rectangle(cone: Array, focus: float, widening: float, box: Array) -> None:
    """A rectangle around the image of a rounded cone.

    Args:
        cone: ``(8,)`` samples: right, down, forward of the center, radius of start and end.
        focus: distance of the eye from the center in samples; not used when ``widening`` is 0.
        widening: 1 / focus; 0 in an orthographic view.
        box: ``(8,)``, written: column and row of the start's image from the middle of the image, direction of the axis
            (two numbers), begin and end along it, half the width, length of the image of the axis.
    """
    reach = np.empty(2)
    place = np.empty(4)
    for side in range(2):
        x, y, z, radius = cone[4 * side], cone[4 * side + 1], cone[4 * side + 2], cone[4 * side + 3]
        place[2 * side], place[2 * side + 1], reach[side] = x, y, radius
        if widening > 0.0:
            z += focus
            left, right = edges(x, z, radius)
            top, bottom = edges(y, z, radius)
            across = max(right - x / z, x / z - left)
            down = max(bottom - y / z, y / z - top)
            place[2 * side], place[2 * side + 1] = focus * x / z, focus * y / z
            reach[side] = focus * math.sqrt(across * across + down * down)
    dx, dy = place[2] - place[0], place[3] - place[1]
    length = math.sqrt(dx * dx + dy * dy)
    box[0], box[1] = place[0], place[1]
    box[2], box[3] = (dx / length, dy / length) if length > 0.0 else (1.0, 0.0)
    box[4], box[5] = min(-reach[0], length - reach[1]) - PADDING, max(reach[0], length + reach[1]) + PADDING
    box[6], box[7] = max(reach[0], reach[1]) + PADDING, length


@kernel
def fill_instances(
    ends: Array,
    labels: NDArray[np.uint8],
    basis: Array,
    center: Array,
    samples_per_um: float,
    focus: float,
    near: float,
    n_rows: int,
    n_columns: int,
    instances: NDArray[np.float32],
) -> tuple[int, int, int, int, int]:
    """Write the instances of the cones that may be in the image.

    Args:
        ends: ``(n, 8)`` um: x, y, z, radius of start and end; start = end is a root, a sphere.
        labels: ``(n,)`` mask classes.
        basis: ``(3, 3)`` rows right, up, forward.
        center: ``(3,)`` um, in the middle of the image, depth 0.
        samples_per_um: scale.
        focus: distance of the eye before the center in samples; infinite in an orthographic view.
        near: depth that depths are measured from, in samples.
        n_rows: image height in samples.
        n_columns: image width in samples.
        instances: ``(n, INSTANCE_SIZE)``, written from the start.

    Returns:
        How many were written; the rectangle of samples that holds them all: first column, first row, end column, end
        row.
    """
    widening = 1.0 / focus
    cone, box = np.empty(8), np.empty(8)
    n, low_x, low_y, high_x, high_y = 0, float(n_columns), float(n_rows), 0.0, 0.0
    for k in range(ends.shape[0]):
        thinnest = MIN_ROOT_RADIUS if is_root(ends[k]) else MIN_RADIUS
        for side in range(0, 8, 4):
            to_samples(ends[k, side:], basis, center, samples_per_um, cone[side:])
        for side in range(0, 8, 4):
            one_sample = 1.0 + cone[side + 2] * widening
            cone[side + 3] = max(ends[k, side + 3] * samples_per_um, thinnest * one_sample)
        rectangle(cone, focus, widening, box)
        x, y = 0.5 * n_columns + box[0], 0.5 * n_rows + box[1]
        half_x = abs(box[3]) * box[6]
        half_y = abs(box[2]) * box[6]
        left = x + min(box[2] * box[4], box[2] * box[5]) - half_x
        right = x + max(box[2] * box[4], box[2] * box[5]) + half_x
        top = y + min(box[3] * box[4], box[3] * box[5]) - half_y
        bottom = y + max(box[3] * box[4], box[3] * box[5]) + half_y
        if right < 0.0 or left > n_columns or bottom < 0.0 or top > n_rows:
            continue
        low_x, high_x = min(low_x, left), max(high_x, right)
        low_y, high_y = min(low_y, top), max(high_y, bottom)
        instance = instances[n]
        instance[0], instance[1] = math.floor(x), math.floor(y)
        instance[2], instance[3] = x - math.floor(x), y - math.floor(y)
        for axis in range(3):
            instance[4 + axis] = cone[4 + axis] - cone[axis]
        instance[7] = cone[2] - near
        instance[8], instance[9], instance[10], instance[11] = cone[3], cone[7], labels[k], box[6]
        instance[12], instance[13], instance[14], instance[15] = box[2], box[3], box[4], box[5]
        n += 1
    if n == 0:
        return 0, 0, 0, 0, 0
    first_x, first_y = max(math.floor(low_x), 0), max(math.floor(low_y), 0)
    end_x, end_y = min(math.ceil(high_x), n_columns), min(math.ceil(high_y), n_rows)
    return n, first_x, first_y, end_x, end_y


@kernel
def unpack(
    pixels: NDArray[np.uint32],
    row: int,
    column: int,
    near_um: float,
    um_per_level: float,
    mask: NDArray[np.uint8],
    depth_um: NDArray[np.float32],
) -> None:
    """Write pooled pixels into an image.

    Args:
        pixels: ``(rows, columns)`` mean depth level << 8 | mask class, or ``EMPTY``.
        row: of the first pixel in the image.
        column: of the first pixel in the image.
        near_um: depth of level 0.
        um_per_level: depth step between levels.
        mask: ``(height, width)`` of zeros, written.
        depth_um: ``(height, width)`` of NaN, written.
    """
    for i in range(pixels.shape[0]):
        for j in range(pixels.shape[1]):
            value = int(pixels[i, j])
            if value != EMPTY:
                mask[row + i, column + j] = value & 0xFF
                depth_um[row + i, column + j] = near_um + ((value >> 8) + 0.5) * um_per_level
