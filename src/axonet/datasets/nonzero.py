"""The bytes of an image that are not 0 (numba): all that encoding a nearly empty image looks at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from axonet.rendering.kernel import kernel

Numbers = NDArray[np.int64]


class NonzeroBytes(NamedTuple):
    """An image as the lines of a PNG: each a byte 0 (no filter), then the bytes of a row.

    Attributes:
        values: ``(k,)`` uint8, the bytes that are not 0.
        places: ``(k,)`` where they are, ascending.
        n_lines: number of lines.
        n_columns: bytes of a row.
    """

    values: NDArray[np.uint8]
    places: Numbers
    n_lines: int
    n_columns: int


def nonzero_bytes(rows: NDArray[np.uint8]) -> NonzeroBytes:
    """Find the bytes of an image that are not 0.

    Args:
        rows: ``(h, n)`` bytes, C-contiguous.
    """
    flat = rows.reshape(-1)
    if flat.size % 8:
        flat = np.concatenate([flat, np.zeros(-flat.size % 8, np.uint8)])
    return NonzeroBytes(*find(flat, flat.view(np.uint64), rows.shape[1]), *rows.shape)


def packed(pixels: NonzeroBytes, n_bits: int, value: int = 0) -> NonzeroBytes:
    """The same image with several pixels in a byte, the leftmost in the highest bits.

    Args:
        pixels: an image of a byte a pixel.
        n_bits: of a pixel: 1, 2 or 4.
        value: what every pixel that is not 0 becomes; by default it keeps its own.
    """
    n_columns = (pixels.n_columns * n_bits + 7) // 8
    found = pack(pixels.values, pixels.places, pixels.n_columns, n_columns, n_bits, value)
    return NonzeroBytes(*found, pixels.n_lines, n_columns)


@kernel
def find(flat: NDArray[np.uint8], words: NDArray[np.uint64], n_columns: int) -> tuple[NDArray[np.uint8], Numbers]:
    """Values and places.

    Args:
        flat: ``(8 n,)`` rows one after the other.
        words: ``(n,)`` the same memory, eight bytes each: most are 0 and passed over at once.
        n_columns: bytes of a row.
    """
    n_words = 0
    for word in words:
        n_words += word != 0
    values, places = np.empty(8 * n_words, dtype=np.uint8), np.empty(8 * n_words, dtype=np.int64)
    n, row, row_end = 0, 0, n_columns
    for k in range(len(words)):
        if words[k] != 0:
            for place in range(8 * k, 8 * k + 8):
                if flat[place] != 0:
                    while place >= row_end:
                        row += 1
                        row_end += n_columns
                    values[n], places[n] = flat[place], place + row + 1
                    n += 1
    return values[:n], places[:n]


@kernel
def pack(
    values: NDArray[np.uint8], places: Numbers, n_pixels: int, n_columns: int, n_bits: int, value: int
) -> tuple[NDArray[np.uint8], Numbers]:
    """Values and places of packed pixels; ``n_pixels`` and ``n_columns`` are bytes of a row before and after."""
    packed_values, packed_places = np.empty(len(values), dtype=np.uint8), np.empty(len(values), dtype=np.int64)
    n, line, line_end = 0, 0, n_pixels + 1
    for k in range(len(values)):
        while places[k] >= line_end:
            line += 1
            line_end += n_pixels + 1
        first_bit = (places[k] - line * (n_pixels + 1) - 1) * n_bits
        place = line * (n_columns + 1) + 1 + first_bit // 8
        bits = (value if value > 0 else int(values[k])) << (8 - n_bits - first_bit % 8)
        if n > 0 and packed_places[n - 1] == place:
            packed_values[n - 1] |= bits
        else:
            packed_values[n], packed_places[n] = bits, place
            n += 1
    return packed_values[:n], packed_places[:n]
