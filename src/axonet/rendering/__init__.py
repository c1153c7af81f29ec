"""Views of neurons: look directions, cameras, and an exact rasterizer of rounded cones.

Importing this package is cheap; the compiled loops are loaded by the first neuron that is rendered.
"""

from axonet.rendering.camera import Camera
from axonet.rendering.errors import RenderError
from axonet.rendering.render import iterate_views, render_neuron, render_views
from axonet.rendering.settings import RenderSettings
from axonet.rendering.view import View, depth_from_image

__all__ = [
    "Camera",
    "RenderError",
    "RenderSettings",
    "View",
    "depth_from_image",
    "iterate_views",
    "render_neuron",
    "render_views",
]
