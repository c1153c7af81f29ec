"""Laws of whole pictures."""

from __future__ import annotations

import inspect
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage

from axonet.core.errors import UserError
from axonet.morphology.neuron import Neuron
from axonet.rendering import RenderError, RenderSettings, render_neuron, render_views

from .synthetic import AXON, BASAL, SOMA, random_neuron

SMALL = {"width": 96, "height": 96, "supersample_factor": 2}
TOUCHING = np.ones((3, 3))


def area(view):
    return view.silhouette.sum() * view.camera.um_per_px**2


def flat_neuron(seed):
    return random_neuron(seed, n_nodes=400, spread=(1.0, 0.8, 0.05), radius=(0.3, 1.0), step=4.0)


@pytest.mark.parametrize("seed", range(4))
def test_looking_along_pc3_shows_the_largest_area(seed):
    views = render_views(flat_neuron(seed), random_views=24, **SMALL)
    areas = {tier: [area(view) for view in views if view.tier == tier] for tier in ("canonical", "biased", "random")}
    widest = min(areas["canonical"][4:])
    assert widest > 1.3 * max(areas["canonical"][:4])
    assert widest > 0.97 * max(areas["random"])
    assert np.mean(areas["biased"]) > 0.85 * widest
    assert np.mean(areas["biased"]) > np.mean(areas["random"])
    assert min(areas["biased"]) > 0.7 * widest


def test_opposite_views_are_mirrored_silhouettes():
    views = render_views(random_neuron(1, radius=(0.5, 2.0)), biased_views=0, random_views=0, **SMALL)
    for front, back in zip(views[0::2], views[1::2], strict=True):
        mirrored = back.silhouette[:, ::-1]
        assert (front.silhouette & mirrored).sum() / (front.silhouette | mirrored).sum() >= 0.999
        both = front.silhouette & mirrored
        # The front of one is the back of the other: what lies between them is the neuron.
        assert (front.depth_um[both] <= -back.depth_um[:, ::-1][both] + 1e-3).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("samples", "projection"), [(1, "ortho"), (2, "ortho"), (3, "ortho"), (2, "perspective")])
def test_a_connected_tree_is_one_component(seed, samples, projection):
    neuron = random_neuron(seed, n_nodes=500, radius=(0.001, 0.05), step=3.0)
    settings = RenderSettings(width=128, height=128, supersample_factor=samples, projection=projection)
    for view in render_neuron(neuron, settings):
        assert ndimage.label(view.mask, TOUCHING)[1] == 1


def test_what_hangs_on_the_surface_of_a_3_point_soma_stays_attached():
    # The soma is far smaller than a pixel, its surface points and stems too.
    rng = np.random.default_rng(0)
    xyz = np.concatenate([[[0, 0, 0], [0, 6, 0], [0, -6, 0]], rng.normal(scale=2000, size=(20, 3))])
    parent = [-1, 0, 0] + [1, 2] * 10
    neuron = Neuron.from_arrays(xyz, parent, [SOMA] * 3 + [BASAL] * 20, [6.0] * 3 + [0.1] * 20)
    for view in render_views(neuron, **SMALL):
        assert ndimage.label(view.mask, TOUCHING)[1] == 1


@pytest.mark.parametrize("sampling", ["pca", "fibonacci", "random"])
def test_every_tree_is_drawn_and_no_view_is_empty(sampling):
    rng = np.random.default_rng(0)
    xyz = np.concatenate([[[0, 0, 0], [30, 0, 0]], rng.uniform(-400, 400, (40, 3))])
    neuron = Neuron.from_arrays(xyz, [-1, 0] + [-1] * 40, [SOMA, BASAL] + [AXON] * 40, [5, 1] + [0.001] * 40)
    for view in render_views(neuron, sampling=sampling, **SMALL):
        rows, columns = np.floor(view.camera.project(neuron.xyz[2:])[0]).astype(int).T
        # A tree inside one sample may be drawn in the sample beside it.
        assert ndimage.binary_dilation(view.silhouette, TOUCHING)[rows, columns].all()


