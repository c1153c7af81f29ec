"""One packed shard of views, from the catalog's rows of that shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from axonet.core.config import setting_values
from axonet.core.files import remove_leftovers, short_hash, write_table
from axonet.core.progress import say, track
from axonet.datasets.compile_first import compile_first
from axonet.datasets.journal import Journal, journal_file
from axonet.datasets.render_jobs import QC_FIELDS, PackedNeuron, input_spec, render_entry
from axonet.datasets.shards import neuron_batch, shard_schema, shard_writer
from axonet.sources.catalog import CatalogEntry, shard_entries
from axonet.sources.workers import map_ordered

if TYPE_CHECKING:
    from axonet.rendering.settings import RenderSettings

_QC_TYPES = {
    **{"view": pa.int32(), "warnings": pa.list_(pa.string())},
    **{"n_nodes": pa.int64(), "qc": pa.float64(), "drawn_px": pa.int64()},
}
QC_SCHEMA = pa.schema([pa.field(name, _QC_TYPES.get(name, pa.string())) for name in QC_FIELDS])
# Neither the number of workers nor what draws changes what an image is.
NO_PART_OF_AN_IMAGE = ("no_cache", "backend", "device")


@dataclass(frozen=True)
class BuiltShard:
    """What was written: rows of the quality table, measurements, and how many views."""

    qc: list[dict[str, Any]]
    measures: list[dict[str, Any]]
    n_views: int

    @property
    def statuses(self) -> Counter[str]:
        """How many neurons ended how."""
        return Counter(str(row["status"]) for row in self.qc)


def image_settings(settings: RenderSettings) -> dict[str, Any]:
    """The settings that decide what the images are, and which there are."""
    from axonet.rendering.settings import RenderSettings

    values = setting_values(settings, list(RenderSettings.model_fields))
    return {name: value for name, value in sorted(values.items()) if name not in NO_PART_OF_AN_IMAGE}


def qc_file(shard: Path) -> Path:
    """The quality table beside a shard."""
    return shard.with_name(f"{shard.stem}.qc.parquet")


def pack_entry(entry: CatalogEntry, settings: RenderSettings) -> PackedNeuron:
    """Render a neuron and compress its images: the work of a process."""
    rendered = render_entry(entry, settings)
    batch = neuron_batch(rendered.views, schema_of(settings)) if rendered.views else None
    return PackedNeuron(batch, rendered.qc, rendered.measure)


def schema_of(settings: RenderSettings) -> pa.Schema:
    """Schema of a shard that is rendered with these settings."""
    return shard_schema(input_spec(settings), settings.depth_bits, image_settings(settings))


def open_journal(shard: Path, entries: Sequence[CatalogEntry], settings: RenderSettings) -> Journal:
    """The journal of a shard that is not whole yet: what of it is finished.

    Args:
        shard: the Arrow file; its name tells what is in it.
        entries: its neurons, sorted by id.
        settings: how they are rendered.
    """
    remove_leftovers(shard.parent)
    key = short_hash([shard.stem, image_settings(settings)])
    return Journal(journal_file(shard), key, schema_of(settings), [entry.neuron_id for entry in entries])


def write_shard(path: Path, neurons: Iterable[PackedNeuron], settings: RenderSettings) -> BuiltShard:
    """Write a shard with the quality table beside it; the shard comes last.

    Args:
        path: the Arrow file.
        neurons: sorted by id.
        settings: what they were rendered with.
    """
    built = BuiltShard([], [], 0)
    with shard_writer(path, schema_of(settings)) as writer:
        for neuron in neurons:
            if neuron.batch is not None:
                writer.add(neuron.batch)
            built.qc.extend(neuron.qc)
            built.measures.append(neuron.measure)
        write_table(qc_file(path), pa.Table.from_pylist(built.qc, schema=QC_SCHEMA))
    return BuiltShard(built.qc, built.measures, writer.n_views)


def build_catalog_shard(catalog: Path, shard_name: str, out: Path, settings: RenderSettings, jobs: int = 1) -> None:
    """Render one shard of a catalog into ``<out>/<shard_name>.arrow``; one that was begun is finished.

    Args:
        catalog: the catalog.
        shard_name: ``<shard>-<digest>``.
        out: folder.
        settings: how to render.
        jobs: number of processes.

    Raises:
        UserError: the catalog or a neuron's file is not what the digest says.
    """
    from axonet.rendering.backends import check_backend

    entries = shard_entries(catalog, shard_name)
    check_backend(settings)
    path = out / f"{shard_name}.arrow"
    with open_journal(path, entries, settings) as journal:
        todo = entries[journal.n_neurons :]
        compile_first(settings, min(jobs, len(todo)), png=False)
        results = map_ordered(partial(pack_entry, settings=settings), todo, jobs)
        for neuron in track(results, f"rendering {shard_name}", len(todo)):
            journal.append(neuron)
        built = write_shard(path, journal, settings)
        journal.remove()
    counts = ", ".join(f"{status} {n}" for status, n in sorted(built.statuses.items()))
    say(f"{shard_name}: {built.n_views} views of {len(entries)} neurons ({counts})")
