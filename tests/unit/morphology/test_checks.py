"""What looks odd: each code alone, and its borders."""

import numpy as np
import pytest

from axonet.morphology.checks import QUALITY_CODES, quality_codes
from axonet.morphology.neuron import Neuron

from .shapes import random_neuron


def codes(xyz, parent, types, radius=None):
    radius = 1 + 0.1 * np.arange(len(xyz)) if radius is None else radius
    neuron = Neuron.from_arrays(xyz, parent, types, radius)
    assert ("no_soma" in quality_codes(neuron)) == (1 not in neuron.swc_type)
    return set(quality_codes(neuron)) - {"no_soma"}


def test_a_plain_neuron_has_none():
    assert quality_codes(random_neuron(0)) == ()


def test_nothing_but_a_soma():
    assert codes([(0, 0, 0)], [-1], 1) == {"no_neurites"}
    assert codes([(0, 0, 0), (0, 5, 0), (0, -5, 0)], [-1, 0, 0], 1, 5) == {"no_neurites", "flat_z"}


def test_loose_pieces():
    assert codes([(0, 0, 0), (0, 5, 1), (90, 5, 2), (90, 9, 3)], [-1, 0, -1, 2], [1, 3, 2, 2]) == {"multiple_roots"}


def test_one_radius_for_all_neurites_was_not_measured():
    points = [(0, 0, 0), (0, 9, 3), (0, 20, 1)]
    assert codes(points, [-1, 0, 1], [1, 3, 3], [5, 1, 1]) == {"constant_radius"}
    assert codes(points, [-1, 0, 1], [1, 3, 3], [5, 1, 1.5]) == set()
    assert codes(points[:2], [-1, 0], [1, 3], [5, 1]) == set()


def test_a_tracing_in_one_plane():
    assert codes([(0, 0, 7), (0, 9, 7), (4, 20, 7)], [-1, 0, 1], 3) == {"flat_z"}
    assert codes([(0, 0, 7), (0, 9, 7), (0, 9, 7)], [-1, 0, 1], 3) == {"flat_z", "zero_length_edges"}


def test_a_single_point_is_not_flat():
    assert "flat_z" not in codes([(0, 0, 7)], [-1], 3)


def test_a_point_on_its_parent():
    assert codes([(0, 0, 0), (0, 9, 3), (0, 9, 3)], [-1, 0, 1], 3) == {"zero_length_edges"}


@pytest.mark.parametrize(("length", "expected"), [(1000.0, set()), (1000.1, {"long_edge"})])
def test_an_edge_above_a_millimeter(length, expected):
    assert codes([(0, 0, 0), (0, 0, length), (0, 0, length + 5)], [-1, 0, 1], 3) == expected


@pytest.mark.parametrize(("radius", "expected"), [(50.0, set()), (50.1, {"suspicious_units"})])
def test_a_soma_above_fifty_micrometers(radius, expected):
    assert codes([(0, 0, 0), (0, 0, 60), (0, 0, 80)], [-1, 0, 1], [1, 3, 3], [radius, 1, 2]) == expected


def test_an_extent_above_twenty_millimeters_in_ordinary_steps():
    n = 50
    assert codes(np.arange(n)[:, None] * np.array([0, 0, 500.0]), np.arange(n) - 1, 3) == {"suspicious_units"}
    n = 40
    assert codes(np.arange(n)[:, None] * np.array([0, 0, 500.0]), np.arange(n) - 1, 3) == set()


def test_a_spider_leg_says_nothing_about_units():
    assert codes([(0, 0, 0), (0, 9, 3), (0, 50_000, 3)], [-1, 0, 1], 3) == {"long_edge"}


def test_codes_are_sorted():
    assert list(QUALITY_CODES) == sorted(QUALITY_CODES)
