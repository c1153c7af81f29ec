"""Silhouettes drawn without depths are those of the pictures."""

from __future__ import annotations

import numpy as np
import pytest

from axonet.morphology.swc import parse_swc
from axonet.rendering import RenderSettings
from axonet.rendering.cpu import cpu_drawing
from axonet.rendering.framing import frame_views, zoom_camera
from axonet.rendering.geometry import build_geometry
from axonet.rendering.views import view_directions
from tests.fakes.neurons import made_up_swc


@pytest.mark.parametrize("factor", [1, 2, 3])
@pytest.mark.parametrize("zoom_um", [None, 3.0, 30.0, 160.0])
def test_a_silhouette_is_that_of_the_picture(factor: int, zoom_um: float | None) -> None:
    neuron = parse_swc(made_up_swc(3, 400), "made-up")
    settings = RenderSettings(width=160, height=96, supersample_factor=factor)
    geometry = build_geometry(neuron)
    axes = geometry.axes()
    cameras = frame_views(geometry.spheres, view_directions(axes, settings, "made-up")[0], axes, settings)
    soma = geometry.soma_center
    assert soma is not None
    with cpu_drawing(geometry, 96, 160, factor) as draw:
        for camera in cameras:
            used = camera if zoom_um is None else zoom_camera(camera, soma, zoom_um)
            silhouette = draw.silhouette(used)
            assert silhouette.any()
            assert np.array_equal(silhouette, draw(used).mask > 0)
