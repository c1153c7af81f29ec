"""Files of blobs: what goes in comes out, and a damaged file is said."""

from __future__ import annotations

import struct

import pytest

from axonet.core.errors import UserError
from axonet.explore.blobs import Blobs, pack_blobs, write_blobs

PIECES = [b"one", b"", b"three" * 100, b"\x00"]


def test_the_file_is_the_documented_one(tmp_path):
    write_blobs(tmp_path / "a.bin", iter(PIECES), 4)
    data = (tmp_path / "a.bin").read_bytes()
    offsets = (0, 3, 3, 503, 504)
    assert data == struct.pack("<I5Q", 4, *offsets) + b"".join(PIECES) == pack_blobs(PIECES)
    blobs = Blobs(tmp_path / "a.bin")
    assert [blobs[k] for k in range(len(blobs))] == PIECES
    with pytest.raises(IndexError):
        blobs[4]
    with pytest.raises(IndexError):
        blobs[-1]


def test_no_blobs_at_all(tmp_path):
    write_blobs(tmp_path / "a.bin", iter([]), 0)
    assert len(Blobs(tmp_path / "a.bin")) == 0


@pytest.mark.parametrize("n", [3, 5])
def test_another_number_of_blobs_leaves_no_file(tmp_path, n):
    with pytest.raises(ValueError, match="4 blobs"):
        write_blobs(tmp_path / "a.bin", iter(PIECES), n)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"ab", pack_blobs(PIECES)[:-1], struct.pack("<I", 2**31) + bytes(30)])
def test_a_damaged_file_is_named(tmp_path, data):
    (tmp_path / "a.bin").write_bytes(data)
    with pytest.raises(UserError, match=r"a\.bin"):
        Blobs(tmp_path / "a.bin")
