"""Array operations on forests against walking the parents one by one."""

import numpy as np
import pytest

from axonet.morphology.forest import depths, drop_nodes, nearest_kept, parents_first, reroot, sum_from_root


def random_forest(seed, n=60, n_cycles=0):
    rng = np.random.default_rng(seed)
    parent = np.array([-1 if row == 0 or rng.random() < 0.05 else rng.integers(row) for row in range(n)])
    shuffle = rng.permutation(n)
    shuffled = np.full(n, -1)
    shuffled[shuffle] = np.where(parent < 0, -1, shuffle[parent])
    for row in rng.choice(np.flatnonzero(shuffled < 0), size=min(n_cycles, 1), replace=False):
        below = [node for node in range(n) if row in ancestors(shuffled, node)]
        shuffled[row] = below[-1] if below else row
    return shuffled


def ancestors(parent, node):
    """The nodes above a node, nearest first; stops when it meets one twice."""
    above, node = [], parent[node]
    while node >= 0 and node not in above:
        above.append(int(node))
        node = parent[node]
    return above


@pytest.mark.parametrize("seed", range(5))
def test_sums_run_over_all_ancestors(seed):
    parent = random_forest(seed)
    value = np.random.default_rng(seed).integers(0, 100, len(parent))
    expected = [value[node] + value[ancestors(parent, node)].sum() for node in range(len(parent))]
    np.testing.assert_array_equal(sum_from_root(parent, value), expected)


@pytest.mark.parametrize("seed", range(5))
def test_depth_counts_generations(seed):
    parent = random_forest(seed)
    np.testing.assert_array_equal(depths(parent), [len(ancestors(parent, node)) for node in range(len(parent))])


@pytest.mark.parametrize("seed", range(5))
def test_nodes_of_a_cycle_and_below_have_no_depth(seed):
    parent = random_forest(seed, n_cycles=1)
    rootless = [all(parent[node] >= 0 for node in [start, *ancestors(parent, start)]) for start in range(len(parent))]
    assert any(rootless)
    np.testing.assert_array_equal(depths(parent) < 0, rootless)


@pytest.mark.parametrize("seed", range(5))
def test_dropped_nodes_hand_their_children_to_the_nearest_kept_ancestor(seed):
    parent = random_forest(seed)
    keep = np.random.default_rng(seed).random(len(parent)) < 0.5
    expected = [next((node for node in ancestors(parent, start) if keep[node]), -1) for start in range(len(parent))]
    np.testing.assert_array_equal(nearest_kept(parent, keep), expected)
    kept = np.flatnonzero(keep)
    renumbered = drop_nodes(parent, keep)
    np.testing.assert_array_equal(np.where(renumbered < 0, -1, kept[renumbered]), np.array(expected)[kept])


@pytest.mark.parametrize("seed", range(5))
def test_the_new_order_has_parents_first(seed):
    parent = random_forest(seed)
    order = parents_first(parent)
    place = np.argsort(order)
    assert sorted(order) == list(range(len(parent)))
    assert all(parent[node] < 0 or place[parent[node]] < place[node] for node in range(len(parent)))


def test_an_order_with_parents_first_is_left_alone():
    np.testing.assert_array_equal(parents_first(np.array([-1, 0, 1, 0, 3, -1, 2])), np.arange(7))


@pytest.mark.parametrize("seed", range(5))
def test_rerooting_keeps_the_edges_and_moves_the_root(seed):
    parent = random_forest(seed)
    row = seed * 7
    turned = reroot(parent, row)
    undirected = [{frozenset((k, int(p))) for k, p in enumerate(tree) if p >= 0} for tree in (parent, turned)]
    assert undirected[0] == undirected[1]
    assert turned[row] == -1
    assert (depths(turned) >= 0).all()
    assert (turned < 0).sum() == (parent < 0).sum()
