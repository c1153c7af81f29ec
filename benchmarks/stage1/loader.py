"""How fast Stage 1's batches are read, in samples per second of CPU time: what one core can do.

    OMP_NUM_THREADS=1 python benchmarks/stage1/loader.py DATA_DIR [DATA_DIR ...] [--batch-size 32] [--repeats 3]

DATA_DIR is an output of ``dataset_generator``, packed (``--layout shards``) or as PNG files. Views are read in the
shuffled order of training, in this process, file cache warm. Given several, the first one's batches are compared with
the others': they have to be identical.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from axonet.core.errors import UserError
from axonet.datasets.view_store import ViewStore
from axonet.inference.view_batch import ViewBatch, ViewDataset
from axonet.learning.views_dataset import PlannedLoader, ShuffledViews


def main() -> int:
    parser = argparse.ArgumentParser(description="samples per second and core of the Stage 1 loader")
    parser.add_argument("data_dir", type=Path, nargs="+", help="output of dataset_generator")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--zoom", action="store_true", help="read the window around the soma too")
    parser.add_argument("--workers", type=int, default=0, help="also time this many processes, by wall time")
    parser.add_argument("--repeats", type=int, default=3, help="rounds; the fastest counts")
    arguments = parser.parse_args()
    try:
        loaders = [loader_of(folder, arguments.batch_size, arguments.zoom) for folder in arguments.data_dir]
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{'folder':30} {'size':>9} {'views':>6} {'samples/s/core':>15} {'us/sample':>10}")
    for folder, loader in zip(arguments.data_dir, loaders, strict=True):
        n_views, height, width = shape_of(loader)
        seconds = min(cpu_seconds(loader) for _ in range(arguments.repeats + 1))
        rate = n_views / seconds
        print(f"{folder.name:30} {width}x{height:<5} {n_views:>6} {rate:>15,.0f} {1e6 / rate:>10.0f}")
        if arguments.workers:
            loader.num_workers = arguments.workers
            wall = min(wall_seconds(loader) for _ in range(arguments.repeats))
            print(f"{'':30} {arguments.workers} workers: {n_views / wall:,.0f} samples/s by wall time")
            loader.num_workers = 0
    for folder, loader in zip(arguments.data_dir[1:], loaders[1:], strict=True):
        same = all(identical(one, two) for one, two in zip(loaders[0], loader, strict=True))
        print(f"{folder.name} and {arguments.data_dir[0].name}: {'identical' if same else 'DIFFERENT'} batches")
    return 0


def loader_of(folder: Path, batch_size: int, zoom: bool) -> PlannedLoader:
    store = ViewStore.from_manifest(folder, manifest_of(folder))
    return PlannedLoader(ViewDataset(store, zoom=zoom), ShuffledViews(store, batch_size, seed=0), training=True)


def manifest_of(folder: Path) -> Path:
    for name in ("manifest_train.parquet", "manifest_train.jsonl", "manifest.parquet", "manifest.jsonl"):
        if (folder / name).is_file():
            return folder / name
    raise UserError(f"{folder}: no manifest; is it an output of dataset_generator?")


def shape_of(loader: PlannedLoader) -> tuple[int, int, int]:
    store = loader.dataset.store  # type: ignore[attr-defined]
    return len(store), store.spec.height, store.spec.width


def cpu_seconds(loader: PlannedLoader) -> float:
    before = time.process_time()
    read_all(iter(loader))
    return time.process_time() - before


def wall_seconds(loader: PlannedLoader) -> float:
    before = time.perf_counter()
    read_all(iter(loader))
    return time.perf_counter() - before


def read_all(batches: Iterator[ViewBatch]) -> None:
    for _ in batches:
        pass


def identical(one: ViewBatch, two: ViewBatch) -> bool:
    pairs = [(a, b) for a, b in zip(one, two, strict=True) if a is not None or b is not None]
    return all(
        a is not None and b is not None and a.dtype == b.dtype and np.array_equal(a.numpy(), b.numpy(), equal_nan=True)
        if a is not None and a.dtype.is_floating_point
        else a is not None and b is not None and torch.equal(a, b)
        for a, b in pairs
    )


if __name__ == "__main__":
    sys.exit(main())
