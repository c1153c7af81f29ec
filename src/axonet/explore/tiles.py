"""Pages of small pictures with words below them: what a search found, what a match rests on."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from axonet.explore.hits import Hit, sheet_shape
from axonet.rendering.contact_sheet import INK, LINE, QUIET, fitting, load_font

if TYPE_CHECKING:
    from PIL.Image import Image

TILE, GAP, TEXT = 240, 14, 13  # px
_LINE = round(1.45 * TEXT)
PAD, LARGEST_SCALE = 8, 2.0


@dataclass(frozen=True)
class Tile:
    """A picture with words below it.

    Attributes:
        picture: an image file; None where there is none.
        words: up to four lines, the first one in bold.
        marked: whether its frame is dark.
    """

    picture: bytes | None
    words: Sequence[str]
    marked: bool = False


EMPTY = Tile(None, ())
"""Keeps a place free, so that what follows begins a row."""


def tile_page(title: str, tiles: Sequence[Tile], most_columns: int = 4) -> Image:
    """Draw a page of tiles, row by row; an RGB image."""
    from PIL import Image, ImageDraw

    n_rows, n_columns = sheet_shape(len(tiles), most_columns)
    height_of = TILE + 4 * _LINE + GAP
    width = max(n_columns * (TILE + GAP) + GAP, 2 * TILE)
    page = Image.new("RGB", (width, 3 * GAP + 2 * TEXT + n_rows * height_of), "white")
    draw, heading = ImageDraw.Draw(page), load_font(round(1.4 * TEXT), bold=True)
    draw.text((GAP, GAP), fitting(draw, title, heading, width - 2 * GAP), INK, heading)
    for place, tile in enumerate(tiles):
        x = GAP + place % n_columns * (TILE + GAP)
        y = 2 * GAP + 2 * TEXT + place // n_columns * height_of
        if tile == EMPTY:
            continue
        if tile.picture is not None:
            _paste(page, tile.picture, (x, y))
        draw.rectangle((x, y, x + TILE - 1, y + TILE - 1), outline=INK if tile.marked else LINE)
        for number, text in enumerate(tile.words):
            font = load_font(TEXT, bold=number == 0)
            color = INK if number == 0 else QUIET
            draw.text((x, y + TILE + 4 + number * _LINE), fitting(draw, text, font, TILE), color, font)
    return page


def hit_sheet(title: str, hits: Sequence[Hit], pictures: Sequence[bytes | None], query: bytes | None) -> Image:
    """The page of a search.

    Args:
        title: what was asked for.
        hits: what was found.
        pictures: an image file of each, None where there is none.
        query: an image file of the neuron that was asked with; shown first.
    """
    first = [] if query is None else [Tile(query, ["the query"], marked=True)]
    found = [Tile(picture, _words(hit)) for hit, picture in zip(hits, pictures, strict=True)]
    return tile_page(title, [*first, *found])


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
