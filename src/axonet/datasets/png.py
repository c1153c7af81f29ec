"""PNG files of views, written fast: no row filters, one compressed chunk.

Class maps and silhouettes are nearly empty images, so the adaptive row filters that make general PNG writers slow
win nothing here. Files that were made elsewhere are read too.

isal is for reading only: of a hundred files that it compressed one differed from run to run, as what its matches find
depends on what was in memory before.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axonet.core.errors import UserError

try:
    from isal import isal_zlib

    _inflate: Callable[[bytes], bytes] = isal_zlib.decompress
except ImportError:
    _inflate = zlib.decompress

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, PALETTE = 0, 3


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def encode_gray(image: NDArray[Any]) -> bytes:
    """A grayscale PNG with the image's own values.

    Args:
        image: ``(h, w)`` uint8 or uint16.
    """
    if image.ndim != 2 or image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"expected a 2-D uint8 or uint16 image, got shape {image.shape}, {image.dtype}")
    from axonet.datasets.deflate import compress_rows  # loads compiled code, which reading does without

    height, width = image.shape
    rows = np.ascontiguousarray(image, dtype=image.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, image.dtype.itemsize * 8, GRAY, 0, 0, 0)
    chunks = [_chunk(b"IHDR", header), _chunk(b"IDAT", compress_rows(rows)), _chunk(b"IEND", b"")]
    return b"".join([SIGNATURE, *chunks])


def with_palette(gray: bytes, palette: NDArray[np.uint8]) -> bytes:
    """The color PNG whose pixels are indices into a palette, of the same values as a grayscale PNG of 8 bits.

    Nothing is compressed again.

    Args:
        gray: what :func:`encode_gray` gave, all values below ``n``.
        palette: ``(n, 3)`` uint8 RGB colors.
    """
    color = struct.pack("B", PALETTE)
    header = _chunk(b"IHDR", gray[16:25] + color + gray[26:29])
    colors = _chunk(b"PLTE", np.ascontiguousarray(palette, np.uint8).tobytes())
    return b"".join([SIGNATURE, header, colors, gray[33:]])


def decode_png(data: bytes) -> NDArray[Any]:
    """The values of a single-channel PNG; for a palette image, its indices.

    Args:
        data: the bytes of a PNG file.

    Returns:
        ``(h, w)`` uint8 or uint16; one-bit images are 0 and 255.

    Raises:
        UserError: the bytes are no PNG, are damaged, or hold a picture of several channels.
    """
    image = _decode_unfiltered(data)
    return _decode_any(data) if image is None else image


def _decode_unfiltered(data: bytes) -> NDArray[Any] | None:
    """Decode what this module writes; None for every other kind of file."""
    if len(data) < 33 or data[:8] != SIGNATURE or data[12:16] != b"IHDR":
        return None
    width, height, depth, color_type, _, _, interlace = struct.unpack(">IIBBBBB", data[16:29])
    if depth not in (8, 16) or color_type not in (GRAY, PALETTE) or interlace:
        return None
    position, compressed = 33, []
    while position + 8 <= len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        if data[position + 4 : position + 8] == b"IDAT":
            compressed.append(data[position + 8 : position + 8 + length])
        position += 12 + length
    try:
        raw = _inflate(b"".join(compressed))
    except Exception:  # each inflater has its own errors; Pillow then says what is wrong
        return None
    row_bytes = 1 + width * depth // 8
    if len(raw) != height * row_bytes:
        return None
    rows = np.frombuffer(raw, np.uint8).reshape(height, row_bytes)
    if rows[:, 0].any():
        return None
    pixels = rows[:, 1:].copy()
    return pixels if depth == 8 else pixels.view(">u2").astype(np.uint16)


def _decode_any(data: bytes) -> NDArray[Any]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            mode, pixels = picture.mode, np.asarray(picture)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise UserError(f"not a readable PNG file ({error})") from error
    if pixels.ndim != 2:
        raise UserError(f"a picture with {pixels.shape[-1]} channels where one is expected")
    if mode == "1":
        return pixels.astype(np.uint8) * np.uint8(255)
    return pixels.astype(np.uint8 if pixels.dtype == np.uint8 else np.uint16)
