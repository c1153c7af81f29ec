from __future__ import annotations

import numpy as np
import pytest

from axonet.rendering import Camera, RenderError, RenderSettings, render
from axonet.rendering.geometry import build_geometry
from axonet.rendering.quality import visible_fraction

from .synthetic import AXON, looking, random_neuron, stick


def fraction(neuron, width=20, height=20, um_per_px=1.0, projection="ortho", center=(0.0, 0.0, 0.0)):
    geometry = build_geometry(neuron)
    camera = Camera(looking(), np.asarray(center), um_per_px, width, height, projection)
    return visible_fraction(geometry.ends[geometry.is_cable], camera)


def test_half_of_a_stick_is_half():
    assert fraction(stick((0, 0, 0), (20, 0, 0), 1, 1)) == pytest.approx(0.5)


def test_a_stick_that_passes_through_counts_where_it_is_inside():
    assert fraction(stick((-50, -50, 3), (50, 50, -9), 1, 1)) == pytest.approx(0.2)


def test_a_stick_beside_the_frame_counts_nothing_even_when_its_box_covers_a_corner():
    assert fraction(stick((5, 16, 0), (16, 5, 0), 1, 1)) == 0.0


def test_a_sphere_has_no_length_to_miss():
    assert fraction(stick((0, 0, 0), (0, 0, 0), 1, 1)) == 1.0


@pytest.mark.parametrize("projection", ["ortho", "perspective"])
def test_length_agrees_with_many_points_along_the_cable(projection):
    neuron = random_neuron(1, n_nodes=80)
    geometry = build_geometry(neuron)
    cable = geometry.ends[geometry.is_cable]
    camera = Camera(looking((1, 2, 3)), neuron.xyz.mean(axis=0), 1.1, 60, 40, projection)
    steps = (np.arange(2000) + 0.5) / 2000
    lengths = np.linalg.norm(cable[:, 4:7] - cable[:, :3], axis=1)
    inside = []
    for start, end in zip(cable[:, :3], cable[:, 4:7], strict=True):
        places, _ = camera.project(start + steps[:, None] * (end - start))
        inside.append(((places >= 0) & (places <= [40, 60])).all(axis=1).mean())
    expected = float((np.array(inside) * lengths).sum() / lengths.sum())
    assert 0.2 < expected < 0.9
    assert visible_fraction(cable, camera) == pytest.approx(expected, abs=1e-3)


def test_a_view_that_shows_too_little_is_rejected_with_a_reason(monkeypatch):
    # Framing never crops, so a frame that is too small has to be made.
    from dataclasses import replace

    from axonet.rendering import framing

    whole = framing.frame_views

    def close(*args):
        return [replace(camera, um_per_px=camera.um_per_px / 4) for camera in whole(*args)]

    monkeypatch.setattr(framing, "frame_views", close)
    neuron = stick((0, 0, 0), (100, 0, 0), 1, 1, AXON)
    with pytest.raises(RenderError, match=r"view \d+ shows 0\.\d+ of the cable") as caught:
        render.render_neuron(neuron, RenderSettings(width=64, height=64))
    assert caught.value.code == "low_qc"
    views = render.render_neuron(neuron, RenderSettings(width=64, height=64, min_qc=0.1))
    assert min(view.qc for view in views) < 0.7
