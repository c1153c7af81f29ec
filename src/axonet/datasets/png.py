"""PNG files of views, written fast: no row filters, one compressed chunk.

Class maps and silhouettes are nearly empty images, so the adaptive row filters that make general PNG writers slow
win nothing here. Files that were made elsewhere are read too.
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

    def _deflate(data: bytes) -> bytes:
        return bytes(isal_zlib.compress(data, 1))

    _inflate: Callable[[bytes], bytes] = isal_zlib.decompress
except ImportError:

    def _deflate(data: bytes) -> bytes:
        # Run-length matching is all that such images need, and the fastest that zlib offers.
        compressor = zlib.compressobj(1, zlib.DEFLATED, 15, 8, zlib.Z_RLE)
        return compressor.compress(data) + compressor.flush()

    _inflate = zlib.decompress

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, PALETTE = 0, 3


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _encode(image: NDArray[Any], color_type: int, palette: bytes | None = None) -> bytes:
    """Assemble a PNG of an ``(h, w)`` image of uint8 or uint16."""
    if image.ndim != 2 or image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"expected a 2-D uint8 or uint16 image, got shape {image.shape}, {image.dtype}")
    height, width = image.shape
    depth = image.dtype.itemsize * 8
    rows = np.zeros((height, 1 + width * image.dtype.itemsize), np.uint8)  # column 0: filter type 0
    rows[:, 1:] = np.ascontiguousarray(image, dtype=image.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    parts = [SIGNATURE, _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0))]
    if palette is not None:
        parts.append(_chunk(b"PLTE", palette))
    parts += [_chunk(b"IDAT", _deflate(rows.tobytes())), _chunk(b"IEND", b"")]
    return b"".join(parts)


def encode_gray(image: NDArray[Any]) -> bytes:
    """A grayscale PNG with the image's own values.

    Args:
        image: ``(h, w)`` uint8 or uint16.
    """
    return _encode(image, GRAY)


def encode_palette(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """A color PNG whose pixels are indices into a palette.

    Args:
        indices: ``(h, w)`` uint8, all below ``n``.
        palette: ``(n, 3)`` uint8 RGB colors.
    """
    return _encode(indices, PALETTE, np.ascontiguousarray(palette, np.uint8).tobytes())


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
