"""Many small pieces of bytes in one file: ``<u4 n``, ``<u8`` offsets ``(n + 1)``, then the bytes."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from axonet.core.errors import UserError
from axonet.core.files import atomic_path


def pack_blobs(blobs: Sequence[bytes]) -> bytes:
    """The content of a file of blobs."""
    offsets = np.concatenate([[0], np.cumsum([len(blob) for blob in blobs])]).astype("<u8")
    return np.array(len(blobs), "<u4").tobytes() + offsets.tobytes() + b"".join(blobs)


def write_blobs(path: Path, blobs: Iterable[bytes], n: int) -> None:
    """Write ``n`` blobs one by one, atomically.

    Raises:
        ValueError: another number of blobs came.
    """
    offsets = np.zeros(n + 1, dtype="<u8")
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(np.array(n, "<u4").tobytes() + offsets.tobytes())
        done = 0
        for blob in blobs:
            if done < n:
                offsets[done + 1] = offsets[done] + len(blob)
            file.write(blob)
            done += 1
        if done != n:
            raise ValueError(f"{done} blobs instead of {n}")
        file.seek(4)
        file.write(offsets.tobytes())


class Blobs:
    """A file of blobs, mapped into memory.

    Args:
        path: the file.

    Raises:
        UserError: missing, or no whole file of blobs.
    """

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise UserError(f"{path}: no such file") from None
        except ValueError:
            raise UserError(f"{path}: empty") from None
        n = int(np.frombuffer(self._bytes, "<u4", 1)[0]) if len(self._bytes) >= 12 else -1
        self._start = 4 + 8 * (n + 1)
        if n < 0 or len(self._bytes) < self._start:
            raise UserError(f"{path}: not a file of blobs")
        self._offsets = np.frombuffer(self._bytes, "<u8", n + 1, 4)
        if self._start + int(self._offsets[-1]) != len(self._bytes):
            raise UserError(f"{path}: cut off")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, index: int) -> bytes:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._bytes[self._start + int(self._offsets[index]) : self._start + int(self._offsets[index + 1])]
