"""The neurons that a search found, on one page of pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from axonet.explore.hits import Hit, sheet_shape
from axonet.rendering.contact_sheet import INK, LINE, QUIET, load_font

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

TILE, GAP, TEXT = 240, 14, 13  # px
_LINE = round(1.45 * TEXT)
PAD, LARGEST_SCALE = 8, 2.0


def hit_sheet(title: str, hits: Sequence[Hit], pictures: Sequence[bytes | None], query: bytes | None) -> Image:
    """Draw the page.

    Args:
        title: what was asked for.
        hits: what was found.
        pictures: an image file of each, None where there is none.
        query: an image file of the neuron that was asked with; shown first.

    Returns:
        An RGB image.
    """
    from PIL import Image, ImageDraw

    tiles: list[tuple[bytes | None, list[str]]] = [(query, ["the query"])] if query is not None else []
    tiles += [(picture, _words(hit)) for hit, picture in zip(hits, pictures, strict=True)]
    n_rows, n_columns = sheet_shape(len(tiles))
    height_of = TILE + 4 * _LINE + GAP
    width = max(n_columns * (TILE + GAP) + GAP, 2 * TILE)
    page = Image.new("RGB", (width, 3 * GAP + 2 * TEXT + n_rows * height_of), "white")
    draw = ImageDraw.Draw(page)
    draw.text((GAP, GAP), _cut(draw, title, load_font(round(1.4 * TEXT), bold=True), width - 2 * GAP), INK,
              load_font(round(1.4 * TEXT), bold=True))  # fmt: skip
    for place, (picture, words) in enumerate(tiles):
        x = GAP + place % n_columns * (TILE + GAP)
        y = 2 * GAP + 2 * TEXT + place // n_columns * height_of
        if picture is not None:
            _paste(page, picture, (x, y))
        draw.rectangle((x, y, x + TILE - 1, y + TILE - 1), outline=INK if query is not None and place == 0 else LINE)
        for number, text in enumerate(words):
            font = load_font(TEXT, bold=number == 0)
            color = INK if number == 0 else QUIET
            draw.text((x, y + TILE + 4 + number * _LINE), _cut(draw, text, font, TILE), color, font)
    return page


def mask_picture(mask: NDArray[np.uint8]) -> bytes:
    """An image file of class ids in colors, for a neuron that has no stored picture."""
    from axonet.explore.pictures import VIEW, view_picture

    return view_picture(mask, (mask > 0).astype(np.uint8), VIEW)


def _words(hit: Hit) -> list[str]:
    """Four lines below a picture."""
    about = hit.about
    place = ", ".join(text for text in (about.get("region"), about.get("layer") and f"layer {about['layer']}") if text)
    lines = [f"{hit.rank}   {hit.cosine:.3f}", hit.neuron_id]
    kind = " ".join(text for text in (about.get("species"), about.get("cell_type")) if text)
    return [*lines, *(text for text in (kind, place) if text)]


def _paste(page: Image, picture: bytes, corner: tuple[int, int]) -> None:
    """A picture in the middle of its tile, as large as fits."""
    from PIL import Image

    image = Image.open(io.BytesIO(picture)).convert("RGBA")
    image = image.crop(image.getbbox())  # the wide margin that models see is of no use here
    scale = min(LARGEST_SCALE, (TILE - 2 * PAD) / max(image.size))
    size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
    image = image.resize(size, Image.Resampling.LANCZOS)
    place = tuple(at + (TILE - size) // 2 for at, size in zip(corner, image.size, strict=True))
    page.paste(image, (place[0], place[1]), image)


def _cut(draw: ImageDraw, text: str, font: FreeTypeFont, width: float) -> str:
    """The text, or as much of it as fits."""
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(text + "…", font) > width:
        text = text[:-1]
    return text + "…"
