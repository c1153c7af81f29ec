"""Neurons of three shapes with three names: discs, bars and crosses."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from axonet.core.files import write_jsonl, write_table
from axonet.core.input_spec import InputSpec
from axonet.core.seeds import rng
from axonet.datasets.dataset_info import DatasetInfo, write_dataset_info
from axonet.datasets.manifest import MANIFEST_SCHEMA, write_manifest
from axonet.datasets.png_tree import write_png_views
from axonet.datasets.shards import ViewImages
from axonet.datasets.view_store import ViewStore
from axonet.learning.clip_fit import ClipData, describe
from axonet.learning.clip_views import stored_views
from axonet.metadata.record import NeuronRecord
from axonet.models.checkpoint import Checkpoint, save_checkpoint, stage1_checkpoint
from axonet.models.seg_vae import SegVAE2D
from axonet.morphology.compartments import PALETTE

SIZE = 24
SPEC = InputSpec(width=SIZE, height=SIZE)
TRAINED_SPEC = SPEC.model_copy(update={"log_fov_mean": 5.0, "log_fov_std": 0.5})
TYPES = ("Purkinje", "pyramidal", "chandelier")
N_VIEWS = 3


def type_of(number: int) -> str:
    return TYPES[number % 3]


def draw_shape(number: int, view: int) -> np.ndarray:
    """(size, size) class ids: a disc, a bar or a cross, somewhere near the middle."""
    row, col = np.mgrid[:SIZE, :SIZE]
    center_row, center_col = rng(0, "toy", number, view).uniform(0.42, 0.58, 2) * SIZE
    bar = (np.abs(row - center_row) < 2) & (np.abs(col - center_col) < 8)
    if type_of(number) == "Purkinje":
        return (np.hypot(row - center_row, col - center_col) < 7).astype(np.uint8) * 3
    if type_of(number) == "pyramidal":
        return bar.astype(np.uint8) * 3
    return (bar | (np.abs(col - center_col) < 2) & (np.abs(row - center_row) < 8)).astype(np.uint8) * 3


def toy_rows(numbers: Iterable[int]) -> list[dict]:
    return [
        {
            "swc": f"cell_{number:03d}.swc",
            "neuron": f"cell_{number:03d}",
            "neuron_id": f"cell_{number:03d}",
            "view": view,
            "um_per_px": 6.0,
            "near_um": -5.0,
            "far_um": 5.0,
            "center": [0.0, 0.0, float(number)],
            "class_fractions": [0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
            "width": SIZE,
            "height": SIZE,
            "has_zoom": False,
        }
        for number in numbers
        for view in range(N_VIEWS)
    ]


class ToyImages:
    def __init__(self, rows: list[dict]) -> None:
        self.rows = rows

    def read(self, position: int, *, zoom: bool = True) -> tuple[np.ndarray, np.ndarray, None]:
        row = self.rows[position]
        mask = draw_shape(int(row["neuron"][-3:]), row["view"])
        return mask, mask, None


def toy_store(numbers: Iterable[int]) -> ViewStore:
    rows = toy_rows(numbers)
    return ViewStore(pa.Table.from_pylist(rows, MANIFEST_SCHEMA), ToyImages(rows), np.arange(len(rows)), SPEC, 8)


def toy_records(numbers: Iterable[int]) -> list[NeuronRecord]:
    return [
        NeuronRecord(
            id=f"toy:{number}",
            source="toy",
            swc=f"cell_{number:03d}.swc",
            species="mouse",
            cell_type=type_of(number),
        )
        for number in numbers
    ]


def toy_measures(numbers: Iterable[int]) -> dict[str, dict]:
    return {
        f"cell_{number:03d}": {
            "neuron_id": f"cell_{number:03d}",
            "status": "ok",
            "warnings": [],
            "cable_length": 1000.0 * (1 + number % 3) + number,
            "n_branch_points": 10 * (1 + number % 3),
            "n_stems": 3,
        }
        for number in numbers
    }


def toy_data(n_train: int = 18, n_val: int = 9) -> ClipData:
    everyone = range(n_train + n_val)
    return describe(
        stored_views(toy_store(range(n_train)), named_by_swc=True),
        stored_views(toy_store(range(n_train, n_train + n_val)), named_by_swc=True) if n_val else None,
        toy_records(everyone),
        toy_measures(everyone),
        Path("metadata.jsonl"),
    )


def toy_stage1() -> Checkpoint:
    """An untrained encoder: random features tell these shapes apart."""
    torch.manual_seed(0)
    return stage1_checkpoint(SegVAE2D(levels=2, base_channels=8, latent_channels=8), {}, TRAINED_SPEC)


def write_toy(folder: Path, n_train: int = 12, n_val: int = 6) -> Path:
    """A data directory with metadata and measurements, and a Stage 1 checkpoint beside it."""
    for split, numbers in (("train", range(n_train)), ("val", range(n_train, n_train + n_val))):
        rows = []
        for neuron, of_neuron in groupby(toy_rows(numbers), key=itemgetter("neuron")):
            drawn = [(row, draw_shape(int(neuron[-3:]), row["view"])) for row in of_neuron]
            rows += write_png_views(folder, neuron, [ViewImages(row, mask, mask) for row, mask in drawn], PALETTE)
        write_manifest(folder / f"manifest_{split}.jsonl", rows)
    write_dataset_info(folder, DatasetInfo(input_spec=SPEC))
    everyone = range(n_train + n_val)
    write_table(folder / "measure.parquet", pa.Table.from_pylist(list(toy_measures(everyone).values())))
    write_jsonl(
        folder / "metadata.jsonl",
        [{"id": r.id, "swc": r.swc, "species": r.species, "cell_type": r.cell_type} for r in toy_records(everyone)],
    )
    save_checkpoint(folder / "stage1.ckpt", toy_stage1())
    return folder
