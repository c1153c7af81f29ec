"""The compressor against zlib, which reads what it writes and serves as the slow reference."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from axonet.datasets.deflate import compress_rows


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


def test_files_are_as_small_as_those_of_the_run_lengths_of_zlib() -> None:
    rng = np.random.default_rng(1)
    rows = np.zeros((256, 256), np.uint8)
    steps = np.cumsum(rng.normal(0.0, 0.7, (4000, 2)), axis=0).astype(int) % 256
    rows[steps[:, 0], steps[:, 1]] = 1 + np.arange(4000) // 900
    assert len(compress_rows(rows)) < 1.03 * len(run_lengths_only(as_stream(rows)))
