"""Every measure against shapes whose answer is known."""

import math

import numpy as np
import pytest

from axonet.morphology.morphometrics import MORPHOMETRICS
from axonet.morphology.neuron import Neuron

from .shapes import APICAL, AXON, BASAL, SOMA, binary_tree, caterpillar, random_neuron, straight_cable, y_shape

SOMA_ONLY = Neuron.from_arrays([(1, 2, 3)], [-1], SOMA, 6)


def test_the_registry_explains_itself():
    assert list(MORPHOMETRICS) == list(random_neuron(0).morphometrics())
    assert len(MORPHOMETRICS) >= 25
    for name, measure in MORPHOMETRICS.items():
        assert measure.name == name
        assert measure.unit in ("", "um", "um2", "um3", "degrees")
        assert measure.description.endswith(".")
        assert measure(y_shape()) == pytest.approx(y_shape().morphometrics()[name], nan_ok=True)
        assert type(measure(SOMA_ONLY)) is float


def test_what_reads_types_or_thickness_or_sampling_says_so():
    neuron = random_neuron(5)
    plain = neuron.morphometrics()
    retyped = Neuron.from_arrays(neuron.xyz, neuron.parent, np.where(neuron.is_soma, SOMA, AXON), neuron.radius)
    thicker = Neuron.from_arrays(neuron.xyz, neuron.parent, neuron.swc_type, neuron.radius[::-1] * 3)
    for other, flag in ((retyped, "compartment"), (thicker, "artefact")):
        for name, value in other.morphometrics().items():
            if not getattr(MORPHOMETRICS[name], flag):
                assert value == pytest.approx(plain[name], nan_ok=True), name


# A straight cable --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_segments", [1, 2, 7, 100])
@pytest.mark.parametrize("direction", [(1, 0, 0), (1, 2, -2)])
def test_a_straight_cable(n_segments, direction):
    measures = straight_cable(80, n_segments, 0.5, direction).morphometrics()
    expected = {
        "cable_length": 80,
        "max_path_distance": 80,
        "mean_tip_path_distance": 80,
        "max_radial_distance": 80,
        "mean_section_length": 80,
        "width": 0.95 * 80,
        "height": 0,
        "depth": 0,
        "sholl_max_crossings": 1,
        "n_branch_points": 0,
        "n_tips": 1,
        "n_stems": 1,
        "n_sections": 1,
        "max_branch_order": 0,
        "strahler_order": 1,
        "partition_asymmetry": math.nan,
        "mean_local_bifurcation_angle": math.nan,
        "mean_remote_bifurcation_angle": math.nan,
        "mean_contraction": 1,
        "mean_tortuosity": 1,
        "surface_area": 2 * math.pi * 0.5 * 80,
        "volume": math.pi * 0.25 * 80,
        "mean_radius": 0.5,
        "max_radius": 0.5,
        "soma_radius": math.nan,
        "mean_taper": 0,
        "fragmentation": n_segments,
        "nodes_per_section": n_segments,
        "n_roots": 1,
        "axon_cable_length": 0,
        "basal_cable_length": 80,
        "apical_cable_length": 0,
        "other_cable_length": 0,
        "axon_fraction": 0,
        "basal_fraction": 1,
        "apical_fraction": 0,
        "n_axon_tips": 0,
        "n_basal_stems": 1,
    }
    assert measures == pytest.approx(expected, abs=1e-5, nan_ok=True)


def test_a_cone_frustum():
    cone = Neuron.from_arrays([(0, 0, 0), (0, 0, 12)], [-1, 0], AXON, [6, 1])
    measures = cone.morphometrics()
    assert measures["surface_area"] == pytest.approx(math.pi * 7 * 13)
    assert measures["volume"] == pytest.approx(math.pi * 12 / 3 * (36 + 6 + 1))
    assert measures["mean_radius"] == pytest.approx(3.5)
    assert measures["max_radius"] == 6
    assert measures["mean_taper"] == pytest.approx(5 / 12)


def test_cutting_a_cone_into_slices_changes_neither_surface_nor_volume():
    z = np.sort(np.append(np.random.default_rng(0).uniform(0, 12, 20), (0, 12)))
    sliced = Neuron.from_arrays(np.outer(z, (0, 0, 1)), np.arange(22) - 1, AXON, 6 - 5 * z / 12).morphometrics()
    assert sliced["surface_area"] == pytest.approx(math.pi * 7 * 13)
    assert sliced["volume"] == pytest.approx(math.pi * 12 / 3 * 43)
    assert sliced["mean_radius"] == pytest.approx(3.5)


def test_a_thick_soma_makes_no_cone_of_the_first_segment():
    neuron = Neuron.from_arrays([(0, 0, 0), (0, 0, 20)], [-1, 0], [SOMA, AXON], [10, 0.5])
    assert neuron.morphometrics()["surface_area"] == pytest.approx(2 * math.pi * 0.5 * 20)
    assert neuron.morphometrics()["max_radius"] == 0.5
    assert neuron.morphometrics()["soma_radius"] == 10


