"""What a Neuron promises."""

import pickle

import numpy as np
import pytest

from axonet.morphology.compartments import Compartment
from axonet.morphology.neuron import Neuron

from .shapes import random_neuron, straight_cable, y_shape


def test_compartments_follow_the_types():
    assert y_shape().compartment.tolist() == [Compartment.SOMA] + [Compartment.BASAL] * 3
    assert y_shape().compartment.dtype == np.uint8


@pytest.mark.parametrize(
    "change",
    [
        {"xyz": [(0, 0, 0)]},
        {"parent": [-1, 2, 0]},
        {"parent": [-1, 1, 0]},
        {"parent": [-1, -2, 0]},
        {"parent": [-1, 0]},
        {"xyz": [(0, 0, 0), (0, 0, np.nan), (0, 0, 2)]},
        {"radius": [1, 0, 1]},
        {"radius": [1, -1, 1]},
        {"radius": [1, np.inf, 1]},
        {"xyz": [], "parent": [], "swc_type": [], "radius": []},
    ],
)
def test_arrays_that_break_a_law_are_refused(change):
    legal = {"xyz": np.eye(3), "parent": [-1, 0, 1], "swc_type": [3, 3, 3], "radius": [1, 1, 1]}
    Neuron.from_arrays(**legal)
    with pytest.raises(ValueError):
        Neuron.from_arrays(**{**legal, **change})


def test_edges_are_pairs_of_parent_and_child():
    assert y_shape().edges().tolist() == [[0, 1], [1, 2], [1, 3]]
    assert Neuron.from_arrays([(0, 0, 0)], [-1], 1).edges().shape == (0, 2)


def test_the_extent_is_the_bounding_box_of_the_nodes():
    np.testing.assert_allclose(straight_cable(100, direction=(3, 4, 0)).extent, [60, 80, 0])


def test_equality_is_by_number():
    assert random_neuron(1) == random_neuron(1)
    assert random_neuron(1) != random_neuron(2)
    assert random_neuron(1) != "random-1"


def test_a_neuron_travels_without_what_was_derived():
    neuron = random_neuron(1)
    neuron.morphometrics()
    travelled = pickle.loads(pickle.dumps(neuron))
    assert travelled == neuron
    assert "topology" not in vars(travelled)
    assert travelled.morphometrics() == pytest.approx(neuron.morphometrics(), nan_ok=True)


def test_scaling_multiplies_positions_and_radii():
    neuron = random_neuron(3)
    scaled = neuron.scaled(0.008)
    np.testing.assert_array_equal(scaled.xyz, neuron.xyz * 0.008)
    np.testing.assert_array_equal(scaled.radius, neuron.radius * 0.008)
    assert scaled.soma_radius == neuron.soma_radius * 0.008


def test_scaling_judges_units_anew_and_keeps_repairs():
    neuron = Neuron.from_arrays(
        [(0, 0, 0), (0, 900, 7), (0, 1000, 9)], [-1, 0, 1], [1, 3, 3], [400, 30, 20], warnings=["bad_radius"]
    ).scaled(1.5)
    assert neuron.warnings == ("bad_radius", "long_edge", "suspicious_units")
    assert neuron.scaled(0.008 / 1.5).warnings == ("bad_radius",)


@pytest.mark.parametrize("factor", [0, -1, np.nan, np.inf])
def test_a_scale_that_is_none_is_refused(factor):
    with pytest.raises(ValueError, match="scale"):
        y_shape().scaled(factor)


def soma(points, radii, parent):
    neuron = Neuron.from_arrays(points, parent, 1, radii)
    return neuron.soma_center, neuron.soma_radius


def test_a_point_soma_is_itself():
    center, radius = soma([(1, 2, 3)], [4], [-1])
    assert center.tolist() == [1, 2, 3]
    assert radius == 4


def test_a_three_point_soma_is_its_first_point():
    center, radius = soma([(1, 2, 3), (1, 9.5, 3), (1, -5.5, 3)], [7.5, 7, 8], [-1, 0, 0])
    assert center.tolist() == [1, 2, 3]
    assert radius == 7.5


def test_a_soma_of_cylinders_is_the_sphere_with_their_surface():
    center, radius = soma([(0, 0, 0), (10, 0, 0), (20, 0, 0)], [5, 5, 5], [-1, 0, 1])
    assert center.tolist() == [10, 0, 0]
    assert 4 * np.pi * radius**2 == pytest.approx(2 * np.pi * 5 * 20)


def test_a_soma_is_never_thinner_than_its_thickest_point():
    assert soma([(0, 0, 0), (0.1, 0, 0)], [5, 6], [-1, 0])[1] == 6


def test_without_a_soma_there_is_no_soma_center():
    assert straight_cable().soma_center is None
    assert straight_cable().soma_radius is None
