"""Every file of the edge-case collection reads as its expectations say, number for number."""

import json
from pathlib import Path

import numpy as np
import pytest

from axonet.morphology.checks import QUALITY_CODES
from axonet.morphology.swc import SWCError, format_swc, parse_swc, read_swc

FOLDER = Path(__file__).parents[2] / "data" / "swc-edge-cases"
EXPECTATIONS = json.loads((FOLDER / "expectations.json").read_text(encoding="utf-8"))
FILES = sorted(name for name in EXPECTATIONS if not name.startswith("_"))
ACCEPTED = [name for name in FILES if EXPECTATIONS[name]["expect"]["status"] != "reject"]
REJECTED = sorted(set(FILES) - set(ACCEPTED))
CLASSES = ("soma", "axon", "basal", "apical", "other")


def test_the_collection_is_complete():
    assert set(FILES) == {path.name for path in FOLDER.glob("*.swc")}
    assert len(FILES) == 26


@pytest.mark.parametrize("file", ACCEPTED)
def test_warnings(file):
    assert list(read_swc(FOLDER / file).warnings) == EXPECTATIONS[file]["expect"]["warnings"]


@pytest.mark.parametrize("file", ACCEPTED)
def test_nodes_and_compartments(file):
    neuron, expected = read_swc(FOLDER / file), EXPECTATIONS[file]["expect"]
    assert neuron.n_nodes == len(neuron) == expected["n_nodes"]
    assert neuron.n_roots == expected["n_roots"]
    assert neuron.is_soma.sum() == expected["n_soma_nodes"]
    counts = {name: int((neuron.compartment == 1 + place).sum()) for place, name in enumerate(CLASSES)}
    assert counts == expected["class_counts"]


@pytest.mark.parametrize("file", ACCEPTED)
def test_soma_and_extent(file):
    neuron, expected = read_swc(FOLDER / file), EXPECTATIONS[file]["expect"]
    np.testing.assert_allclose(neuron.extent, expected["extent"], atol=0.01)
    if expected["soma_center"] is None:
        assert neuron.soma_center is None
        assert neuron.soma_radius is None
    else:
        np.testing.assert_allclose(neuron.soma_center, expected["soma_center"], atol=0.01)
        assert neuron.soma_radius == pytest.approx(expected["soma_radius"], abs=0.01)


@pytest.mark.parametrize("file", ACCEPTED)
def test_lengths_and_counts(file):
    neuron, expected = read_swc(FOLDER / file), EXPECTATIONS[file]["expect"]
    measures = neuron.morphometrics()
    edges = neuron.edges()
    all_edges = np.linalg.norm(neuron.xyz[edges[:, 1]] - neuron.xyz[edges[:, 0]], axis=1).sum()
    assert all_edges == pytest.approx(expected["length_all_edges"], abs=0.01)
    assert measures["cable_length"] == pytest.approx(expected["length_neurites"], abs=0.01)
    assert measures["n_tips"] == expected["n_tips"]
    assert measures["n_branch_points"] == expected["n_bifurcations"]
    assert measures["n_stems"] == expected["n_stems"]
    assert measures["n_roots"] == expected["n_roots"]


@pytest.mark.parametrize("file", REJECTED)
def test_rejected_files_say_why_and_where(file):
    with pytest.raises(SWCError) as caught:
        read_swc(FOLDER / file)
    assert caught.value.code == EXPECTATIONS[file]["expect"]["reject_code"]
    assert file in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ACCEPTED)
def test_what_was_repaired_once_needs_no_second_repair(file):
    neuron = read_swc(FOLDER / file)
    again = parse_swc(format_swc(neuron).encode(), neuron.name)
    assert again == neuron
    gaps = {"non_sequential_ids"}  # dropped nodes leave gaps
    assert set(again.warnings) - gaps == set(neuron.warnings) & set(QUALITY_CODES)
