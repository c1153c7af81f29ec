"""What must not matter to a measure, and what must matter in a known way."""

import numpy as np
import pytest

from axonet.morphology.morphometrics import MORPHOMETRICS
from axonet.morphology.neuron import Neuron

from .shapes import moved, random_neuron, renumbered, rotation

SEEDS = range(4)
POWER = {"um": 1, "um2": 2, "um3": 3}
OF_SAMPLING = ("fragmentation", "nodes_per_section", "mean_local_bifurcation_angle")


def neuron_of(seed):
    return random_neuron(seed, 150, n_trees=1 + seed, with_soma=seed % 2 == 0)


def assert_same(left, right, rel=1e-6):
    assert left.morphometrics() == pytest.approx(right.morphometrics(), rel=rel, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_turning_and_moving_change_nothing(seed):
    assert_same(moved(neuron_of(seed), rotation(seed), (100, -50, 7)), neuron_of(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_mirroring_changes_nothing(seed):
    assert_same(moved(neuron_of(seed), np.diag([1, -1, 1])), neuron_of(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_numbering_and_order_change_nothing(seed):
    assert_same(renumbered(neuron_of(seed), seed), neuron_of(seed))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("factor", [0.008, 3.0])
def test_every_unit_scales_as_it_says(seed, factor):
    plain, scaled = neuron_of(seed).morphometrics(), neuron_of(seed).scaled(factor).morphometrics()
    for name, measure in MORPHOMETRICS.items():
        power = POWER.get(measure.unit, 0)
        assert scaled[name] == pytest.approx(plain[name] * factor**power, rel=1e-6, nan_ok=True), name


@pytest.mark.parametrize("seed", SEEDS)
def test_more_points_on_the_same_cable_change_only_what_counts_them(seed):
    neuron = neuron_of(seed)
    plain, finer = neuron.morphometrics(), halved(neuron).morphometrics()
    for name in MORPHOMETRICS:
        if name == "fragmentation":
            assert finer[name] == 2 * plain[name]
        elif name == "sholl_max_crossings":
            assert finer[name] >= plain[name]  # a segment that passes by the soma is now seen to come and go
        elif name not in ("nodes_per_section", "soma_radius", "surface_area", "volume", "mean_radius", "mean_taper"):
            assert finer[name] == pytest.approx(plain[name], nan_ok=True), name


def halved(neuron):
    """The same neuron with a node in the middle of every edge."""
    rows, xyz, parent, types, radii = {}, [], [], [], []
    for row in range(neuron.n_nodes):
        above = neuron.parent[row]
        if above >= 0:
            xyz.append((neuron.xyz[row] + neuron.xyz[above]) / 2)
            parent.append(rows[above])
            types.append(neuron.swc_type[row])
            radii.append((neuron.radius[row] + neuron.radius[above]) / 2)
        xyz.append(neuron.xyz[row])
        parent.append(len(xyz) - 2 if above >= 0 else -1)
        types.append(neuron.swc_type[row])
        radii.append(neuron.radius[row])
        rows[row] = len(xyz) - 1
    return Neuron.from_arrays(xyz, parent, types, radii)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_whole_is_the_sum_of_its_compartments(seed):
    measures = neuron_of(seed).morphometrics()
    parts = sum(measures[f"{part}_cable_length"] for part in ("axon", "basal", "apical", "other"))
    assert measures["cable_length"] == pytest.approx(parts)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_size_of_distances(seed):
    measures = neuron_of(seed).morphometrics()
    assert measures["mean_tip_path_distance"] <= measures["max_path_distance"] <= measures["cable_length"]
    assert measures["mean_contraction"] <= 1 <= measures["mean_tortuosity"]
    assert measures["depth"] <= measures["width"]
