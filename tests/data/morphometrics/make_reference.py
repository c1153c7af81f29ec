"""Measure SWC files with navis and NeuroM: the reference that tests compare axonet's morphometrics with.

Neither is a dependency of axonet. In an environment of its own:

    pip install navis==1.12.0 neurom==4.0.6
    PYTHONPATH=. python tests/data/morphometrics/make_reference.py tests/data/swc-edge-cases FOLDER --made-up 8

FOLDER holds the demo neurons (``python -m axonet.utils.acquire --sources demo``). Each file is read by each tool's own
reader. A value that a tool cannot compute is null.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import math
import platform
import re
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import navis
import neurom
import numpy as np

from tests.fakes.neurons import made_up_swc

warnings.filterwarnings("ignore")
navis.set_pbars(hide=True)
navis.set_loggers("ERROR")


def mean(values) -> float | None:
    finite = np.asarray(values, float)[np.isfinite(np.asarray(values, float))]
    return float(finite.mean()) if len(finite) else None


def largest(values) -> float | None:
    return float(np.max(values)) if len(values) else None


def strahler(neuron) -> float:
    """Largest order outside the root: the root's own counts the stems as branches of one tree."""
    nodes = navis.strahler_index(neuron).nodes
    return largest(nodes.strahler_index.values[nodes.parent_id.values >= 0])


NEUROM = {
    "number_of_neurites": lambda m: neurom.get("number_of_neurites", m),
    "number_of_sections": lambda m: neurom.get("number_of_sections", m),
    "number_of_segments": lambda m: neurom.get("number_of_segments", m),
    "number_of_forking_points": lambda m: neurom.get("number_of_forking_points", m),
    "number_of_leaves": lambda m: neurom.get("number_of_leaves", m),
    "total_length": lambda m: neurom.get("total_length", m),
    "total_area": lambda m: neurom.get("total_area", m),
    "total_volume": lambda m: neurom.get("total_volume", m),
    "mean section_lengths": lambda m: mean(neurom.get("section_lengths", m)),
    "max section_path_distances": lambda m: largest(neurom.get("section_path_distances", m)),
    "mean terminal_path_lengths": lambda m: mean(neurom.get("terminal_path_lengths", m)),
    "max section_branch_orders": lambda m: largest(neurom.get("section_branch_orders", m)),
    "max section_strahler_orders": lambda m: largest(neurom.get("section_strahler_orders", m)),
    "mean 1 / section_tortuosity": lambda m: mean(1 / np.asarray(neurom.get("section_tortuosity", m), float)),
    "mean local_bifurcation_angles": lambda m: mean(neurom.get("local_bifurcation_angles", m)),
    "mean remote_bifurcation_angles": lambda m: mean(neurom.get("remote_bifurcation_angles", m)),
    "mean partition_asymmetry, uylings": lambda m: mean(neurom.get("partition_asymmetry", m, method="uylings")),
    "mean section_taper_rates": lambda m: mean(neurom.get("section_taper_rates", m)),
    "max_radial_distance": lambda m: neurom.get("max_radial_distance", m),
    "soma_radius": lambda m: neurom.get("soma_radius", m),
}
NAVIS = {
    "cable_length": lambda n: n.cable_length,
    "n_nodes": lambda n: n.n_nodes,
    "n_trees": lambda n: n.n_trees,
    "n_branches": lambda n: n.n_branches,
    "n_leafs": lambda n: n.n_leafs,
    "max strahler_index": strahler,
}


def values(functions, neuron) -> dict[str, float | None]:
    found = dict.fromkeys(functions)
    for name, function in functions.items():
        with contextlib.suppress(Exception):  # a tool that fails leaves the value out
            value = function(neuron)
            if value is not None and math.isfinite(value):
                found[name] = float(f"{value:.9g}")
    return found


def measure(file: Path) -> dict[str, object]:
    row: dict[str, object] = {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    for tool, read, functions in (("neurom", neurom.load_morphology, NEUROM), ("navis", navis.read_swc, NAVIS)):
        try:
            neuron = read(str(file))
        except Exception as error:
            text = re.sub(r"\x1b\[[0-9;]*m", "", " ".join(str(error).split())).replace(f"{file.parent}/", "")
            row[tool] = f"{type(error).__name__}: {text}"[:120]
            continue
        row[tool] = values(functions, neuron)
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description="measure SWC files with navis and NeuroM")
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--made-up", type=int, default=0, help="also measure so many made-up neurons of the tests")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("reference.json"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.made_up):
            Path(folder, f"made-up-{number}.swc").write_bytes(made_up_swc(number, 400))
        files = sorted(file for each in [*arguments.folders, Path(folder)] for file in each.rglob("*.swc"))
        rows = {file.name: measure(file) for file in files}
    versions = {name: version(name) for name in ("navis", "neurom", "morphio", "numpy")}
    head = json.dumps({**versions, "python": platform.python_version()})
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(rows.items()))
    arguments.out.write_text(f'{{"versions": {head},\n"neurons": {{\n{lines}\n}}}}\n')
    return 0


if __name__ == "__main__":
    sys.exit(main())