# An L, a Y and a loop ----------------------------------------------------------------------------------------------


def test_an_l_is_bent():
    measures = Neuron.from_arrays([(0, 0, 0), (30, 0, 0), (30, 40, 0)], [-1, 0, 1], AXON).morphometrics()
    assert measures["cable_length"] == 70
    assert measures["mean_contraction"] == pytest.approx(50 / 70)
    assert measures["mean_tortuosity"] == pytest.approx(70 / 50)
    assert measures["max_radial_distance"] == 50
    assert measures["max_path_distance"] == 70


def test_contraction_counts_sections_alike_and_tortuosity_weighs_them():
    # A straight stem of 90 that forks into two L-shaped arms of 3 + 4.
    xyz = [(0, 0, 0), (90, 0, 0), (93, 0, 0), (93, 4, 0), (90, 0, 3), (90, 4, 3)]
    measures = Neuron.from_arrays(xyz, [-1, 0, 1, 2, 1, 4], AXON).morphometrics()
    assert measures["mean_contraction"] == pytest.approx((1 + 5 / 7 + 5 / 7) / 3)
    assert measures["mean_tortuosity"] == pytest.approx((90 + 7 + 7) / (90 + 5 + 5))


def test_a_closed_loop_has_no_tortuosity():
    loop = Neuron.from_arrays([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 0, 0)], [-1, 0, 1, 2], AXON).morphometrics()
    assert math.isnan(loop["mean_tortuosity"])
    assert loop["mean_contraction"] == 0


@pytest.mark.parametrize("angle", [5, 60, 90, 135, 180])
def test_the_angle_of_a_y(angle):
    measures = y_shape(angle=angle).morphometrics()
    assert measures["mean_local_bifurcation_angle"] == pytest.approx(angle)
    assert measures["mean_remote_bifurcation_angle"] == pytest.approx(angle)
    assert measures["partition_asymmetry"] == 0
    assert (measures["n_branch_points"], measures["n_tips"], measures["n_stems"], measures["n_sections"]) == (
        1,
        2,
        1,
        3,
    )


def test_local_angles_look_at_the_first_segment_and_remote_ones_at_the_end():
    xyz = [(0, 0, 0), (5, 0, 0), (5, 1, 0), (15, 1, 0), (5, -1, 0), (15, -1, 0)]
    measures = Neuron.from_arrays(xyz, [-1, 0, 1, 2, 1, 4], AXON).morphometrics()
    assert measures["mean_local_bifurcation_angle"] == pytest.approx(180)
    assert measures["mean_remote_bifurcation_angle"] == pytest.approx(2 * math.degrees(math.atan(1 / 10)))


def test_a_branch_without_direction_has_no_angle():
    xyz = [(0, 0, 0), (5, 0, 0), (5, 0, 0), (5, 5, 0)]
    assert math.isnan(Neuron.from_arrays(xyz, [-1, 0, 1, 1], AXON).morphometrics()["mean_local_bifurcation_angle"])


def test_three_way_branch_points_have_no_bifurcation_angle_or_asymmetry():
    xyz = [(0, 0, 0), (5, 0, 0), (9, 0, 0), (5, 5, 0), (5, -5, 0)]
    measures = Neuron.from_arrays(xyz, [-1, 0, 1, 1, 1], AXON).morphometrics()
    assert measures["n_branch_points"] == 1
    assert math.isnan(measures["mean_local_bifurcation_angle"])
    assert math.isnan(measures["partition_asymmetry"])


# Trees -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", range(1, 7))
def test_a_symmetric_binary_tree(depth):
    measures = binary_tree(depth, length=10).morphometrics()
    assert measures["n_tips"] == 2**depth
    assert measures["n_branch_points"] == 2**depth - 1
    assert measures["n_sections"] == 2 * measures["n_branch_points"] + measures["n_stems"]
    assert measures["cable_length"] == pytest.approx(10 * (2 ** (depth + 1) - 1))
    assert measures["max_branch_order"] == depth
    assert measures["strahler_order"] == depth + 1
    assert measures["partition_asymmetry"] == 0
    assert measures["max_path_distance"] == pytest.approx(10 * (depth + 1))
    assert measures["mean_tip_path_distance"] == pytest.approx(10 * (depth + 1))
    assert measures["mean_section_length"] == pytest.approx(10)
    assert measures["mean_contraction"] == pytest.approx(1)


def test_the_most_lopsided_tree_has_asymmetry_one_but_for_its_last_fork():
    n = 10
    assert caterpillar(n).morphometrics()["partition_asymmetry"] == pytest.approx((n - 1) / n)
    assert caterpillar(n).morphometrics()["strahler_order"] == 2


