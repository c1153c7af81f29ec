"""An exported folder of made-up neurons, as large as wanted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from axonet.core.files import write_json, write_table
from axonet.explore.blobs import write_blobs
from axonet.explore.export import FORMAT
from axonet.explore.pictures import THUMBNAIL, view_picture
from axonet.explore.table import COLORS, NUMBERS, ipc_bytes
from axonet.explore.words import write_word_vectors

N_WORDS = {"cell_type": 240, "species": 60, "region": 90, "layer": 9, "archive": 700, "split": 3, "qc": 25}
ORIGIN = ("checkpoint", "splits", "shards", "metadata", "render_dir", "measure_dir", "encode_dir")


def write_folder(folder: Path, n: int, dim: int) -> None:
    """Write what ``axonet export`` would of ``n`` neurons whose vectors have ``dim`` numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(0)
    group = draw.integers(0, 200, n)
    centers = draw.normal(size=(200, 2))
    xy = (centers[group] + 0.12 * draw.normal(size=(n, 2))).astype(np.float32)
    xy /= np.abs(xy).max()
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float32, (n, dim))
    for start in range(0, n, 20_000):
        part = draw.normal(size=(min(20_000, n - start), dim)).astype(np.float32)
        vectors[start : start + len(part)] = part / np.linalg.norm(part, axis=1, keepdims=True)
    vectors.flush()
    columns: dict[str, pa.Array] = {
        "neuron_id": pa.array([f"made:{k}" for k in range(n)]),
        "name": pa.array([f"cell-{k:06d}" for k in range(n)]),
        "x": pa.array(xy[:, 0]),
        "y": pa.array(xy[:, 1]),
        "caption": pa.array([f"a made-up neuron of group {k}" for k in group.tolist()]),
    }
    for name in COLORS:
        words = pa.array([f"{name} {k}" for k in range(N_WORDS[name])])
        codes = np.minimum(draw.geometric(1 / (1 + N_WORDS[name] / 4), n) - 1, N_WORDS[name] - 1).astype(np.int32)
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(codes), words)
    for name in NUMBERS:
        columns[name] = pa.array(draw.lognormal(6, 1, n).astype(np.float32))
    for name in ("licence", "reference"):
        codes = draw.integers(0, 500, n).astype(np.int32)
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array([f"{name} {k}" for k in range(500)]))
    table = pa.table(columns)
    (folder / "points.arrow").write_bytes(ipc_bytes(table))
    write_table(folder / "neurons.parquet", table)
    pictures = []
    for number in range(50):
        mask = (np.random.default_rng(number).random((96, 96)) < 0.08).astype(np.uint8) * 3
        pictures.append(view_picture(mask, mask, THUMBNAIL))
    write_blobs(folder / "thumbs.bin", (pictures[k % 50] for k in range(n)), n)
    write_blobs(folder / "views.bin", iter(()), 0)
    write_word_vectors(folder / "word_vectors.npz", None, dim)
    meta = {
        "format": FORMAT,
        "title": f"{n:,} made-up neurons",
        "run": "made",
        "n": n,
        "dim": dim,
        "checkpoint": "made",
        "colors": list(COLORS),
        "numbers": list(NUMBERS),
        "map": {"method": "made up", "trustworthiness": None, "random": None, "n_arranged": n},
        "left_out": {},
        "missing": {},
        "prompts": [],
        "origin": dict.fromkeys(ORIGIN, "nowhere"),
    }
    write_json(folder / "meta.json", meta)
