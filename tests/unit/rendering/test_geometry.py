from __future__ import annotations

import numpy as np
import pytest

from axonet.morphology.neuron import Neuron
from axonet.rendering import RenderError, RenderSettings, render_neuron
from axonet.rendering.geometry import build_geometry

from .synthetic import AXON, BASAL, SOMA, picture, random_neuron


def three_point_soma(radius=7.5, hang_on=0, length=1.0):
    xyz = [[0, 0, 0], [0, length * radius, 0], [0, -length * radius, 0], [0, 40, 0], [0, 60, 0]]
    return Neuron.from_arrays(
        xyz, [-1, 0, 0, hang_on, 3], [1, 1, 1, 3, 3], [radius, radius, radius, 1, 1], name="three"
    )


def test_one_cone_per_row_with_the_class_of_the_child():
    neuron = random_neuron(n_nodes=50, n_trees=4)
    geometry = build_geometry(neuron)
    assert len(geometry.ends) == neuron.n_nodes
    assert np.array_equal(geometry.compartment, neuron.compartment)
    assert np.array_equal(geometry.ends[:, 4:7], neuron.xyz)
    assert geometry.lengths[neuron.parent < 0].tolist() == [0.0] * 4


def test_no_fat_cone_leaves_the_soma():
    neuron = Neuron.from_arrays([[0, 0, 0], [20, 0, 0], [40, 0, 0]], [-1, 0, 1], [SOMA, BASAL, BASAL], [9, 1, 2])
    assert build_geometry(neuron).ends[1:, 3].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("hang_on", [0, 1])
def test_a_3_point_soma_is_one_sphere(hang_on):
    neuron = three_point_soma(hang_on=hang_on)
    mask, _, _ = picture(neuron, 128)
    alone, _, _ = picture(Neuron.from_arrays([[0, 0, 0]], [-1], AXON, 7.5), 128)
    assert ((mask == SOMA) <= (alone > 0)).all()
    assert (mask == SOMA).sum() > 0.9 * (alone > 0).sum()


def test_an_elongated_soma_of_three_points_is_drawn_as_it_was_traced():
    neuron = three_point_soma(length=3.0)
    assert len(build_geometry(neuron).ends) == 5
    assert (picture(neuron, 128)[0] == SOMA).sum() > 2 * np.pi * 7.5**2


def test_all_trees_are_kept():
    neuron = random_neuron(n_nodes=80, n_trees=20)
    geometry = build_geometry(neuron)
    assert (geometry.lengths == 0).sum() == 20


@pytest.mark.parametrize(
    ("xyz", "types", "radius", "code"),
    [
        ([[0, 0, 0], [5, 0, 0]], [1, 1], 2.0, "no_neurites"),
        ([[0, 0, 0]], [1], 2.0, "no_neurites"),
        ([[5, 5, 5], [5, 5, 5]], [2, 2], 1e-15, "no_extent"),
        ([[0, 0, 0], [1e200, 0, 0]], [2, 2], 1.0, "bad_coordinates"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_code(xyz, types, radius, code):
    neuron = Neuron.from_arrays(xyz, [-1, *range(len(xyz) - 1)], types, radius, name="the-cell")
    with pytest.raises(RenderError, match="the-cell") as caught:
        render_neuron(neuron, RenderSettings(width=32, height=32))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "xyz",
    [
        [[0, 0, 0], [0, 0, 30]],
        [[4, 4, 4], [4, 4, 4]],
        [[4, 4, 4]],
        [[0, 0, 0], [10, 0, 0], [3, 8, 0], [-4, 4, 0]],
        [[0, 0, 0], [10, 0, 0], [20, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [10, 3, 0], [1e9, 0, 0]],
        [[1e7, 1e7, 1e7], [1e7 + 10, 1e7, 1e7]],
    ],
)
@pytest.mark.parametrize("projection", ["ortho", "perspective"])
def test_flat_and_degenerate_neurons_are_drawn(xyz, projection):
    neuron = Neuron.from_arrays(xyz, [-1] + [0] * (len(xyz) - 1), AXON, 0.5, name="odd")
    settings = RenderSettings(width=48, height=32, supersample_factor=2, projection=projection)
    for view in render_neuron(neuron, settings):
        assert view.silhouette.any()
        assert view.qc == 1.0
