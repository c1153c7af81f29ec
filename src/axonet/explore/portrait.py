"""One small picture of a neuron, where it is widest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from axonet.datasets.measures import load_entry
from axonet.sources.catalog import CatalogEntry

if TYPE_CHECKING:
    from axonet.morphology.neuron import Neuron

SIZE = 352  # twice a thumbnail: reducing it smooths edges

Portrait = tuple[npt.NDArray[np.uint8], float]
"""``(h, w)`` class ids, and the width of the picture in um."""


def portrait(neuron: Neuron) -> Portrait | None:
    """The view of a neuron along the axis in which it is thinnest; None where nothing can be drawn."""
    from axonet.rendering import RenderError, RenderSettings, render_neuron

    settings = RenderSettings(
        canonical_views=1, biased_views=0, random_views=0, width=SIZE, height=SIZE, supersample_factor=1, margin=0.08,
        min_qc=0.0, backend="cpu",
    )  # fmt: skip
    try:
        (view,) = render_neuron(neuron, settings)
    except RenderError:
        return None
    return view.mask, view.camera.um_per_px * SIZE


def portrait_of_entry(entry: CatalogEntry) -> Portrait | None:
    """The picture of an entry of a folder; None where it holds no neuron or nothing can be drawn."""
    from axonet.morphology.swc import SWCError

    try:
        return portrait(load_entry(entry))
    except SWCError:
        return None
