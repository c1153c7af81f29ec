"""Morphometrics beside navis and NeuroM: numbers of theirs that tests/data/morphometrics/make_reference.py wrote.

Where definitions differ, the difference itself is computed and checked (docs/reference/morphometrics.md).
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axonet.core.files import sha256_file
from axonet.morphology.checks import QUALITY_CODES
from axonet.morphology.neuron import Neuron
from axonet.morphology.swc import SWCError, read_swc
from tests.fakes.neurons import made_up_swc

DATA = Path(__file__).resolve().parents[2] / "data"
REFERENCE: dict[str, dict[str, Any]] = json.loads((DATA / "morphometrics/reference.json").read_text())["neurons"]
# What the readers take differently; everything else of a file means the same to all three.
SAME_TO_ALL = {*QUALITY_CODES, "unsorted", "comma_separated", "not_utf8", "extra_columns", "non_sequential_ids"}
RADIANS = math.pi / 180

# NeuroM's neurites begin at their first node: the edge from the soma is no part of them.
NEUROM_NEURITES = {
    "number_of_neurites": "n_stems",
    "number_of_forking_points": "n_branch_points",
    "number_of_leaves": "n_tips",
    "total_length": "cable_length",
    "total_volume": "volume",
    "max section_path_distances": "max_path_distance",
    "mean terminal_path_lengths": "mean_tip_path_distance",
    "max section_branch_orders": "max_branch_order",
    "max section_strahler_orders": "strahler_order",
    "mean local_bifurcation_angles": "mean_local_bifurcation_angle",
    "mean remote_bifurcation_angles": "mean_remote_bifurcation_angle",
}


def without_soma(neuron: Neuron) -> Neuron:
    """The neurites alone, each a tree of its own that begins at its first node."""
    kept = ~neuron.is_soma
    row = np.cumsum(kept) - 1
    parent = np.where((neuron.parent >= 0) & kept[neuron.parent], row[neuron.parent], -1)[kept]
    return Neuron.from_arrays(neuron.xyz[kept], parent, neuron.swc_type[kept], neuron.radius[kept])


def close(ours: float, theirs: float) -> bool:
    """Equal but for their single precision."""
    return ours == pytest.approx(theirs, rel=2e-5, abs=1e-5)


def check_neurom(neuron: Neuron, theirs: dict[str, float | None]) -> None:
    whole, neurites = neuron.morphometrics(), without_soma(neuron)
    ours, topology = neurites.morphometrics(), neurites.topology
    # A section whose first node lies on the branch point begins there for NeuroM: it has a segment less, none of the
    # surface that a jump in radius would have there, and the direction of the next segment.
    first = topology.sections.first
    lengthless = first[topology.cable[first] == 0]
    for name, own in NEUROM_NEURITES.items():
        if theirs[name] is not None and not (len(lengthless) and name == "mean local_bifurcation_angles"):
            assert close(ours[own] * (RADIANS if own.endswith("angle") else 1), theirs[name]), name
    assert whole["n_sections"] == theirs["number_of_sections"]
    begins_with_branch_point = (neurites.parent < 0) & (topology.n_children > 1)
    if not begins_with_branch_point.any():  # there NeuroM has a section without length
        assert close(ours["mean_section_length"], theirs["mean section_lengths"])
        assert close(ours["mean_contraction"], theirs["mean 1 / section_tortuosity"])
    step = neurites.radius[lengthless] ** 2 - neurites.radius[neurites.parent[lengthless]] ** 2
    assert ours["fragmentation"] - len(lengthless) == theirs["number_of_segments"]
    assert close(ours["surface_area"] - np.pi * np.abs(step).sum(), theirs["total_area"])
    n_sides = np.bincount(topology.sections.start, minlength=len(neurites))
    if n_sides.max() <= 2 and theirs["mean partition_asymmetry, uylings"] is not None:
        assert close(ours["partition_asymmetry"], theirs["mean partition_asymmetry, uylings"])
    if np.count_nonzero(neuron.is_soma) == 1:
        assert close(whole["soma_radius"], theirs["soma_radius"])
        assert whole["max_radial_distance"] >= theirs["max_radial_distance"] * (1 - 1e-6)  # theirs are tips only


def check_navis(neuron: Neuron, theirs: dict[str, float | None]) -> None:
    ours, topology = neuron.morphometrics(), neuron.topology
    within = np.flatnonzero(neuron.is_soma & (neuron.parent >= 0))
    in_soma = np.linalg.norm(neuron.xyz[within] - neuron.xyz[neuron.parent[within]], axis=1).sum()
    assert close(ours["cable_length"] + in_soma, theirs["cable_length"])
    is_root = neuron.parent < 0
    assert ours["n_roots"] == theirs["n_trees"]
    soma_tips = np.count_nonzero(neuron.is_soma & ~is_root & (topology.n_children == 0))
    assert ours["n_tips"] + soma_tips == theirs["n_leafs"]
    assert np.count_nonzero(~is_root & (topology.n_children > 1)) == theirs["n_branches"]
    if np.count_nonzero(neuron.is_soma) == 1 and theirs["max strahler_index"] is not None:
        assert ours["strahler_order"] == theirs["max strahler_index"]


def compare(file: Path) -> Iterator[str]:
    """Compare a file's measures with the reference; names the tools that it was compared with."""
    row = REFERENCE[file.name]
    assert sha256_file(file) == row["sha256"]
    neuron = read_swc(file)
    if set(neuron.warnings) - SAME_TO_ALL or neuron.is_soma.all():
        return
    for tool, check in (("neurom", check_neurom), ("navis", check_navis)):
        if isinstance(row[tool], dict):
            check(neuron, row[tool])
            yield tool


@pytest.mark.parametrize("number", range(8))
def test_made_up_neurons_measure_as_navis_and_neurom_measure_them(number: int, tmp_path: Path) -> None:
    file = tmp_path / f"made-up-{number}.swc"
    file.write_bytes(made_up_swc(number, 400))
    assert "navis" in list(compare(file))  # NeuroM refuses files whose type changes in the middle of a section


def test_plain_files_measure_as_navis_and_neurom_measure_them() -> None:
    compared = dict.fromkeys(("neurom", "navis"), 0)
    for file in sorted((DATA / "swc-edge-cases").glob("*.swc")):
        try:
            tools = list(compare(file))
        except SWCError:
            continue
        for tool in tools:
            compared[tool] += 1
    assert compared["neurom"] >= 9
    assert compared["navis"] >= 10


@pytest.mark.network
@pytest.mark.slow
def test_real_neurons_measure_as_navis_and_neurom_measure_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "axonet.utils.acquire", "--sources", "demo"]
    subprocess.run(command, cwd=tmp_path, check=True, env={**os.environ}, capture_output=True)
    compared = [tool for file in sorted(tmp_path.rglob("*.swc")) for tool in compare(file)]
    assert compared.count("neurom") >= 30
    assert compared.count("navis") >= 30
