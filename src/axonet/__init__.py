"""axonet: neuron reconstructions to an image-text embedding of neuron shape.

The names below are the Python door; each is imported when it is first used, so that ``import axonet`` costs nothing.

    neuron = axonet.read_swc("cell.swc")
    views = axonet.render_views(neuron, size=256)
    model = axonet.load_model("checkpoints/clip/best.ckpt")
    model.embed_swc(["cell.swc"]), model.embed_text(["a mouse pyramidal neuron"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axonet.version import __version__

if TYPE_CHECKING:
    from axonet.inference.embed import load_model
    from axonet.morphology.neuron import Neuron
    from axonet.morphology.swc import SWCError, read_swc
    from axonet.rendering.render import render_views
    from axonet.rendering.view import View

_PLACES = {
    "Neuron": "axonet.morphology.neuron",
    "SWCError": "axonet.morphology.swc",
    "View": "axonet.rendering.view",
    "load_model": "axonet.inference.embed",
    "read_swc": "axonet.morphology.swc",
    "render_views": "axonet.rendering.render",
}

__all__ = ["Neuron", "SWCError", "View", "__version__", "load_model", "read_swc", "render_views"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'axonet' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
