from __future__ import annotations

import numpy as np
import pytest

from axonet.rendering import RenderSettings, render_neuron

from .synthetic import random_neuron


def views_of(neuron, **settings):
    defaults = {"width": 96, "height": 96, "supersample_factor": 2}
    return render_neuron(neuron, RenderSettings(**(defaults | settings)))


def drawn_box(view):
    rows, columns = np.nonzero(view.mask)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


@pytest.mark.parametrize("margin", [0.0, 0.06, 0.4, 2.0])
@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("radius", [(0.01, 0.02), (1.0, 8.0)])
def test_no_view_crops(margin, adaptive, radius):
    for view in views_of(random_neuron(3, radius=radius), margin=margin, adaptive_framing=adaptive):
        top, bottom, left, right = drawn_box(view)
        assert min(top, left, 96 - bottom, 96 - right) >= 1
        assert view.qc == 1.0


def test_the_margin_is_added_to_the_box_of_the_neuron_with_its_radii():
    neuron = random_neuron(3, radius=(1.0, 8.0))
    for view in views_of(neuron, margin=0.4, adaptive_framing=True, width=160, height=120):
        across = neuron.xyz @ view.camera.basis.T
        box = (across + neuron.radius[:, None]).max(axis=0) - (across - neuron.radius[:, None]).min(axis=0)
        frame = np.array([160, 120]) * view.camera.um_per_px
        assert (frame / box[:2]).min() == pytest.approx(1.4)


def test_the_neuron_is_in_the_middle():
    for view in views_of(random_neuron(4), adaptive_framing=True):
        top, bottom, left, right = drawn_box(view)
        assert abs(top + bottom - 96) <= 2
        assert abs(left + right - 96) <= 2


def test_adaptive_framing_changes_only_the_scale():
    neuron = random_neuron(4, spread=(1.0, 0.6, 0.2))
    shared, adaptive = views_of(neuron), views_of(neuron, adaptive_framing=True)
    assert len({view.camera.um_per_px for view in shared}) == 1
    assert shared[0].camera.um_per_px == max(view.camera.um_per_px for view in adaptive)
    assert len({view.camera.um_per_px for view in adaptive}) > 6
    for a, b in zip(shared, adaptive, strict=True):
        assert np.array_equal(a.camera.basis, b.camera.basis)
        assert np.array_equal(a.camera.center, b.camera.center)


def test_depths_lie_between_near_and_far():
    for projection in ("ortho", "perspective"):
        for view in views_of(random_neuron(4, radius=(0.01, 4.0)), projection=projection):
            depth = view.depth_um[view.silhouette]
            assert view.near_um <= depth.min() <= depth.max() <= view.far_um
            # The front of the neuron is seen, so near is where the picture begins.
            assert depth.min() - view.near_um < 0.1 * (view.far_um - view.near_um)
