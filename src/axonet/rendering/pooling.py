"""From samples to pixels (numba): the class that most samples of a pixel have, and their mean depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.compartments import N_CLASSES
from axonet.rendering.kernel import kernel
from axonet.rendering.raster import EMPTY


@kernel
def majority(block: NDArray[np.uint32]) -> int:
    """Class of most covered samples; among equals, that of the nearest sample."""
    counts = np.zeros(N_CLASSES, dtype=np.int64)
    nearest = np.full(N_CLASSES, EMPTY, dtype=np.int64)
    for row in range(block.shape[0]):
        for column in range(block.shape[1]):
            value = int(block[row, column])
            if value != EMPTY:
                counts[value & 0xFF] += 1
                nearest[value & 0xFF] = min(nearest[value & 0xFF], value)
    best = 0
    for label in range(1, N_CLASSES):
        if counts[label] > counts[best] or (counts[label] == counts[best] and nearest[label] < nearest[best]):
            best = label
    return best


@kernel
def pool(
    buffer: NDArray[np.uint32],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    near_um: float,
    um_per_level: float,
    mask: NDArray[np.uint8],
    depth_um: NDArray[np.float32],
) -> None:
    """Turn the samples of a view into pixels and wipe the canvas for the next view.

    A pixel with any covered sample is foreground, so what is connected stays connected.

    Args:
        buffer: ``(rows, columns)`` packed samples; a whole multiple of the image size. Wiped.
        first: ``(rows,)`` leftmost column drawn to. Reset.
        last: ``(rows,)`` rightmost column drawn to. Reset.
        near_um: depth of level 0.
        um_per_level: depth step between levels.
        mask: ``(height, width)`` of zeros; classes are written where there is foreground.
        depth_um: ``(height, width)`` of NaN; mean depths are written where there is foreground.
    """
    height, width = mask.shape
    factor = buffer.shape[1] // width
    for i in range(height):
        rows = slice(i * factor, (i + 1) * factor)
        low, high = first[rows].min(), last[rows].max()
        for j in range(low // factor, high // factor + 1):
            total, n_covered, label, is_mixed = 0, 0, 0, False
            for row in range(i * factor, (i + 1) * factor):
                for column in range(j * factor, (j + 1) * factor):
                    value = int(buffer[row, column])
                    if value != EMPTY:
                        is_mixed |= n_covered > 0 and value & 0xFF != label
                        label = value & 0xFF
                        total += value >> 8
                        n_covered += 1
            if n_covered > 0:
                if is_mixed:
                    label = majority(buffer[rows, j * factor : (j + 1) * factor])
                mask[i, j] = label
                # A level stands for the interval of depths above it; its middle is the least wrong.
                depth_um[i, j] = near_um + (total / n_covered + 0.5) * um_per_level
        for row in range(i * factor, (i + 1) * factor):
            buffer[row, first[row] : last[row] + 1] = EMPTY
            first[row], last[row] = buffer.shape[1], -1