def test_partition_asymmetry_of_a_tree_by_hand():
    # Four tips: one side of the first fork has one, the other three; of these, one against two; then one each.
    xyz = np.random.default_rng(0).normal(size=(8, 3))
    measures = Neuron.from_arrays(xyz, [-1, 0, 1, 1, 3, 3, 5, 5], [SOMA] + [AXON] * 7).morphometrics()
    assert measures["partition_asymmetry"] == pytest.approx((2 / 2 + 1 / 1 + 0) / 3)


def test_stems_are_roots_where_there_is_no_soma():
    assert random_neuron(0, n_trees=5, with_soma=False).morphometrics()["n_stems"] == 5
    star = Neuron.from_arrays([(0, 0, 0), *np.eye(3)], [-1, 0, 0, 0], [SOMA, BASAL, AXON, APICAL])
    assert star.morphometrics()["n_stems"] == 3
    assert star.morphometrics()["n_basal_stems"] == 1
    assert star.morphometrics()["n_axon_tips"] == 1


def test_compartments_share_the_cable():
    xyz = [(0, 0, 0), (10, 0, 0), (0, 20, 0), (0, 0, 30), (-40, 0, 0)]
    measures = Neuron.from_arrays(xyz, [-1, 0, 0, 0, 0], [SOMA, AXON, BASAL, APICAL, 7]).morphometrics()
    lengths = [measures[f"{part}_cable_length"] for part in ("axon", "basal", "apical", "other")]
    assert lengths == [10, 20, 30, 40]
    fractions = [measures[f"{part}_fraction"] for part in ("axon", "basal", "apical")]
    assert fractions == pytest.approx([0.1, 0.2, 0.3])


def test_an_edge_has_the_compartment_of_its_child():
    neuron = Neuron.from_arrays([(0, 0, 0), (10, 0, 0), (30, 0, 0)], [-1, 0, 1], [SOMA, BASAL, AXON])
    assert neuron.morphometrics()["basal_cable_length"] == 10
    assert neuron.morphometrics()["axon_cable_length"] == 20


def test_edges_inside_the_soma_are_no_cable():
    xyz = [(0, 0, 0), (0, 7, 0), (0, -7, 0), (10, 0, 0)]
    measures = Neuron.from_arrays(xyz, [-1, 0, 0, 0], [SOMA, SOMA, SOMA, AXON], [7, 7, 7, 1]).morphometrics()
    assert measures["cable_length"] == 10
    assert measures["soma_radius"] == 7
    assert measures["n_tips"] == 1
    assert measures["fragmentation"] == 1


# Whatever is legal -------------------------------------------------------------------------------------------------

ODD = {
    "soma only": SOMA_ONLY,
    "one neurite node": Neuron.from_arrays([(1, 2, 3)], [-1], AXON),
    "one edge": Neuron.from_arrays([(0, 0, 0), (1, 0, 0)], [-1, 0], AXON),
    "coincident points": Neuron.from_arrays(np.zeros((6, 3)), [-1, 0, 1, 1, 3, 3], AXON),
    "coincident on a soma": Neuron.from_arrays(np.zeros((4, 3)), [-1, 0, 1, 1], [SOMA, AXON, AXON, AXON]),
    "roots without edges": Neuron.from_arrays(np.eye(3), [-1, -1, -1], AXON),
    "flat": y_shape(),
    "huge": Neuron.from_arrays([(0, 0, 0), (1e300, 0, 0), (0, -1e300, 1e308)], [-1, 0, 1], AXON),
    "tiny": Neuron.from_arrays([(0, 0, 0), (1e-300, 0, 0), (0, -1e-300, 0)], [-1, 0, 1], AXON),
    "soma in the middle": Neuron.from_arrays(np.eye(3), [-1, 0, 1], [AXON, SOMA, AXON]),
    "a tip that is soma": Neuron.from_arrays(np.eye(3), [-1, 0, 1], [AXON, AXON, SOMA]),
}


@pytest.mark.parametrize("name", ODD)
def test_every_legal_neuron_has_every_measure(name):
    measures = ODD[name].morphometrics()
    assert list(measures) == list(MORPHOMETRICS)
    assert all(type(value) is float for value in measures.values())


def test_a_soma_alone_has_no_cable_and_no_shape():
    measures = SOMA_ONLY.morphometrics()
    nothing = (
        "cable_length",
        "n_tips",
        "n_branch_points",
        "n_sections",
        "width",
        "depth",
        "max_path_distance",
        "n_stems",
    )
    undefined = ("mean_section_length", "partition_asymmetry", "mean_contraction", "axon_fraction", "mean_radius")
    assert [measures[name] for name in nothing] == [0] * len(nothing)
    assert all(math.isnan(measures[name]) for name in undefined)
    assert measures["soma_radius"] == 6
