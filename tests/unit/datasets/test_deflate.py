"""The compressor against zlib, which reads what it writes and serves as the slow reference."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from axonet.datasets.deflate import compress
from axonet.datasets.nonzero import nonzero_bytes


def compress_rows(rows: np.ndarray) -> bytes:
    return compress(nonzero_bytes(np.ascontiguousarray(rows)))


def as_stream(rows: np.ndarray) -> bytes:
    """The bytes that are compressed: each row after a 0."""
    return np.pad(rows, ((0, 0), (1, 0))).tobytes()


def run_lengths_only(data: bytes) -> bytes:
    compressor = zlib.compressobj(1, zlib.DEFLATED, 15, 8, zlib.Z_RLE)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize("covered", [0.0, 0.003, 0.1, 0.6, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (31, 40), (64, 513)])
def test_zlib_reads_what_is_written(shape: tuple[int, int], covered: float) -> None:
    rng = np.random.default_rng(0)
    rows = (rng.integers(0, 256, shape) * (rng.random(shape) < covered)).astype(np.uint8)
    assert zlib.decompress(compress_rows(rows)) == as_stream(rows)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 257, 258, 259, 260, 261, 262, 516, 517, 519, 1000])
@pytest.mark.parametrize("value", [0, 9])
def test_runs_of_every_length_are_right(length: int, value: int) -> None:
    rows = np.concatenate([[5, 6], np.full(length, value), [7]])[None, :].astype(np.uint8)
    assert zlib.decompress(compress_rows(rows)) == as_stream(rows)


def test_codes_that_would_be_too_long_are_kept_within_bounds() -> None:
    # Counts that grow as Fibonacci numbers make the deepest tree: 22 bits here, where 15 are allowed.
    counts = [1, 1]
    while len(counts) < 23:
        counts.append(counts[-1] + counts[-2])
    rows = np.repeat(np.arange(1, 24, dtype=np.uint8), counts)
    np.random.default_rng(0).shuffle(rows)
    assert zlib.decompress(compress_rows(rows[None, :])) == as_stream(rows[None, :])


@pytest.mark.parametrize("width", [5, 300, 3000, 40_000])
def test_lines_that_go_on_from_the_line_above_are_right(width: int) -> None:
    """Bars that grow, move and split from row to row: every way for a copy to begin and to end; 40,000 is too far."""
    rng = np.random.default_rng(width)
    rows = np.zeros((40, width), np.uint8)
    for start, size, value in zip(*rng.integers(1, [[width], [9], [4]], (3, 60)), strict=True):
        for row in range(len(rows)):
            start, size = start + rng.integers(-1, 2), max(size + rng.choice([-1, 0, 0, 0, 1]), 1)
            rows[row, max(start, 0) : max(start + size, 0)] = value
    assert zlib.decompress(compress_rows(rows)) == as_stream(rows)


def drawn(n_values: int) -> np.ndarray:
    """Winding lines, three pixels wide, whose value changes slowly along them."""
    rows = np.zeros((512, 512), np.uint8)
    row = np.arange(512)
    for line in range(6):
        column = np.rint(60 * line + 90 + 80 * np.sin(row / (40 + 9 * line))).astype(int)
        for shift in range(3):
            rows[row, column + shift] = 1 + (row + 80 * line) * n_values // 1024
    return rows


@pytest.mark.parametrize("n_values", [1, 4, 200])
def test_files_are_smaller_than_those_of_the_run_lengths_of_zlib(n_values: int) -> None:
    rows = drawn(n_values)
    assert len(compress_rows(rows)) < 0.93 * len(run_lengths_only(as_stream(rows)))
