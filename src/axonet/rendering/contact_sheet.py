"""All views of a neuron on one page: compartments in color on white, a scale bar and a direction for each view."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.compartments import CLASS_NAMES, N_CLASSES, PALETTE
from axonet.rendering.camera import Array
from axonet.rendering.view import View

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

REDUCTION = 2
"""Pixels of a view per pixel of the page, along each side: this smooths edges."""

FADE = 0.35
"""How far the rearmost point of a neuron fades towards the white of the page."""

INK, QUIET, LINE = (30, 30, 36), (120, 120, 130), (225, 225, 230)
MOST_COLUMNS = 6

TIERS = {
    "canonical": "along the principal axes",
    "biased": "near the widest view",
    "random": "in random directions",
    "fibonacci": "spread evenly over the sphere",
}


@dataclass(frozen=True)
class Style:
    """Sizes of a page in pixels, all from the width of a view on it."""

    tile: tuple[int, int]
    text: int
    gap: int
    n_columns: int

    @classmethod
    def of(cls, views: Sequence[View]) -> Style:
        """Sizes that fit these views."""
        height, width = views[0].mask.shape
        tile = (-(-width // REDUCTION), -(-height // REDUCTION))
        largest = max(len(list(members)) for _, members in groupby(views, key=lambda view: view.tier))
        text = max(9, round(max(tile) / 17))
        return cls(tile, text, max(4, tile[0] // 32), min(MOST_COLUMNS, largest))

    @property
    def width(self) -> int:
        """Of the page; a few small views still leave room for the legend."""
        return max(self.n_columns * (self.tile[0] + self.gap) + 3 * self.gap, 42 * self.text)

    def font(self, scale: float = 1.0, bold: bool = False) -> FreeTypeFont:
        """A font, relative to the size of the labels."""
        return load_font(round(scale * self.text), bold)


@cache
def load_font(size: int, bold: bool = False) -> FreeTypeFont:
    """DejaVu Sans, which has the letters of most names of neurons, from matplotlib's own files."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


