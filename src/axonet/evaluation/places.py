"""Which views are judged and which are learned on; both ways of naming them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from axonet.core.errors import UserError
from axonet.core.files import read_table
from axonet.datasets.selection import keep_neurons, shard_files
from axonet.datasets.splits import promised_scheme, read_splits
from axonet.datasets.view_store import ViewStore

if TYPE_CHECKING:
    import pyarrow as pa

MEASURES, SPLIT_FILE, TRAIN_MANIFEST = "measure.parquet", "splits.parquet", "manifest_train.jsonl"
VAL_MANIFEST = "manifest_val.jsonl"
WORDS = {"train": "train", "val": "validation", "test": "test"}
KEYS = {word: key for key, word in WORDS.items()}


@dataclass(frozen=True)
class Places:
    """Where everything is: a data directory with manifests, or a split file with shards; the flags of the command."""

    checkpoint: Path
    metadata: Path
    source: str
    output_dir: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    data_dir: Path | None = None
    manifest: Path | None = None
    manifest_train: Path | None = None
    vectors: Path | None = None
    splits: Path | None = None
    shards: Path | None = None
    render_dir: Path | None = None
    measure_dir: Path | None = None
    encode_dir: Path | None = None


@dataclass(frozen=True)
class Chosen:
    """The neurons concerned and their views.

    Attributes:
        judged: ids of the judged neurons that have views, sorted.
        learned_on: ids that probes learn on, sorted; none of them is judged.
        stores: their views, judged first; one store in the workflow, which holds other neurons too.
        names: neuron id -> name to look its metadata up by.
        split: what the judged neurons are: ``train``, ``validation``, ``test``, ``mixed`` or ``unknown``.
        notes: sentences for the report.
        without_views: ids that should be judged and have no views.
        training: all views that the model may have learned from, judged neurons too; None where none were found.
        selection: all views that may have chosen its epoch.
        promised: what the split file was made to keep together: ``neuron``, ``donor`` or ``lab``; None without one.
    """

    judged: tuple[str, ...]
    learned_on: tuple[str, ...]
    stores: tuple[ViewStore, ...]
    names: Mapping[str, str]
    split: str
    notes: tuple[str, ...] = ()
    without_views: tuple[str, ...] = ()
    training: ViewStore | None = None
    selection: ViewStore | None = None
    promised: str | None = None


def choose(places: Places, split: str) -> Chosen:
    """Find the judged neurons and those learned on.

    Args:
        places: where everything is.
        split: ``validation`` or ``test``: what is judged of a split file; a manifest is one split already.

    Raises:
        UserError: something is missing, or there is nothing to judge.
    """
    chosen = _by_manifests(places) if places.manifest is not None else _by_splits(places, split)
    if not chosen.judged:
        where = str(places.manifest) if places.manifest is not None else f"{places.splits}: {split} split"
        raise UserError(f"{where}: no neurons to judge; a larger --val-ratio or --test-ratio gives the split some")
    return replace(chosen, promised=_promise(places))


def _promise(places: Places) -> str | None:
    """What the split file in use was made to keep together."""
    beside = places.data_dir / SPLIT_FILE if places.data_dir is not None else None
    path = places.splits or beside
    return promised_scheme(path) if path is not None and path.is_file() else None


def _by_manifests(places: Places) -> Chosen:
    assert places.manifest is not None
    assert places.data_dir is not None
    judged_store = _open(places.data_dir, places.manifest)
    judged = tuple(sorted(set(judged_store.neuron_ids)))
    split = _split_of(places.data_dir, judged)
    train_store = _beside(places, judged_store, TRAIN_MANIFEST)
    val_store = _beside(places, judged_store, VAL_MANIFEST)
    if places.manifest_train is not None:
        train_store = _open(places.data_dir, places.manifest_train)
    names = {}
    for store in (val_store, train_store, judged_store):
        names.update({} if store is None else _swc_names(store))
    if train_store is None or train_store is judged_store:
        note = "No training manifest was given or found: probes and baselines learn by cross-validation."
        return Chosen(judged, (), (judged_store,), names, split, (note,), (), train_store, val_store)
    notes: list[str] = []
    others = set(train_store.neuron_ids)
    if both := others & set(judged):
        notes.append(
            f"{len(both)} of {len(judged)} judged neurons are in the training manifest too; probes learn without them."
        )
    learned_on = tuple(sorted(others - set(judged)))
    kept = np.flatnonzero(np.isin(np.array(train_store.neuron_ids, dtype=str), np.array(learned_on, dtype=str)))
    stores = (judged_store, train_store.subset(kept)) if len(kept) else (judged_store,)
    return Chosen(judged, learned_on, stores, names, split, tuple(notes), (), train_store, val_store)


def _open(data_dir: Path, manifest: Path) -> ViewStore:
    store = ViewStore.from_manifest(data_dir, manifest)
    if not len(store):
        raise UserError(f"{manifest}: names no views; is it the manifest that was meant?")
    return store


def _beside(places: Places, judged_store: ViewStore, name: str) -> ViewStore | None:
    """A manifest of the data directory, where there is one with views; it may be the judged one."""
    assert places.manifest is not None
    assert places.data_dir is not None
    path = places.data_dir / name
    if not path.is_file():
        return None
    if path.resolve() == places.manifest.resolve():
        return judged_store
    store = ViewStore.from_manifest(places.data_dir, path)
    return store if len(store) else None


def _swc_names(store: ViewStore) -> dict[str, str]:
    """Outside the workflow a neuron is joined with its metadata by the file name of its SWC."""
    return dict(zip(store.neuron_ids, store.rows.column("swc").to_pylist(), strict=True))


def _split_of(data_dir: Path, judged: Sequence[str]) -> str:
    """The split that a data directory's split file gives the judged neurons."""
    path = data_dir / SPLIT_FILE
    if not path.is_file():
        return "unknown"
    table = read_splits(path)
    split = dict(zip(table["neuron_id"].to_pylist(), table["split"].to_pylist(), strict=True))
    found = {split.get(neuron) for neuron in judged}
    if len(found) > 1:
        return "mixed"
    return WORDS.get(str(found.pop()), "unknown")


def _by_splits(places: Places, split: str) -> Chosen:
    assert places.splits is not None
    assert places.shards is not None
    assert places.render_dir is not None
    store = ViewStore.from_shards(shard_files(places.shards, places.render_dir, ".arrow"))
    viewed = set(store.neuron_ids)
    table = read_splits(places.splits)
    # The split file remembers neurons that are gone; the catalog is the list of those that are there.
    there = set(read_table(places.metadata, ["neuron_id"])["neuron_id"].to_pylist()) | viewed
    wanted = _ids(table, KEYS[split]) & there
    judged, learned_on = wanted & viewed, _ids(table, "train") & viewed
    selecting = _ids(table, "val") & viewed
    names = {neuron: neuron for neuron in judged | learned_on | selecting}
    return Chosen(
        judged=tuple(sorted(judged)),
        learned_on=tuple(sorted(learned_on)),
        stores=(store,),
        names=names,
        split=split,
        without_views=tuple(sorted(wanted - viewed)),
        training=keep_neurons(store, learned_on),
        selection=keep_neurons(store, selecting),
    )


def _ids(table: pa.Table, split: str) -> set[str]:
    pairs = zip(table["neuron_id"].to_pylist(), table["split"].to_pylist(), strict=True)
    return {neuron for neuron, own in pairs if own == split}
