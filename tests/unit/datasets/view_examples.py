"""Made-up SWC files and rows of manifests."""

from __future__ import annotations

from typing import Any

TREE = """# a soma, an axon, a forked basal dendrite, an apical dendrite
1 1 0 0 0 5 -1
2 3 20 0 0 1 1
3 3 40 {fork} 3 0.8 2
4 3 40 -15 -4 0.8 2
5 2 0 -30 2 0.5 1
6 2 10 -90 -5 0.5 5
7 4 -5 40 0 1.2 1
8 4 -9 110 6 0.9 7
"""


def swc_text(number: int) -> str:
    return TREE.format(fork=15 + number)


def view_row(neuron: str, view: int, size: tuple[int, int] = (6, 9)) -> dict[str, Any]:
    return {
        "swc": f"{neuron}.swc",
        "neuron": neuron,
        "neuron_id": f"test:{neuron}",
        "view": view,
        "tier": "canonical",
        "direction": [0.0, 0.6, 0.8],
        "qc": 1.0,
        "um_per_px": 2.5,
        "near_um": -3.0,
        "far_um": 4.0,
        "basis": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        "center": [10.0, 20.0, 30.0],
        "class_fractions": [0.0, 0.25, 0.25, 0.5, 0.0, 0.0],
        "height": size[0],
        "width": size[1],
        "has_zoom": False,
    }
