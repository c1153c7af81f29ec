"""The descriptor's bars, by hand and by law."""

import numpy as np
import pytest

from axonet.morphology.neuron import Neuron
from axonet.morphology.persistence import (
    N_NUMBERS,
    SIDE,
    WIDTH,
    bars,
    packed_numbers,
    persistence_numbers,
    unpacked_numbers,
)

from .shapes import moved, random_neuron, renumbered, rotation


def test_by_hand_the_farther_of_two_branches_goes_on_to_the_soma():
    #  soma at 0, a stem to (10, 0), from there a long branch to (20, 0) and a short one to (10, 5);
    #  the long one forks at (20, 0) into tips at (30, 0) and (20, 7)
    xyz = [(0, 0, 0), (10, 0, 0), (20, 0, 0), (10, 5, 0), (30, 0, 0), (20, 7, 0)]
    neuron = Neuron.from_arrays(xyz, [-1, 0, 1, 1, 2, 2], [1, 3, 3, 3, 3, 3])
    expected = [(np.hypot(10, 5), 10), (np.hypot(20, 7), 20), (30, 0)]
    np.testing.assert_allclose(bars(neuron), expected)
    numbers = persistence_numbers(neuron)
    picture = np.zeros((SIDE, SIDE))
    for row in range(SIDE):
        for column in range(SIDE):
            y, x = (row + 0.5) / SIDE, (column + 0.5) / SIDE
            for tip, end in expected:
                off = (y - tip / 30) ** 2 + (x - end / 30) ** 2
                picture[row, column] += np.exp(-off / (2 * WIDTH**2)) / 3
    np.testing.assert_allclose(numbers[:-2].reshape(SIDE, SIDE), picture, atol=1e-12)
    np.testing.assert_allclose(numbers[-2:], [np.log(30), np.log(3)])


def test_three_branches_at_one_point_end_two_bars_there():
    xyz = [(0, 0, 0), (0, 0, 4), (0, 3, 4), (0, 0, 9), (6, 0, 4)]
    neuron = Neuron.from_arrays(xyz, [-1, 0, 1, 1, 1], [1, 3, 3, 3, 3])
    np.testing.assert_allclose(bars(neuron), [(5, 4), (np.hypot(6, 4), 4), (9, 0)])


@pytest.mark.parametrize("seed", range(4))
def test_one_bar_a_tip_and_none_beyond_the_farthest_tip(seed):
    neuron = random_neuron(seed, 300, n_trees=1 + seed % 2, with_soma=seed < 2)
    own = bars(neuron)
    assert len(own) == neuron.topology.is_tip.sum()
    tips = np.sort(neuron.topology.radial_distance[neuron.topology.is_tip])
    np.testing.assert_allclose(np.sort(own[:, 0]), tips)  # every tip begins one


@pytest.mark.parametrize("seed", range(3))
def test_the_picture_knows_neither_place_nor_direction_nor_unit(seed):
    neuron = random_neuron(seed, 200)
    other = renumbered(moved(neuron, 3 * rotation(seed), (50, 2, 9)), seed)
    own, changed = persistence_numbers(neuron), persistence_numbers(other)
    np.testing.assert_allclose(changed[:-2], own[:-2], atol=1e-9)
    assert changed[-2] == pytest.approx(own[-2] + np.log(3))
    assert len(own) == N_NUMBERS


def test_packed_numbers_come_back_to_three_digits_and_missing_ones_as_nan():
    neuron = random_neuron(0, 200)
    found = unpacked_numbers([None, packed_numbers(neuron)])
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], persistence_numbers(neuron), rtol=2e-3, atol=1e-6)
    assert packed_numbers(Neuron.from_arrays([(0, 0, 0)], [-1], 1)) is None


def test_a_lone_soma_has_no_picture():
    assert persistence_numbers(Neuron.from_arrays([(0, 0, 0)], [-1], 1)) is None
