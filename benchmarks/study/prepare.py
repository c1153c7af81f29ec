"""From a table of labelled neurons to packed views, measurements and labels in a folder; what is there is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from axonet.core.files import read_table, safe_name, sha256_bytes, sha256_file, short_hash, write_bytes, write_table
from axonet.core.progress import say, track
from axonet.datasets.build_shard import image_settings
from axonet.datasets.measures import measure_table
from axonet.datasets.shard_jobs import SHARD_FOLDER, PackedViews
from axonet.rendering.settings import RenderSettings
from axonet.sources.catalog import CatalogEntry

SHARD_BITS = 6
LABELS = ("neuron_id", "coarse_class", "fine_class", "layer", "lab", "group", "source_set", "um_per_unit")


@dataclass(frozen=True)
class Prepared:
    """Where the views, measurements and labels of a table lie.

    Attributes:
        folder: holds everything that was made of one table with one set of render settings.
    """

    folder: Path

    @property
    def shards(self) -> list[Path]:
        """Packed views."""
        return sorted((self.folder / SHARD_FOLDER).glob("*.arrow"))

    @property
    def measures(self) -> Path:
        """Table of measurements, a row per neuron."""
        return self.folder / "measure.parquet"

    @property
    def labels(self) -> Path:
        """Labels and groups, a row per neuron."""
        return self.folder / "labels.parquet"


def study_views(size: int = 64, zoom_um: float = 160.0) -> RenderSettings:
    """How the study renders: small, each view framed by itself, with a window around the soma."""
    return RenderSettings(
        width=size,
        height=size,
        supersample_factor=2,
        adaptive_framing=True,
        margin=0.08,
        zoom_um=zoom_um,
        min_qc=0.0,
        backend="cpu",
    )


def prepare(table_path: Path, cache: Path, settings: RenderSettings, jobs: int = 1) -> Prepared:
    """Render and measure the neurons of a table; shards that are complete are passed over.

    Args:
        table_path: Parquet with ``LABELS``, ``sha256`` and ``swc`` (bytes); a unit that is null counts as 1 um.
        cache: folder for everything; its sub-folder is named by the table and the settings.
        settings: how to render.
        jobs: number of processes.
    """
    key = short_hash([sha256_file(table_path), image_settings(settings)])
    folder = cache / f"{table_path.stem}-{key}"
    entries = _unpack(table_path, cache / "swc")
    outcomes = PackedViews(folder, settings, entries, SHARD_BITS).finish(None, jobs)
    prepared = Prepared(folder)
    write_table(prepared.measures, measure_table(outcome.measure for outcome in outcomes))
    views = sum(outcome.n_views for outcome in outcomes)
    without = [outcome.neuron_id for outcome in outcomes if not outcome.n_views]
    labels = read_table(table_path, list(LABELS))
    shown = pc.is_in(labels["neuron_id"], pa.array(without, pa.string()))
    write_table(prepared.labels, labels.filter(pc.invert(shown)))
    say(f"{folder}: {views:,} views of {len(outcomes) - len(without):,} neurons; without views: {without or 'none'}")
    return prepared


def entries_of(table_path: Path, cache: Path) -> dict[str, CatalogEntry]:
    """The neurons of a table by id, to be read again."""
    return {entry.neuron_id: entry for entry in _unpack(table_path, cache / "swc")}


def _unpack(table_path: Path, folder: Path) -> list[CatalogEntry]:
    """Write each neuron's bytes to a file of its own, and return the entries sorted by id."""
    rows: pa.Table = read_table(table_path, ["neuron_id", "um_per_unit", "sha256", "swc"])
    entries = []
    for batch in track(rows.to_batches(max_chunksize=64), "unpacking", len(rows) // 64 + 1):
        for row in batch.to_pylist():
            name = safe_name(row["neuron_id"])
            path = folder / f"{name}.swc"
            if not path.is_file() or sha256_file(path) != row["sha256"]:
                if sha256_bytes(row["swc"]) != row["sha256"]:
                    raise ValueError(f"{row['neuron_id']}: bytes are not what sha256 says")
                write_bytes(path, row["swc"])
            scale = 1.0 if row["um_per_unit"] is None else row["um_per_unit"]
            entries.append(CatalogEntry(row["neuron_id"], name, path.name, str(path), row["sha256"], scale))
    return sorted(entries, key=lambda entry: entry.neuron_id)
