"""A neuron's views: directions, cameras, pictures."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from axonet.core.config import load_settings
from axonet.rendering.camera import Camera
from axonet.rendering.errors import RenderError
from axonet.rendering.settings import RenderSettings
from axonet.rendering.shown import Views
from axonet.rendering.view import View

if TYPE_CHECKING:
    from axonet.morphology.compartments import Compartment
    from axonet.morphology.neuron import Neuron
    from axonet.rendering.geometry import Geometry


def render_neuron(neuron: Neuron, settings: RenderSettings, name: str | None = None) -> list[View]:
    """Render all views of a neuron.

    The same neuron, settings and name give the same bytes, whatever else is rendered and by how many workers.

    Args:
        neuron: what to render.
        settings: how.
        name: names the random stream of the look directions; the neuron's own name by default.

    Returns:
        ``settings.n_views`` views: canonical, biased, random (or those of the chosen sampling).

    Raises:
        RenderError: the neuron cannot be rendered; ``code`` says why.
    """
    return list(iterate_views(neuron, settings, name))


def iterate_views(
    neuron: Neuron, settings: RenderSettings, name: str | None = None, hidden: Compartment | None = None
) -> Iterator[View]:
    """The views of :func:`render_neuron`, each drawn when it is asked for: who stores them needs not hold them all.

    Arguments and errors as there; an error comes before the first view. A ``hidden`` compartment is not drawn, in
    views that are those of the whole neuron otherwise.
    """
    # Inside the function: loading the compiled kernels takes a second that importing the settings must not cost.
    from axonet.rendering.backends import drawing
    from axonet.rendering.framing import frame_views
    from axonet.rendering.geometry import build_geometry
    from axonet.rendering.picture import draw_zoom
    from axonet.rendering.views import view_directions

    geometry = build_geometry(neuron)
    axes = geometry.axes()
    directions, tiers = view_directions(axes, settings, neuron.name if name is None else name)
    cameras = frame_views(geometry.spheres, directions, axes, settings)
    visible = _visible(geometry, cameras, settings, neuron.name)
    zoom_um, soma_center = settings.zoom_um, geometry.soma_center
    with drawing(geometry if hidden is None else geometry.without(hidden), settings) as draw:
        for index, camera in enumerate(cameras):
            picture = draw(camera)
            zoom = None if zoom_um is None else draw_zoom(draw, camera, soma_center, zoom_um)
            yield View(
                index=index,
                tier=tiers[index],
                mask=picture.mask,
                depth_um=picture.depth_um,
                camera=camera,
                qc=visible[index],
                near_um=picture.near_um,
                far_um=picture.far_um,
                zoom_bw=zoom,
                has_zoom=zoom is not None and soma_center is not None,
            )


def render_views(neuron: Neuron, *, size: int | None = None, name: str | None = None, **settings: Any) -> Views:
    """Render all views of a neuron, with settings by name: ``render_views(neuron, canonical_views=6, size=256)``.

    Args:
        neuron: what to render.
        size: width and height of the images in pixels.
        name: names the random stream of the look directions; the neuron's own name by default.
        **settings: fields of :class:`axonet.rendering.RenderSettings`, with its defaults.

    Returns:
        The views, a list that a notebook shows as a page of pictures.

    Raises:
        UserError: an unknown or wrong setting.
        RenderError: the neuron cannot be rendered; ``code`` says why.
    """
    if size is not None:
        settings = {"width": size, "height": size, **settings}
    return Views.of(neuron, render_neuron(neuron, load_settings(RenderSettings, settings, "render_views"), name))


def _signature() -> inspect.Signature:
    """What ``help`` shows: the settings by name, with the defaults of the model instead of a second copy of them."""
    fixed = list(inspect.signature(render_views).parameters.values())[:-1]
    fields = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.annotation)
        for name, field in RenderSettings.model_fields.items()
    ]
    return inspect.Signature([*fixed, *fields], return_annotation=Views)


render_views.__signature__ = _signature()  # type: ignore[attr-defined]


def _visible(geometry: Geometry, cameras: list[Camera], settings: RenderSettings, name: str) -> list[float]:
    """The fraction of the cable that each view shows; refuses what shows too little."""
    from axonet.rendering.quality import visible_fraction

    cable = geometry.ends[geometry.is_cable]
    visible = [visible_fraction(cable, camera) for camera in cameras]
    worst = int(np.argmin(visible))
    if visible[worst] < settings.min_qc:
        raise RenderError(
            "low_qc",
            f"{name}: view {worst} shows {visible[worst]:.3f} of the cable, less than min_qc {settings.min_qc}",
            view=worst,
        )
    return visible
