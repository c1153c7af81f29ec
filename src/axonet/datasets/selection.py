"""The views of a split, both ways: a manifest of a data directory, or a split file with packed shards."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from axonet.core.errors import UserError
from axonet.core.files import read_json
from axonet.datasets.splits import SPLITS, read_splits
from axonet.datasets.view_store import ViewStore


def shard_names(index: Path) -> list[str]:
    """Names ``<shard>-<digest>`` of the shards of an index that have neurons.

    Raises:
        UserError: the file is no index.
    """
    content = read_json(index)
    if not isinstance(content, dict) or content.get("format") != 1 or not isinstance(content.get("shards"), list):
        raise UserError(f"{index}: not an index of shards that this version reads; run acquire again")
    return [f"{shard['shard']}-{shard['digest']}" for shard in content["shards"] if shard["n"]]


def shard_files(index: Path, folder: Path, suffix: str) -> list[Path]:
    """The files in ``folder`` made from the shards of an index.

    Raises:
        UserError: one of them is missing.
    """
    files = [Path(folder) / f"{name}{suffix}" for name in shard_names(index)]
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise UserError(f"{missing[0]}: no such file ({len(missing)} of {len(files)} shards are missing)")
    return files


def ids_of_split(splits: Path, split: str) -> pa.Array:
    """Neuron ids of a split."""
    if split not in SPLITS:
        raise UserError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    table = read_splits(splits)
    return table.filter(pc.equal(table["split"], split)).column("neuron_id").combine_chunks()


def keep_neurons(store: ViewStore, ids: pa.Array | Iterable[str]) -> ViewStore:
    """The views of some neurons; ids without views are passed over."""
    wanted = ids if isinstance(ids, pa.Array) else pa.array(sorted(ids), pa.string())
    kept = pc.is_in(store.rows["neuron_id"], value_set=wanted)
    return store.subset(np.flatnonzero(np.asarray(kept)))


def load_split_views(
    split: str,
    *,
    data_dir: Path | None = None,
    manifest: Path | None = None,
    splits: Path | None = None,
    index: Path | None = None,
    render_dir: Path | None = None,
) -> ViewStore:
    """Open the views of a split.

    Args:
        split: ``train``, ``val`` or ``test``; a manifest holds one split already, so then it is not looked at.
        data_dir: with ``manifest``: the folder its paths start from.
        manifest: JSON lines or Parquet.
        splits: a split file; with ``index`` and ``render_dir``.
        index: the index of shards.
        render_dir: the folder of the packed shards.

    Raises:
        UserError: neither way is complete, or something is missing.
    """
    if manifest is not None and data_dir is not None:
        return ViewStore.from_manifest(data_dir, manifest)
    if splits is None or index is None or render_dir is None:
        raise UserError("views are named by --data-dir and a manifest, or by --splits, --shards and --render-dir")
    store = ViewStore.from_shards(shard_files(index, render_dir, ".arrow"))
    return keep_neurons(store, ids_of_split(splits, split))
