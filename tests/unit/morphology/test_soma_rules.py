"""The rules of reading that concern the soma: one group, at the root, no outline."""

import numpy as np
import pytest

from axonet.morphology.swc import SWCError, parse_swc

from .shapes import swc


def read(*rows, end="\n"):
    return parse_swc(swc(*rows, end=end), "cell")


def code_of(data):
    with pytest.raises(SWCError) as caught:
        parse_swc(data, "cell")
    return caught.value.code


def test_two_groups_of_soma_nodes_are_two_neurons():
    assert code_of(swc("1 1 0 0 0 5 -1", "2 3 10 0 0 1 1", "3 1 20 0 0 5 2")) == "multiple_somata"
    assert code_of(swc("1 1 0 0 0 5 -1", "2 1 90 0 0 5 -1")) == "multiple_somata"


def test_a_soma_of_many_connected_nodes_is_one():
    assert read("1 1 0 0 0 5 -1", "2 1 4 0 0 5 1", "3 1 8 0 0 5 2", "4 1 0 4 0 5 1", "5 1 0 8 1 5 4").n_nodes == 5


def test_a_soma_that_is_not_the_root_becomes_it():
    tip_first = read("1 3 20 0 2 0.5 -1", "2 3 10 0 0 1 1", "3 1 0 0 0 5 2", "4 2 0 -10 1 0.5 3", "5 3 12 3 0 1 2")
    assert tip_first.warnings == ("soma_not_root",)
    assert tip_first.swc_type[tip_first.parent < 0].tolist() == [1]
    parents = dict(zip(tip_first.node_id.tolist(), tip_first.node_id[tip_first.parent].tolist(), strict=True))
    del parents[3]
    assert parents == {1: 2, 2: 3, 4: 3, 5: 2}


def test_rerooting_leaves_other_trees_alone():
    neuron = read("1 3 20 0 2 0.5 -1", "2 1 10 0 0 5 1", "3 2 90 0 0 1 -1", "4 2 99 0 0 2 3")
    assert neuron.warnings == ("multiple_roots", "soma_not_root")
    roots = neuron.node_id[neuron.parent < 0]
    assert sorted(roots.tolist()) == [2, 3]


def ring(n, radius=6.0, thickness=0.1, squeeze=1.0, star=False):
    angles = 2 * np.pi * np.arange(n) / n
    rows = []
    for k, angle in enumerate(angles):
        parent = -1 if k == 0 else (1 if star else k)
        rows.append(f"{k + 1} 1 {radius * np.cos(angle)} {squeeze * radius * np.sin(angle)} 0 {thickness} {parent}")
    return rows


@pytest.mark.parametrize("n", [4, 5, 8, 30])
@pytest.mark.parametrize("star", [False, True])
def test_a_ring_of_thin_points_becomes_one_point(n, star):
    neuron = read(*ring(n, star=star), f"{n + 1} 3 20 0 1 1 3", f"{n + 2} 3 30 0 2 2 {n + 1}")
    assert neuron.warnings == ("soma_contour",)
    assert neuron.n_nodes == 3
    assert neuron.parent.tolist() == [-1, 0, 1]
    np.testing.assert_allclose(neuron.soma_center, 0, atol=1e-12)
    assert neuron.soma_radius == pytest.approx(6)


def test_three_points_are_no_contour():
    assert read(*ring(3)).is_soma.sum() == 3


def test_thick_points_are_no_contour():
    assert read(*ring(8, thickness=4)).is_soma.sum() == 8


def test_a_line_or_an_open_arc_of_thin_points_is_no_contour():
    line = [f"{k + 1} 1 {3 * k} {0.1 * (k % 2)} 0 0.5 {k or -1}" for k in range(8)]
    assert read(*line).is_soma.sum() == 8
    arc = [f"{k + 1} 1 {9 * np.cos(k / 4)} {9 * np.sin(k / 4)} 0 0.5 {k or -1}" for k in range(12)]
    assert read(*arc).is_soma.sum() == 12


def test_a_ring_that_hangs_on_a_neurite_is_rooted_and_collapsed():
    rows = ["100 3 40 0 1 1 -1", "101 3 20 0 0 2 100", *ring(8)]
    rows[2] = rows[2].replace(" -1", " 101")
    neuron = read(*rows)
    assert neuron.warnings == ("non_sequential_ids", "soma_contour", "soma_not_root")
    assert neuron.n_nodes == 3
    assert neuron.parent.tolist() == [-1, 0, 1]
    assert neuron.node_id.tolist() == [1, 101, 100]
