"""Laws of every neuron in both projections; hypothesis draws made neurons, the same ones each time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.transform import Rotation

from axonet.morphology.neuron import Neuron
from axonet.rendering import RenderSettings, depth_from_image, render_neuron
from axonet.rendering.geometry import build_geometry

from .synthetic import APICAL, AXON, PROJECTIONS, SOMA, random_neuron, stick

TOUCHING = np.ones((3, 3))
FEW = {"biased_views": 3, "random_views": 3}
SPREADS = [(1.0, 1.0, 1.0), (1.0, 0.7, 0.05), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.01, 3.0, 0.3)]


def neurons(max_trees=1):
    """Neurons of one or more trees: round, flat, straight; thinner than a sample or fatter than they are long."""
    return st.builds(
        lambda seed, more, n_trees, spread, radius, has_soma: drawn(
            seed, more + n_trees, n_trees, spread, radius, has_soma
        ),
        seed=st.integers(0, 10_000),
        more=st.integers(1, 120),
        n_trees=st.integers(1, max_trees),
        spread=st.sampled_from(SPREADS),
        radius=st.sampled_from([(1e-5, 1e-3), (0.1, 1.0), (1.0, 9.0)]),
        has_soma=st.booleans(),
    )


def drawn(seed, n_nodes, n_trees, spread, radius, has_soma):
    neuron = random_neuron(seed, n_nodes, spread, radius, n_trees)
    types = neuron.swc_type if has_soma else np.where(neuron.is_soma, AXON, neuron.swc_type)
    return Neuron.from_arrays(neuron.xyz, neuron.parent, types, neuron.radius, name=neuron.name)


def frames():
    """Ways to frame and draw."""
    return st.builds(
        RenderSettings,
        backend=st.just("cpu"),
        projection=st.sampled_from(PROJECTIONS),
        margin=st.sampled_from([0.0, 0.001, 0.06, 0.4, 3.0]),
        adaptive_framing=st.booleans(),
        supersample_factor=st.integers(1, 3),
        width=st.sampled_from([8, 48, 97]),
        height=st.sampled_from([8, 64]),
        biased_views=st.just(3),
        random_views=st.just(3),
    )


@settings(max_examples=60)
@given(neuron=neurons(max_trees=7), frame=frames())
def test_no_view_is_empty_or_cropped_and_every_tree_is_drawn(neuron, frame):
    for view in render_neuron(neuron, frame):
        shown = view.silhouette
        # All of the neuron lies within the image, the outermost pixels are blank: nothing is cut off.
        places = np.floor(view.camera.project(neuron.xyz)[0]).astype(int)
        assert ((places >= 1) & (places < np.array(shown.shape) - 1)).all()
        assert not np.concatenate([shown[0], shown[-1], shown[:, 0], shown[:, -1]]).any()
        assert view.qc == 1.0
        # What lies at a node is drawn there, or in the sample beside it.
        assert ndimage.binary_dilation(shown, TOUCHING)[places[:, 0], places[:, 1]].all()


@settings(max_examples=60)
@given(neuron=neurons(max_trees=4), frame=frames())
def test_a_picture_has_no_more_components_than_the_neuron_has_trees(neuron, frame):
    for view in render_neuron(neuron, frame):
        assert 1 <= ndimage.label(view.silhouette, TOUCHING)[1] <= neuron.n_roots


@settings(max_examples=40)
@given(neuron=neurons(max_trees=3), projection=st.sampled_from(PROJECTIONS), bits=st.sampled_from([8, 16]))
def test_stored_depth_inverts_to_um_within_half_a_step(neuron, projection, bits):
    frame = RenderSettings(backend="cpu", projection=projection, width=64, height=48, supersample_factor=2, **FEW)
    for view in render_neuron(neuron, frame):
        again = depth_from_image(view.depth_image(bits), view.near_um, view.far_um)
        assert np.array_equal(np.isnan(again), view.mask == 0)
        step = (view.far_um - view.near_um) / (2**bits - 2)
        rounding = 2.0**-22 * max(abs(view.near_um), abs(view.far_um))
        assert np.nanmax(np.abs(again - view.depth_um)) <= step / 2 + rounding


@settings(max_examples=40)
@given(neuron=neurons(max_trees=3), projection=st.sampled_from(PROJECTIONS))
def test_canonical_views_look_exactly_along_the_axes_of_the_cable(neuron, projection):
    frame = RenderSettings(backend="cpu", projection=projection, width=8, height=8, biased_views=0, random_views=0)
    directions = np.stack([view.direction for view in render_neuron(neuron, frame)])
    axes = directions[0::2]
    assert np.array_equal(directions[1::2], -axes)
    assert np.array_equal(axes, build_geometry(neuron).axes())
    # Against numpy on points spread evenly along the cable, where the axes are well determined.
    child = np.flatnonzero(neuron.parent >= 0)
    steps = (np.arange(400) + 0.5)[:, None, None] / 400
    start = neuron.xyz[neuron.parent[child]]
    points = (start + steps * (neuron.xyz[child] - start)).reshape(-1, 3)
    lengths = np.tile(np.linalg.norm(neuron.xyz[child] - start, axis=1), 400)
    if len(child) > 1:
        variances, vectors = np.linalg.eigh(np.cov(points.T, aweights=lengths))
        if variances[0] < 0.9 * variances[1] and variances[1] < 0.9 * variances[2]:
            assert np.abs((vectors.T[::-1] * axes).sum(axis=1)).min() > 1 - 1e-4


def turned_and_moved(neuron, seed, distance):
    """The neuron as it lies in another file: turned, moved, its rows in another order."""
    rng = np.random.default_rng(seed)
    turn = Rotation.from_quat(rng.normal(size=4)).as_matrix()
    xyz = neuron.xyz @ turn.T + rng.normal(size=3) * distance
    order, depth = np.empty(0, dtype=int), np.zeros(neuron.n_nodes, dtype=int)
    for row in range(neuron.n_nodes):
        depth[row] = 0 if neuron.parent[row] < 0 else depth[neuron.parent[row]] + 1
    order = np.lexsort([rng.random(neuron.n_nodes), depth])  # parents first, otherwise by chance
    place = np.argsort(order)
    parent = np.where(neuron.parent[order] < 0, -1, place[neuron.parent[order]])
    return Neuron.from_arrays(xyz[order], parent, neuron.swc_type[order], neuron.radius[order], name=neuron.name)


def cross():
    """Two straight neurites from a soma, symmetric but for their radii and classes."""
    xyz = [[0, 0, 0], [50, 0, 0], [-50, 0, 0], [0, 20, 0], [0, -20, 0]]
    return Neuron.from_arrays(xyz, [-1, 0, 0, 0, 0], [SOMA, AXON, AXON, AXON, APICAL], [4.0, 1.0, 3.0, 1.0, 1.0])


@settings(max_examples=60)
@given(
    neuron=neurons(max_trees=3),
    projection=st.sampled_from(PROJECTIONS),
    adaptive=st.booleans(),
    seed=st.integers(0, 10_000),
    distance=st.sampled_from([0.0, 100.0, 1e5]),
)
@example(stick((0, 0, 0), (60, 0, 0), 1.0, 6.0), "ortho", False, 1, 100.0)
@example(stick((0, 0, 0), (60, 0, 0), 1.0, 6.0), "ortho", False, 2, 100.0)
@example(cross(), "perspective", False, 1, 100.0)
@example(cross(), "ortho", False, 4, 100.0)
@example(cross(), "ortho", True, 5, 100.0)
def test_a_neuron_that_is_turned_moved_and_renumbered_gives_the_same_views(
    neuron, projection, adaptive, seed, distance
):
    frame = RenderSettings(
        backend="cpu", projection=projection, adaptive_framing=adaptive, width=160, height=120, zoom_um=40.0, **FEW
    )
    views = render_neuron(neuron, frame)
    for before, after in zip(views, render_neuron(turned_and_moved(neuron, seed, distance), frame), strict=True):
        both = before.silhouette & after.silhouette
        assert both.sum() >= 0.999 * (before.silhouette | after.silhouette).sum()
        assert (before.mask == after.mask)[both].mean() >= 0.999
        assert np.quantile(np.abs(before.depth_um - after.depth_um)[both], 0.99) < 1e-2 * before.camera.um_per_px
        assert (before.zoom_bw == after.zoom_bw).mean() >= 0.999
        assert before.camera.um_per_px == pytest.approx(after.camera.um_per_px)


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("seed", range(6))
def test_of_a_flat_neuron_biased_views_show_more_than_random_ones_and_the_widest_of_all(seed, projection):
    neuron = random_neuron(seed, n_nodes=300, spread=(1.0, 0.8, 0.05), radius=(0.3, 1.0), step=4.0)
    frame = {"backend": "cpu", "projection": projection, "width": 128, "height": 128}
    views = render_neuron(neuron, RenderSettings(**frame))
    area = np.array([view.silhouette.sum() * view.camera.um_per_px**2 for view in views])
    tier = np.array([view.tier for view in views])
    assert area[tier == "biased"].mean() > area[tier == "random"].mean()
    assert np.median(area[tier == "biased"]) > np.median(area[tier == "random"])
    # The widest view is along PC3, which canonical views 4 and 5 have taken, or as close to it as biased views may be.
    assert int(np.argmax(area)) in {4, 5, *np.flatnonzero(tier == "biased")}
    # Where they have not, it is a biased view.
    views = render_neuron(neuron, RenderSettings(canonical_views=0, random_views=12, **frame))
    area = np.array([view.silhouette.sum() * view.camera.um_per_px**2 for view in views])
    assert views[int(np.argmax(area))].tier == "biased"


def test_scale_changes_nothing_but_um():
    neuron = random_neuron(3, n_nodes=80)
    frame = RenderSettings(backend="cpu", width=64, height=64, **FEW)
    for projection in PROJECTIONS:
        frame = frame.model_copy(update={"projection": projection})
        views = render_neuron(neuron, frame)
        for factor in (2.0**-33, 2.0**27):  # powers of two, so that nothing is rounded: nanometers, tens of meters
            other = replace(neuron, xyz=neuron.xyz * factor, radius=neuron.radius * factor)
            for before, after in zip(views, render_neuron(other, frame), strict=True):
                assert before.mask.tobytes() == after.mask.tobytes()
                assert after.camera.um_per_px == before.camera.um_per_px * factor
