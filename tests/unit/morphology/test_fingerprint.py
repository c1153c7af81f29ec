"""Copies share a fingerprint, other neurons do not."""

import numpy as np
import pytest

from axonet.morphology.fingerprint import fingerprint
from axonet.morphology.neuron import Neuron

from .shapes import SOMA, binary_tree, caterpillar, moved, random_neuron, renumbered, rotation, straight_cable, y_shape

SEEDS = range(6)


def neuron_of(seed):
    return random_neuron(seed, (20, 60, 400)[seed % 3], n_trees=1 + seed % 2, with_soma=seed < 3)


def test_it_is_a_hexadecimal_word():
    assert len(bytes.fromhex(fingerprint(neuron_of(0)))) == 16


@pytest.mark.parametrize("seed", SEEDS)
def test_moved_turned_mirrored_scaled_copies_are_recognized(seed):
    neuron = neuron_of(seed)
    for matrix in (rotation(seed), np.diag([1, 1, -1]), np.diag([-1, -1, -1]), 0.008 * np.eye(3), 1000 * rotation(9)):
        assert fingerprint(moved(neuron, matrix, (300, -20, 1))) == fingerprint(neuron)


@pytest.mark.parametrize("seed", SEEDS)
def test_renumbered_and_reordered_copies_are_recognized(seed):
    neuron = neuron_of(seed)
    assert fingerprint(renumbered(neuron, seed)) == fingerprint(neuron)


@pytest.mark.parametrize("seed", SEEDS)
def test_retyped_copies_and_other_radii_are_recognized(seed):
    neuron = neuron_of(seed)
    types = np.where(neuron.is_soma, SOMA, 2)
    assert fingerprint(Neuron.from_arrays(neuron.xyz, neuron.parent, types, 7.0)) == fingerprint(neuron)


def test_a_soma_of_three_points_is_as_good_as_one():
    one = neuron_of(1)
    xyz = np.concatenate([one.xyz, one.xyz[0] + [(0, 2, 0), (0, -2, 0)]])
    three = Neuron.from_arrays(xyz, [*one.parent, 0, 0], [*one.swc_type, 1, 1])
    assert fingerprint(three) == fingerprint(one)


def test_nearly_all_rounded_copies_are_recognized():
    neurons = [random_neuron(seed, 15 + seed) for seed in range(200)]
    found = sum(
        fingerprint(moved(neuron, offset=(0.12345, 7, 3))) == fingerprint(moved_and_rounded(neuron))
        for neuron in neurons
    )
    assert found >= 196


def moved_and_rounded(neuron):
    return Neuron.from_arrays(np.round(neuron.xyz + np.array([0.4567, 0, 0]), 3), neuron.parent, neuron.swc_type)


def test_random_trees_differ():
    words = [fingerprint(random_neuron(seed, 6 + seed % 50)) for seed in range(600)]
    assert len(set(words)) == len(words)


def test_unbranched_cables_of_equal_size_differ_by_their_course():
    walks = [np.cumsum(np.random.default_rng(seed).normal(size=(9, 3)), axis=0) for seed in range(300)]
    words = [fingerprint(Neuron.from_arrays(walk, np.arange(9) - 1, 2)) for walk in walks]
    assert len(set(words)) == len(words)


def test_equal_trees_of_other_proportions_differ():
    words = [fingerprint(binary_tree(depth)) for depth in range(2, 8)] + [
        fingerprint(caterpillar(k)) for k in range(3, 30)
    ]
    assert len(set(words)) == len(words)
    neuron = binary_tree(5)
    assert fingerprint(moved(neuron, np.diag([1, 1.2, 1]))) != fingerprint(neuron)


def test_a_rich_tree_is_recognized_even_stretched_and_jittered():
    neuron = random_neuron(2, 2000, branching=0.05)
    jitter = np.random.default_rng(0).normal(scale=0.3, size=neuron.xyz.shape)
    stretched = Neuron.from_arrays((neuron.xyz + jitter) * (1, 1, 1.7), neuron.parent, neuron.swc_type)
    assert fingerprint(stretched) == fingerprint(neuron)


def test_a_tree_that_lost_a_node_is_another():
    neuron = random_neuron(2, 2000)
    cut = Neuron.from_arrays(neuron.xyz[:-1], neuron.parent[:-1], neuron.swc_type[:-1])
    assert fingerprint(cut) != fingerprint(neuron)


@pytest.mark.parametrize(
    "neuron",
    [
        y_shape(),
        straight_cable(n_segments=4),
        Neuron.from_arrays([(0, 0, 0)], [-1], 1),
        Neuron.from_arrays(np.zeros((9, 3)), np.arange(9) - 1, 2),
        Neuron.from_arrays(np.arange(9)[:, None] * [1e308 / 5, 0, 0], np.arange(9) - 1, 2),
    ],
)
def test_too_little_to_recognize_has_no_fingerprint(neuron):
    assert fingerprint(neuron) == ""


@pytest.mark.parametrize("scale", [1e-100, 1e-6, 1e6, 1e100])
def test_the_unit_of_length_does_not_matter(scale):
    assert fingerprint(moved(neuron_of(0), scale * np.eye(3))) == fingerprint(neuron_of(0))