def contact_sheet(views: Sequence[View], axes: Array, title: str, facts: Sequence[str] = ()) -> NDArray[np.uint8]:
    """Draw all views of a neuron on one page, a row or more per tier.

    Args:
        views: at least one, of one neuron and size, tier by tier.
        axes: ``(3, 3)`` principal axes of the neuron, by which directions are named.
        title: the neuron's name.
        facts: short statements below the title.

    Returns:
        ``(height, width, 3)`` uint8 RGB.
    """
    from PIL import Image, ImageDraw

    style = Style.of(views)
    groups = [(tier, list(members)) for tier, members in groupby(views, key=lambda view: view.tier)]
    heading, row = 2 * style.text, style.tile[1] + style.gap
    header = 2 * style.gap + round(6.0 * style.text)
    n_rows = sum(-(-len(members) // style.n_columns) for _, members in groups)
    height = header + len(groups) * (heading + style.gap) + n_rows * row + style.gap
    page = Image.new("RGB", (style.width, height), "white")
    draw = ImageDraw.Draw(page)
    _draw_header(draw, style, views, title, facts)
    y = header
    for tier, members in groups:
        _draw_heading(draw, style, y, tier, len(members))
        y += heading
        for place, view in enumerate(members):
            x = 2 * style.gap + place % style.n_columns * (style.tile[0] + style.gap)
            _draw_tile(page, draw, style, (x, y + place // style.n_columns * row), view, axes)
        y += -(-len(members) // style.n_columns) * row + style.gap
    return np.asarray(page)


def color_on_white(view: View) -> NDArray[np.uint8]:
    """A view as a picture on white, reduced: one color per compartment, paler with depth.

    Thin cable that fills a part of a reduced pixel keeps more ink than its share, so that it stays visible.

    Returns:
        ``(ceil(height / 2), ceil(width / 2), 3)`` uint8 RGB.
    """
    height, width = view.mask.shape
    grown = ((0, -height % REDUCTION), (0, -width % REDUCTION))
    mask = np.pad(view.mask, grown)
    depth = np.pad(view.depth_um.astype(np.float64), grown, constant_values=np.nan)
    depth = (depth - view.near_um) / max(view.far_um - view.near_um, 1e-30)
    paleness = FADE * np.clip(np.nan_to_num(depth), 0.0, 1.0)[..., None]
    color = PALETTE[mask] + (255.0 - PALETTE[mask]) * paleness
    covered = (mask > 0).astype(np.float64)[..., None]
    blocks = (mask.shape[0] // REDUCTION, REDUCTION, mask.shape[1] // REDUCTION, REDUCTION)
    share = covered.reshape(*blocks, 1).mean(axis=(1, 3))
    ink = (color * covered).reshape(*blocks, 3).mean(axis=(1, 3)) / np.maximum(share, 1e-9)
    opacity = share**0.6
    return np.asarray(np.rint(255.0 + (ink - 255.0) * opacity), dtype=np.uint8)


def direction_label(direction: Array, axes: Array) -> str:
    """Name of a look direction: the nearest principal axis, and how far from it.

    Args:
        direction: ``(3,)`` unit vector.
        axes: ``(3, 3)`` principal axes, rows.
    """
    local = (axes * direction).sum(axis=1)
    nearest = int(np.argmax(np.abs(local)))
    angle = math.degrees(math.acos(min(abs(float(local[nearest])), 1.0)))
    name = f"{'+' if local[nearest] > 0 else '−'}PC{nearest + 1}"
    return name if angle < 0.5 else f"{angle:.0f}° off {name}"


def bar_length(width_um: float) -> float:
    """Length in um of a scale bar for a picture of a width: 1, 2 or 5 times a power of ten, at most a third of it."""
    largest = width_um / 3.0
    power = 10.0 ** math.floor(math.log10(largest))
    return power * max(step for step in (1.0, 2.0, 5.0) if step * power <= largest * (1.0 + 1e-9))


def length_label(length_um: float) -> str:
    """A length in the unit that people would say it in."""
    for size, unit in ((1e6, "m"), (1e3, "mm"), (1.0, "µm"), (1e-3, "nm")):
        if length_um >= 0.9999 * size:
            return f"{length_um / size:g} {unit}"
    return f"{length_um * 1e3:g} nm"


def _draw_header(draw: ImageDraw, style: Style, views: Sequence[View], title: str, facts: Sequence[str]) -> None:
    """Title, facts and the legend of the compartments that are seen."""
    x, y, right = 2 * style.gap, 2 * style.gap, style.width - 3 * style.gap
    draw.text((x, y), fitting(draw, title, style.font(1.5, bold=True), right - x), INK, style.font(1.5, bold=True))
    small = style.font(0.9)
    draw.text((x, y + 2.0 * style.text), fitting(draw, " · ".join(facts), small, right - x), QUIET, small)
    shown = np.sum([view.class_fractions() for view in views], axis=0)
    y += round(3.6 * style.text)
    for label in range(1, N_CLASSES):
        if shown[label] == 0.0:
            continue
        color = tuple(int(value) for value in PALETTE[label])
        side = round(0.9 * style.text)
        draw.rounded_rectangle((x, y + 1, x + side, y + 1 + side), side / 4, color)
        x += round(1.4 * style.text)
        draw.text((x, y), CLASS_NAMES[label], INK, small)
        x += round(draw.textlength(CLASS_NAMES[label], small) + 1.4 * style.text)
    note = "paler is farther away"
    if views[0].camera.projection == "perspective":
        note += "; in perspective bars hold at the depth of the middle"
    draw.text((x, y), fitting(draw, note, small, right - x), QUIET, small)


def _draw_heading(draw: ImageDraw, style: Style, y: int, tier: str, n_views: int) -> None:
    x, font = 2 * style.gap, style.font(1.0, bold=True)
    draw.text((x, y), tier, INK, font)
    x += round(draw.textlength(tier, font) + 0.6 * style.text)
    plural = "view" if n_views == 1 else "views"
    draw.text((x, y), f"{n_views} {plural} {TIERS.get(tier, '')}".rstrip(), QUIET, style.font())


def _draw_tile(page: Image, draw: ImageDraw, style: Style, corner: tuple[int, int], view: View, axes: Array) -> None:
    """One view with its frame, number, direction and scale bar; with the window around the soma if there is one."""
    from PIL import Image

    (x, y), (width, height), pad = corner, style.tile, max(3, style.gap // 2)
    page.paste(Image.fromarray(color_on_white(view)), corner)
    draw.rectangle((x, y, x + width - 1, y + height - 1), outline=LINE)
    if view.zoom_bw is not None and view.has_zoom:
        small = (width // 4, height // 4)
        inset = Image.fromarray(255 - view.zoom_bw).resize(small, Image.Resampling.BOX)
        place = (x + width - small[0] - pad, y + height - small[1] - pad)
        page.paste(inset.convert("RGB"), place)
        draw.rectangle((*place, place[0] + small[0] - 1, place[1] + small[1] - 1), outline=QUIET)
    font = style.font(0.85)
    draw.text((x + pad, y + pad), direction_label(view.direction, axes), INK, font)
    number = f"{view.index:02d}" if view.qc > 0.9995 else f"{100 * view.qc:.0f} % in frame   {view.index:02d}"
    draw.text((x + width - pad, y + pad), number, QUIET, font, anchor="ra")
    length = bar_length(view.camera.width * view.camera.um_per_px)
    pixels = round(length / (view.camera.um_per_px * REDUCTION))
    bottom, thickness = y + height - pad - 1, max(1, style.text // 6)
    draw.rectangle((x + pad, bottom - thickness, x + pad + pixels - 1, bottom - 1), INK)
    draw.text((x + pad, bottom - thickness - 2), length_label(length), INK, style.font(0.75), anchor="ls")


def fitting(draw: ImageDraw, text: str, font: FreeTypeFont, width: float) -> str:
    """The text, or as much of it as fits."""
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(text + "…", font) > width:
        text = text[:-1]
    return text + "…"
