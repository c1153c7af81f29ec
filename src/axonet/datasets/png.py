"""PNG files of views, written fast: no row filters, one compressed chunk, few bits a pixel.

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
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from axonet.core.errors import UserError

if TYPE_CHECKING:
    from axonet.datasets.nonzero import NonzeroBytes

try:
    from isal import isal_zlib

    _inflate: Callable[[bytes], bytes] = isal_zlib.decompress
except ImportError:
    _inflate = zlib.decompress

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, PALETTE = 0, 3
WHITE_OF_TWO_BITS = 3
_OF_TWO_BITS = (np.arange(256)[:, None] >> np.array([6, 4, 2, 0]) & 3).astype(np.uint8) * np.uint8(85)
"""The four gray values in a byte of pixels of two bits each."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(image: NonzeroBytes, width: int, n_bits: int, palette: NDArray[np.uint8] | None = None) -> bytes:
    from axonet.datasets.deflate import compress  # loads compiled code, which reading does without

    color = GRAY if palette is None else PALETTE
    chunks = [_chunk(b"IHDR", struct.pack(">IIBBBBB", width, image.n_lines, n_bits, color, 0, 0, 0))]
    if palette is not None:
        chunks.append(_chunk(b"PLTE", np.ascontiguousarray(palette, np.uint8).tobytes()))
    return b"".join([SIGNATURE, *chunks, _chunk(b"IDAT", compress(image)), _chunk(b"IEND", b"")])


def encode_gray(image: NDArray[Any]) -> bytes:
    """A grayscale PNG with the image's own values.

    Args:
        image: ``(h, w)`` uint8 or uint16.
    """
    if image.ndim != 2 or image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"expected a 2-D uint8 or uint16 image, got shape {image.shape}, {image.dtype}")
    from axonet.datasets.nonzero import nonzero_bytes

    height, width = image.shape
    rows = np.ascontiguousarray(image, dtype=image.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    return _png(nonzero_bytes(rows), width, 8 * image.dtype.itemsize)


def encode_silhouette(image: NDArray[np.uint8]) -> bytes:
    """A grayscale PNG of 255 where an image is not 0, in two bits a pixel.

    Two, not one: readers give such a pixel as 255 in eight bits, but Pillow gives a picture of one bit as truth values.

    Args:
        image: ``(h, w)``.
    """
    from axonet.datasets.nonzero import nonzero_bytes, packed

    return _png(packed(nonzero_bytes(np.ascontiguousarray(image)), 2, WHITE_OF_TWO_BITS), image.shape[1], 2)


def encode_classes(mask: NDArray[np.uint8], palette: NDArray[np.uint8]) -> tuple[bytes, bytes, bytes]:
    """A class map as class ids, in colors and as a silhouette.

    Args:
        mask: ``(h, w)`` class ids below ``n``.
        palette: ``(n, 3)`` uint8 RGB colors, n <= 16.

    Returns:
        A grayscale PNG; one whose pixels are indices into the palette, in four bits; :func:`encode_silhouette`.
    """
    from axonet.datasets.nonzero import nonzero_bytes, packed

    width, pixels = mask.shape[1], nonzero_bytes(np.ascontiguousarray(mask))
    silhouette = _png(packed(pixels, 2, WHITE_OF_TWO_BITS), width, 2)
    return _png(pixels, width, 8), _png(packed(pixels, 4), width, 4, palette), silhouette


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
    if (depth, color_type) not in ((2, GRAY), (8, GRAY), (16, GRAY), (8, PALETTE)) or interlace:
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
    row_bytes = 1 + (width * depth + 7) // 8
    if len(raw) != height * row_bytes:
        return None
    rows = np.frombuffer(raw, np.uint8).reshape(height, row_bytes)
    if rows[:, 0].any():
        return None
    if depth == 2:
        return np.ascontiguousarray(_OF_TWO_BITS[rows[:, 1:]].reshape(height, -1)[:, :width])
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
