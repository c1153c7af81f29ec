"""Sections, orders and distances: small shapes by hand, random ones against slow walks."""

import numpy as np
import pytest

from axonet.morphology.topology import topology

from .shapes import binary_tree, caterpillar, random_neuron, straight_cable, y_shape

RANDOM = [(seed, trees, soma) for seed in range(4) for trees in (1, 4) for soma in (True, False)]


def test_a_y_has_three_sections():
    sections = topology(y_shape()).sections
    assert sections.start.tolist() == [0, 1, 1]
    assert sections.end.tolist() == [1, 2, 3]
    assert sections.parent.tolist() == [-1, 0, 0]
    assert sections.n_tips.tolist() == [2, 1, 1]
    assert sections.strahler.tolist() == [2, 1, 1]
    np.testing.assert_allclose(sections.length, [30, 20, 20])


def test_a_cable_is_one_section_from_its_root():
    sections = topology(straight_cable(100, 10)).sections
    assert (sections.start.tolist(), sections.end.tolist(), sections.n_segments.tolist()) == ([0], [10], [10])
    assert sections.of_node.tolist() == [-1] + [0] * 10


@pytest.mark.parametrize("depth", range(6))
def test_a_binary_tree_has_one_strahler_order_more_than_forks(depth):
    tree = topology(binary_tree(depth))
    assert tree.sections.strahler[0] == depth + 1
    assert tree.sections.n_tips[0] == 2**depth
    assert tree.branch_order.max() == depth


def test_side_branches_do_not_raise_the_strahler_order():
    tree = topology(caterpillar(10))
    assert tree.sections.strahler.max() == 2
    assert tree.branch_order.max() == 10


@pytest.mark.parametrize(("seed", "n_trees", "soma"), RANDOM)
def test_distances_and_orders_add_up_along_the_way(seed, n_trees, soma):
    neuron = random_neuron(seed, n_trees=n_trees, with_soma=soma)
    tree = topology(neuron)
    for node in range(neuron.n_nodes):
        walked, order, above = 0.0, 0, node
        while neuron.parent[above] >= 0:
            walked += 0 if tree.is_soma[above] else np.linalg.norm(neuron.xyz[above] - neuron.xyz[neuron.parent[above]])
            above = neuron.parent[above]
            order += tree.is_branch_point[above]
        assert tree.path_distance[node] == pytest.approx(walked)
        assert tree.branch_order[node] == order
        assert tree.tree[node] == above


@pytest.mark.parametrize(("seed", "n_trees", "soma"), RANDOM)
def test_sections_cover_the_cable_once(seed, n_trees, soma):
    neuron = random_neuron(seed, n_trees=n_trees, with_soma=soma)
    tree = topology(neuron)
    sections = tree.sections
    assert sections.length.sum() == pytest.approx(tree.cable.sum())
    assert sections.n_segments.sum() == len(tree.edge)
    for number in range(len(sections)):
        node, met = sections.end[number], []
        while node != sections.start[number]:
            met.append(node)
            node = neuron.parent[node]
        assert met[-1] == sections.first[number]
        assert all(tree.n_children[inner] == 1 for inner in met[1:])
        assert sorted(np.flatnonzero(sections.of_node == number)) == sorted(met)
        assert sections.length[number] == pytest.approx(tree.cable[met].sum())
        begins = tree.is_soma[node] or neuron.parent[node] < 0 or tree.n_children[node] > 1
        assert begins
        assert tree.n_children[sections.end[number]] != 1


@pytest.mark.parametrize(("seed", "n_trees", "soma"), RANDOM)
def test_tips_and_strahler_orders_follow_from_the_sections_beyond(seed, n_trees, soma):
    tree = topology(random_neuron(seed, n_trees=n_trees, with_soma=soma))
    sections = tree.sections
    for number in range(len(sections)):
        beyond = np.flatnonzero(sections.parent == number)
        if not len(beyond):
            assert (sections.n_tips[number], sections.strahler[number]) == (1, 1)
            continue
        orders = sorted(sections.strahler[beyond])
        assert sections.n_tips[number] == sections.n_tips[beyond].sum()
        assert sections.strahler[number] == orders[-1] + (orders[-1] == orders[-2])


@pytest.mark.parametrize(("seed", "n_trees", "soma"), RANDOM)
def test_branches_and_tips_balance(seed, n_trees, soma):
    neuron = random_neuron(seed, n_trees=n_trees, with_soma=soma)
    tree = topology(neuron)
    starts = np.flatnonzero(tree.is_branch_point)
    rooted_sections = (tree.sections.parent < 0).sum()
    assert (
        len(tree.sections)
        == tree.n_children[starts].sum() + rooted_sections - tree.n_children[starts[neuron.parent[starts] < 0]].sum()
    )


def test_without_a_soma_distances_start_at_the_root_of_the_largest_tree():
    neuron = random_neuron(1, n_trees=5, with_soma=False)
    tree = topology(neuron)
    cable = {root: tree.cable[tree.tree == root].sum() for root in np.flatnonzero(neuron.parent < 0)}
    np.testing.assert_array_equal(tree.origin, neuron.xyz[max(cable, key=cable.get)])


def test_a_chain_of_a_hundred_thousand_nodes_is_no_trouble():
    tree = topology(straight_cable(1000, 100_000))
    assert tree.path_distance.max() == pytest.approx(1000)
    assert len(tree.sections) == 1


def test_twenty_thousand_branch_points_in_a_row_are_no_trouble():
    tree = topology(caterpillar(20_000))
    assert tree.branch_order.max() == 20_000
    assert tree.sections.n_tips[0] == 20_001
