"""Look at what a training will read before it starts. Importable without torch."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.compute as pc

from axonet.core.errors import UserError
from axonet.datasets.view_store import ViewStore

_READ = ("mask", "depth", "zoom_bw")


def check_image_files(store: ViewStore, data_dir: Path, manifest: Path) -> None:
    """See that the image files that a manifest names are there and of one size; none of them is opened.

    Args:
        store: the manifest's views; packed views name no image files.
        data_dir: the folder that the manifest's paths start from.
        manifest: named in the message.

    Raises:
        UserError: rows name no mask or depth, tell of images of another size, or files are missing; the message names
            the first and tells how many.
    """
    _check_sizes(store, manifest)
    for name in ("mask", "depth"):
        without = pc.and_(pc.is_null(store.rows.column(name)), pc.is_null(store.rows.column("shard")))
        if n_without := pc.sum(without).as_py():
            row = pc.index(without, True).as_py()
            neuron, view = (store.rows.column(key)[row].as_py() for key in ("neuron_id", "view"))
            raise UserError(
                f"{manifest}: {n_without:,} of {len(store):,} rows name no {name} image, such as that of {neuron} view "
                f"{view}; every view needs both"
            )
    known: dict[Path, set[str]] = {}
    named = sorted({path for name in _READ for path in store.rows.column(name).unique().to_pylist() if path})
    missing = [path for path in named if not _is_there(data_dir / path, known)]
    if missing:
        raise UserError(
            f"{manifest}: {data_dir / missing[0]} does not exist ({len(missing):,} of {len(named):,} image files are "
            "missing); is --data-dir right?"
        )


def _check_sizes(store: ViewStore, manifest: Path) -> None:
    expected = {"width": store.spec.width, "height": store.spec.height}
    other = [pc.fill_null(pc.not_equal(store.rows.column(name), size), False) for name, size in expected.items()]
    either = pc.or_(*other)
    if n_other := pc.sum(either).as_py():
        row = pc.index(either, True).as_py()
        names = ("neuron_id", "view", "width", "height")
        neuron, view, width, height = (store.rows.column(key)[row].as_py() for key in names)
        raise UserError(
            f"{manifest}: {n_other:,} of {len(store):,} images are not of {store.spec.width} x {store.spec.height} "
            f"pixels, such as that of {neuron} view {view} ({width} x {height}); all views of a data set have one size"
        )


def _is_there(file: Path, known: dict[Path, set[str]]) -> bool:
    # Listing a folder once is much faster than asking for each of its files, above all on network drives.
    if file.parent not in known:
        known[file.parent] = {entry.name for entry in os.scandir(file.parent)} if file.parent.is_dir() else set()
    return file.name in known[file.parent] or file.is_file()