def test_scattered_trees_are_as_many_components():
    xyz = [[60 * (k % 5), 60 * (k // 5), 0] for k in range(25)]
    neuron = Neuron.from_arrays(xyz, [-1] * 25, AXON, 1e-3)
    views = render_views(neuron, canonical_views=6, biased_views=0, random_views=0, **SMALL)
    assert [ndimage.label(view.mask, TOUCHING)[1] for view in views[4:]] == [25, 25]


@pytest.mark.parametrize("zoom_um", [None, 60.0])
def test_the_same_call_gives_the_same_bytes(zoom_um):
    neuron = random_neuron(7)
    settings = RenderSettings(**SMALL, zoom_um=zoom_um)
    first = [pickle.dumps(view) for view in render_neuron(neuron, settings)]
    render_neuron(random_neuron(8), settings)
    with ThreadPoolExecutor(2) as pool:
        others = list(pool.map(lambda _: [pickle.dumps(v) for v in render_neuron(neuron, settings)], range(3)))
    assert all(other == first for other in others)


def test_the_name_of_the_neuron_names_the_random_views():
    neuron = random_neuron(7)
    settings = RenderSettings(**SMALL)
    default, same, other = (render_neuron(neuron, settings, name) for name in (None, neuron.name, "else"))
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(default, same, strict=True))
    assert all(np.array_equal(a.direction, b.direction) for a, b in zip(default[:6], other[:6], strict=True))
    assert not any(np.array_equal(a.direction, b.direction) for a, b in zip(default[6:], other[6:], strict=True))


def test_the_zoom_is_a_window_around_the_soma_with_the_same_basis():
    neuron = Neuron.from_arrays(
        [[100, 50, 20], [130, 50, 20], [300, 80, 20]], [-1, 0, 1], [SOMA, BASAL, BASAL], [10.0, 1.0, 1.0]
    )
    for view in render_views(neuron, zoom_um=96.0, **SMALL):
        assert view.has_zoom
        assert set(np.unique(view.zoom_bw)) == {0, 255}
        # One um per pixel: the soma is a disc of radius 10 in the middle.
        rows, columns = np.indices((96, 96))
        disc = np.hypot(rows - 47.5, columns - 47.5) <= 10
        assert (view.zoom_bw[disc] == 255).all()


def test_without_a_soma_the_zoom_is_blank():
    neuron = Neuron.from_arrays([[0, 0, 0], [30, 0, 0]], [-1, 0], AXON, 1.0)
    for view in render_views(neuron, zoom_um=50.0, **SMALL):
        assert not view.has_zoom
        assert not view.zoom_bw.any()
    assert render_views(neuron, **SMALL)[0].zoom_bw is None


def test_views_know_their_place_tier_and_size():
    views = render_views(random_neuron(1), width=80, height=48, supersample_factor=1)
    assert [view.index for view in views] == list(range(24))
    for view in views:
        assert view.mask.shape == view.depth_um.shape == (48, 80)
        assert (view.mask.dtype, view.depth_um.dtype) == (np.uint8, np.float32)
        assert np.array_equal(np.isnan(view.depth_um), view.mask == 0)


def test_size_is_width_and_height_and_defaults_are_those_of_the_settings():
    assert render_views(random_neuron(1), size=40, supersample_factor=1)[0].mask.shape == (40, 40)
    shown = inspect.signature(render_views).parameters
    for name, field in RenderSettings.model_fields.items():
        assert shown[name].default == field.default


def test_wrong_settings_are_one_line():
    with pytest.raises(UserError, match="sie"):
        render_views(random_neuron(1), sie=40)
    with pytest.raises(UserError, match="device chooses"):
        render_views(random_neuron(1), backend="cpu", device=0)


def test_render_errors_survive_a_worker_process():
    error = pickle.loads(pickle.dumps(RenderError("no_extent", "cell: nothing there")))
    assert (error.code, str(error)) == ("no_extent", "cell: nothing there")
