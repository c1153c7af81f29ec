"""Drawn neurons: a soma disc, thick dendrites to the sides, a thick one up, a thin axon down."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
import pyarrow as pa

from axonet.core.input_spec import InputSpec
from axonet.core.seeds import rng
from axonet.datasets.dataset_info import DatasetInfo, write_dataset_info
from axonet.datasets.manifest import MANIFEST_SCHEMA, write_manifest
from axonet.datasets.png_tree import write_png_views
from axonet.datasets.shards import ViewImages
from axonet.datasets.view_store import ViewStore
from axonet.morphology.compartments import PALETTE

SOMA, AXON, BASAL, APICAL = 1, 2, 3, 4


def draw_neuron(size: int, neuron: str, view: int) -> tuple[np.ndarray, np.ndarray]:
    """Class ids (size, size) and depth (size, size), both uint8; depth rises along the dendrite from left to right."""
    random = rng(0, "drawn", neuron, view)
    row, col = np.mgrid[:size, :size] / size
    center_row, center_col = random.uniform(0.4, 0.6, 2)
    thickness = 1.5 / size
    mask = np.zeros((size, size), np.uint8)
    mask[(np.abs(row - center_row) < thickness) & (np.abs(col - center_col) < random.uniform(0.25, 0.4))] = BASAL
    mask[(np.abs(col - center_col) < thickness) & (row < center_row) & (row > center_row - 0.35)] = APICAL
    mask[(np.abs(col - center_col) < 0.6 / size) & (row > center_row) & (row < center_row + 0.35)] = AXON
    mask[np.hypot(row - center_row, col - center_col) < 0.07] = SOMA
    depth = np.where(mask > 0, 1 + np.round(254 * col), 0).astype(np.uint8)
    return mask, depth


def has_soma(neuron: str) -> bool:
    """Every third neuron has none that a window could be drawn around."""
    return int(neuron.rsplit("_", 1)[1]) % 3 != 2


def draw_zoom(size: int, neuron: str, view: int) -> np.ndarray:
    """Silhouette (size, size) of the half as large window around the soma, 0 and 255; blank without a soma."""
    if not has_soma(neuron):
        return np.zeros((size, size), np.uint8)
    mask, _ = draw_neuron(size, neuron, view)
    row, col = (round(values.mean()) for values in np.nonzero(mask == SOMA))
    quarter = size // 4
    window = mask[row - quarter : row + quarter, col - quarter : col + quarter]
    return np.where(window > 0, np.uint8(255), np.uint8(0)).repeat(2, axis=0).repeat(2, axis=1)


def view_row(neuron: str, view: int, size: int) -> dict:
    number = int(neuron.rsplit("_", 1)[1])
    return {
        "swc": f"{neuron}.swc",
        "neuron": neuron,
        "neuron_id": neuron,
        "view": view,
        "tier": "canonical",
        "direction": [0.0, 0.0, 1.0],
        "qc": 1.0,
        "um_per_px": (1.0 + 0.1 * number) * 320 / size,
        "near_um": -80.0,
        "far_um": 80.0,
        "width": size,
        "height": size,
        "has_zoom": False,
    }


class DrawnImages:
    def __init__(self, rows: list[dict], size: int, zoom: bool = False) -> None:
        self.rows, self.size, self.zoom = rows, size, zoom

    def read(self, position: int, *, zoom: bool = True):
        row = self.rows[position]
        window = draw_zoom(self.size, row["neuron"], row["view"]) if self.zoom and zoom else None
        return *draw_neuron(self.size, row["neuron"], row["view"]), window


def drawn_rows(n_neurons: int, n_views: int, size: int, first: int = 0) -> list[dict]:
    numbers = range(first, first + n_neurons)
    return [view_row(f"cell_{number:02d}", view, size) for number in numbers for view in range(n_views)]


def drawn_store(n_neurons: int, n_views: int, size: int = 32, first: int = 0, *, zoom: bool = False) -> ViewStore:
    """A real ViewStore whose images are drawn when they are read."""
    rows = drawn_rows(n_neurons, n_views, size, first)
    table = pa.Table.from_pylist(rows, schema=MANIFEST_SCHEMA)
    spec = InputSpec(width=size, height=size, zoom_um=160.0 if zoom else None)
    return ViewStore(table, DrawnImages(rows, size, zoom), np.arange(len(rows)), spec, 8)


def write_dataset(folder: Path, split: str, n_neurons: int, n_views: int, size: int = 32, first: int = 0) -> Path:
    """Write drawn neurons as a data directory; returns the manifest."""
    complete = []
    for neuron, rows in groupby(drawn_rows(n_neurons, n_views, size, first), key=itemgetter("neuron")):
        views = [ViewImages(row, *draw_neuron(size, neuron, row["view"])) for row in rows]
        complete += write_png_views(folder, neuron, views, PALETTE)
    write_dataset_info(folder, DatasetInfo(input_spec=InputSpec(width=size, height=size)))
    manifest = folder / f"manifest_{split}.jsonl"
    write_manifest(manifest, complete)
    return manifest
