"""axonet: neuron reconstructions to an image-text embedding of neuron shape.

The names below are the Python door; each is imported when it is first used, so that ``import axonet`` costs nothing.

    neuron = axonet.read_swc("cell.swc")
    views = axonet.render_views(neuron, size=256)
    model = axonet.load_model("checkpoints/clip/best.ckpt")
    model.embed([neuron, "other.swc"]), model.embed_text(["a mouse pyramidal neuron"])

In a notebook a neuron, a view and the views of a neuron show themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axonet.version import __version__

if TYPE_CHECKING:
    from axonet.core.errors import UserError
    from axonet.inference.embed import EmbeddingModel, load_model
    from axonet.morphology.neuron import Neuron
    from axonet.morphology.swc import SWCError, read_swc, write_swc
    from axonet.rendering.errors import RenderError
    from axonet.rendering.render import render_views
    from axonet.rendering.shown import Views
    from axonet.rendering.view import View

_PLACES = {
    "EmbeddingModel": "axonet.inference.embed",
    "Neuron": "axonet.morphology.neuron",
    "RenderError": "axonet.rendering.errors",
    "SWCError": "axonet.morphology.swc",
    "UserError": "axonet.core.errors",
    "View": "axonet.rendering.view",
    "Views": "axonet.rendering.shown",
    "load_model": "axonet.inference.embed",
    "read_swc": "axonet.morphology.swc",
    "render_views": "axonet.rendering.render",
    "write_swc": "axonet.morphology.swc",
}

__all__ = [
    "EmbeddingModel",
    "Neuron",
    "RenderError",
    "SWCError",
    "UserError",
    "View",
    "Views",
    "__version__",
    "load_model",
    "read_swc",
    "render_views",
    "write_swc",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'axonet' has no attribute {name!r}")
    import sys
    from importlib import import_module

    value = getattr(import_module(_PLACES[name]), name)
    if "axonet.morphology.neuron" in sys.modules:
        import_module("axonet.notebook").register()
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
