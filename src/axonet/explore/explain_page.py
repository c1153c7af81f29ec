"""The picture of an explanation: the neuron without each part, then its views from the best to the worst match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axonet.explore.explain import Explanation
from axonet.explore.tiles import EMPTY, Tile, mask_picture, tile_page

if TYPE_CHECKING:
    from PIL.Image import Image

COLUMNS = 6


def explanation_page(title: str, found: Explanation) -> Image:
    """Draw the page; an RGB image.

    Args:
        title: of the page.
        found: the explanation.
    """
    best = found.views[0].view
    tiles = [
        Tile(mask_picture(found.drawn[best].mask), [f"whole   {found.cosine:.3f}", f"view {best:02d}"], marked=True)
    ]
    for part in found.parts:
        views = found.without.get(part.part)
        picture = None if views is None else mask_picture(views[best].mask)
        share = [] if part.pixel_share is None else [f"{100 * part.pixel_share:.1f} % of the pixels"]
        words = [f"without {part.part}", f"{part.cosine:.3f}   drop {part.drop:+.3f}", *share]
        tiles.append(Tile(picture, words))
    tiles += [EMPTY] * (-len(tiles) % COLUMNS)
    for view in found.views:
        words = [f"view {view.view:02d}   {view.cosine:.3f}", view.tier, f"drop when left out {view.drop:+.3f}"]
        tiles.append(Tile(mask_picture(found.drawn[view.view].mask), words))
    return tile_page(title, tiles, COLUMNS)
