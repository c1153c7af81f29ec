from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from axonet.core.errors import UserError
from axonet.datasets.png import decode_png, encode_classes, encode_gray, encode_silhouette
from axonet.morphology.compartments import PALETTE

RNG = np.random.default_rng(0)
MASK = RNG.integers(0, 6, (33, 47)).astype(np.uint8)
DEPTH = RNG.integers(0, 65536, (33, 47)).astype(np.uint16)


def pillow(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_another_reader_sees_the_gray_values() -> None:
    assert (np.asarray(pillow(encode_gray(MASK))) == MASK).all()
    deep = pillow(encode_gray(DEPTH))
    assert deep.mode.startswith("I")
    assert (np.asarray(deep) == DEPTH).all()


def test_a_palette_image_holds_class_ids_and_shows_colors() -> None:
    image = pillow(encode_classes(MASK, PALETTE)[1])
    assert image.mode == "P"
    assert (np.asarray(image) == MASK).all()
    assert (np.asarray(image.convert("RGB")) == PALETTE[MASK]).all()


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 47])
def test_the_three_files_of_a_class_map_are_what_pillow_always_read(width: int) -> None:
    mask = MASK[:, :width]
    ids, colors, silhouette = map(pillow, encode_classes(mask, PALETTE))
    assert [image.mode for image in (ids, colors, silhouette)] == ["L", "P", "L"]
    assert (np.asarray(ids) == mask).all()
    assert (np.asarray(colors) == mask).all()
    assert (np.asarray(silhouette) == np.where(mask > 0, 255, 0)).all()


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 47])
def test_a_silhouette_in_two_bits_is_read_back_as_0_and_255(width: int) -> None:
    data = encode_silhouette(MASK[:, :width])
    wanted = np.where(MASK[:, :width] > 0, 255, 0)
    assert (decode_png(data) == wanted).all()
    assert (np.asarray(pillow(data)) == wanted).all()


@pytest.mark.parametrize("image", [MASK, DEPTH, MASK[:1], MASK[:, :1]])
def test_what_is_written_is_read_back(image: np.ndarray) -> None:
    back = decode_png(encode_gray(image))
    assert back.dtype == image.dtype
    assert (back == image).all()
    assert back.flags.writeable


@pytest.mark.parametrize("mode", ["L", "P", "I;16", "1"])
def test_files_of_another_writer_are_read(mode: str) -> None:
    if mode == "P":
        picture, wanted = Image.fromarray(MASK), MASK
        picture.putpalette(PALETTE.ravel().tolist())
    elif mode == "1":
        picture, wanted = Image.fromarray(MASK > 2), (MASK > 2).astype(np.uint8) * 255
    else:
        wanted = MASK if mode == "L" else DEPTH
        picture = Image.fromarray(wanted)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    assert (decode_png(buffer.getvalue()) == wanted).all()


def test_a_color_picture_is_no_mask() -> None:
    buffer = io.BytesIO()
    Image.fromarray(PALETTE[MASK]).save(buffer, "PNG")
    with pytest.raises(UserError, match="3 channels"):
        decode_png(buffer.getvalue())


@pytest.mark.parametrize("cut", [0, 20, 60, -40])
def test_a_damaged_file_is_refused(cut: int) -> None:
    with pytest.raises(UserError, match="not a readable PNG"):
        decode_png(encode_gray(DEPTH)[:cut])


def test_a_changed_byte_is_noticed() -> None:
    data = bytearray(encode_gray(DEPTH))
    data[len(data) // 2] ^= 255
    with pytest.raises(UserError):
        decode_png(bytes(data))


def test_only_flat_images_of_integers_are_written() -> None:
    with pytest.raises(ValueError, match="2-D"):
        encode_gray(np.zeros((3, 3, 3), np.uint8))
    with pytest.raises(ValueError, match="uint16"):
        encode_gray(np.zeros((3, 3)))
