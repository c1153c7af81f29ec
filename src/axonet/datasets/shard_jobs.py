"""Packed shards of a folder of neurons, made once: a shard is named by the digest of what is in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axonet.core.files import read_table, sha256_file, write_table
from axonet.core.progress import track
from axonet.datasets.build_shard import pack_entry, qc_file, write_shard
from axonet.datasets.measures import measure_table
from axonet.datasets.render_jobs import Outcome
from axonet.datasets.shards import read_rows
from axonet.sources.catalog import CatalogEntry, shard_digest, shard_of
from axonet.sources.workers import map_ordered

if TYPE_CHECKING:
    from axonet.rendering.settings import RenderSettings

SHARD_FOLDER = "shards"


def finish_shards(
    entries: Sequence[CatalogEntry], root: Path, settings: RenderSettings, bits: int, jobs: int
) -> tuple[list[Path], list[Outcome]]:
    """Render neurons into packed shards, passing over those that are there.

    Args:
        entries: the neurons, sorted by id.
        root: the data directory.
        settings: how to render.
        bits: there are ``2**bits`` shards.
        jobs: number of processes.

    Returns:
        The shards, and what is remembered of each neuron.
    """
    members: dict[str, list[CatalogEntry]] = defaultdict(list)
    for entry in entries:
        members[shard_of(entry.neuron_id, bits)].append(replace(entry, sha256=_digest(entry)))
    paths = {root / SHARD_FOLDER / f"{_name(shard, members[shard])}.arrow": members[shard] for shard in sorted(members)}
    _make_missing(paths, settings, jobs)
    outcomes = []
    for path in paths:
        n_views = Counter(read_rows(path)[0].column("neuron_id").to_pylist())
        measures = {row["neuron_id"]: row for row in read_table(_measure_file(path)).to_pylist()}
        for row in read_table(qc_file(path)).to_pylist():
            neuron_id = row["neuron_id"]
            outcomes.append(Outcome(neuron_id, n_views[neuron_id], [row], measures[neuron_id]))
    return list(paths), outcomes


def packed_rows(root: Path, paths: Sequence[Path], ids: Container[str]) -> Iterator[dict[str, Any]]:
    """Rows of the manifest of some neurons, shard by shard."""
    for path in paths:
        name = path.relative_to(root).as_posix()
        for row in read_rows(path)[0].to_pylist():
            if row["neuron_id"] in ids:
                yield {**row, "shard": name}


def _make_missing(paths: Mapping[Path, Sequence[CatalogEntry]], settings: RenderSettings, jobs: int) -> None:
    """Write the shards that are not there or not complete; workers are started once for all of them."""
    missing = [path for path in paths if not all(p.is_file() for p in (path, qc_file(path), _measure_file(path)))]
    if not missing:
        return
    todo = [entry for path in missing for entry in paths[path]]
    results = iter(map_ordered(partial(pack_entry, settings=settings), todo, jobs))
    neurons = track(results, "rendering neurons", len(todo))
    for path in missing:
        built = write_shard(path, islice(neurons, len(paths[path])), settings)
        write_table(_measure_file(path), measure_table(built.measures))
    next(neurons, None)  # lets the progress say that it is done


def _name(shard: str, entries: Sequence[CatalogEntry]) -> str:
    return f"{shard}-{shard_digest((entry.neuron_id, entry.sha256, entry.scale) for entry in entries)}"


def _measure_file(path: Path) -> Path:
    return path.with_name(f"{path.stem}.measure.parquet")


def _digest(entry: CatalogEntry) -> str:
    """SHA-256 of an entry's file; empty where it cannot be read, which its row will say."""
    try:
        return sha256_file(entry.path)
    except OSError:
        return ""
