"""Small pictures of views on a transparent ground, so that one file serves a light and a dark page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.compartments import PALETTE

THUMBNAIL, VIEW, N_VIEWS = 96, 224, 3
FADE = 0.35  # how much fainter the rearmost point is
_THIN = 0.6  # exponent that leaves thin cable more ink than its share of a reduced pixel


def view_picture(mask: NDArray[np.uint8], depth: NDArray[Any], size: int) -> bytes:
    """A view as WebP: a color per compartment, fainter with depth, transparent elsewhere.

    Args:
        mask: ``(h, w)`` class ids.
        depth: ``(h, w)`` 0 on the background, from 1 at the front to the largest value of its type.
        size: pixels of the longer side, unless the view itself is smaller.
    """
    from PIL import Image

    height, width = mask.shape
    shrink = min(1.0, size / max(height, width))
    shape = (max(1, round(height * shrink)), max(1, round(width * shrink)))
    ink = (mask > 0) * (1.0 - FADE * depth.astype(np.float64) / np.iinfo(depth.dtype).max)
    opacity = _reduced(ink, shape)
    color = np.stack([_reduced(ink * PALETTE[mask][..., k], shape) for k in range(3)], axis=-1)
    color /= np.maximum(opacity, 1e-9)[..., None]
    pixels = np.concatenate([color, 255.0 * opacity[..., None] ** _THIN], axis=-1)
    sink = io.BytesIO()
    Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8), "RGBA").save(
        sink, "WEBP", quality=70, alpha_quality=70, method=4
    )
    return sink.getvalue()


def _reduced(values: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Mean over the area of each pixel of a smaller image."""
    from PIL import Image

    if values.shape == shape:
        return values
    image = Image.fromarray(values.astype(np.float32))
    return np.asarray(image.resize(shape[::-1], Image.Resampling.BOX), dtype=np.float64)


def chosen_views(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Positions of the views to show, the most telling first: along PC3, PC2 and PC1, else the first ones.

    Args:
        rows: of the manifest, the views of one neuron in their order.
    """
    canonical = [place for place, row in enumerate(rows) if row.get("tier") == "canonical"]
    if len(canonical) >= 6:
        canonical = [canonical[k] for k in (4, 2, 0)]  # +PC3, +PC2, +PC1
    others = [place for place in range(len(rows)) if place not in canonical]
    return [*canonical, *others][:N_VIEWS]
