"""A tiny corpus of made-up neurons in three shapes, with a table of metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from axonet.core.files import write_jsonl

KINDS = {
    "pyramidal": ("pyramidal", "neocortex", 4),
    "granule": ("granule", "dentate gyrus", 3),
    "basket": ("basket", "cerebellum", 3),
}


def write_neuron(path: Path, kind: str, seed: int) -> None:
    """Write the SWC file of one neuron: a soma, three dendrites and, for pyramidal cells, an apical trunk."""
    rng = np.random.default_rng(seed)
    rows = [(1, 1, 0.0, 0.0, 0.0, 6.0, -1)]

    def branch(parent: int, direction: np.ndarray, kind: int, length: int, step: float) -> int:
        position = np.array(rows[parent - 1][2:5])
        for _ in range(length):
            position = position + step * direction + rng.normal(0, step / 6, 3)
            rows.append((len(rows) + 1, kind, *position.round(3), 0.6, parent))
            parent = len(rows)
        return parent

    for angle in rng.uniform(0, 2 * np.pi, 3):
        direction = np.array([np.cos(angle), np.sin(angle), rng.normal(0, 0.2)])
        fork = branch(1, direction, 3, 6, 8.0)
        for turn in (-0.5, 0.5):
            branch(fork, direction + turn * rng.normal(0, 1, 3), 3, 5, 6.0)
    if kind == "pyramidal":
        top = branch(1, np.array([0.0, 1.0, 0.0]), 4, 20, 10.0)
        branch(top, np.array([0.6, 0.8, 0.0]), 4, 6, 8.0)
        branch(top, np.array([-0.6, 0.8, 0.0]), 4, 6, 8.0)
    if kind == "basket":
        branch(1, np.array([0.0, -1.0, 0.0]), 2, 25, 5.0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(" ".join(str(value) for value in row) + "\n" for row in rows))


def metadata_row(name: str, kind: str, number: int) -> dict[str, object]:
    """What the table says about a neuron."""
    cell_type, region, _ = KINDS[kind]
    return {
        "id": name,
        "swc": f"{name}.swc",
        "species": "mouse",
        "region": [region],
        "cell_type": [cell_type],
        "donor": f"donor {number}",
        "publication": f"paper {number % 3}",
        "archive": f"lab {number % 3}",
    }


def write_corpus(folder: Path) -> None:
    """Write ``swc/`` and ``metadata.jsonl``: ten neurons of three kinds."""
    rows = []
    kinds = [kind for kind, (_, _, count) in KINDS.items() for _ in range(count)]
    for number, kind in enumerate(kinds):
        name = f"{kind}_{number:02d}"
        write_neuron(folder / "swc" / f"{name}.swc", kind, number)
        rows.append(metadata_row(name, kind, number))
    write_jsonl(folder / "metadata.jsonl", rows)
