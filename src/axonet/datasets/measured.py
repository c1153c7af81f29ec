"""Measurements of the neurons of a data directory, whoever made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from axonet.core.errors import UserError
from axonet.core.files import read_json, read_table, write_table
from axonet.core.progress import say, track, warn
from axonet.datasets.measures import measure_entry, measure_table
from axonet.datasets.view_store import ViewStore
from axonet.sources.catalog import CatalogEntry
from axonet.sources.workers import map_ordered

FILE_NAME = "measure.parquet"
_FEW = 64  # neurons: starting processes takes longer than measuring them


def measures_of(
    data_dir: Path, stores: Sequence[ViewStore], jobs: int = 1, swc_dirs: Sequence[Path] = ()
) -> dict[str, Mapping[str, Any]]:
    """Rows of the table of measurements by neuron id, for the neurons of some views.

    The dataset generator leaves the table in the data directory. What it lacks is measured from the SWC files that the
    manifests name and added to it, so that this happens once; neurons whose files are not found have no row.

    Args:
        data_dir: the data directory.
        stores: the views, opened by manifest.
        jobs: number of processes.
        swc_dirs: folders that the paths of SWC files may start in, looked at before those that the data directory tells
            of.
    """
    path = data_dir / FILE_NAME
    known = read_measures([path] if path.is_file() else [])
    files = {name: swc for store in stores for name, swc in _named(store) if name not in known}
    if not files:
        return known
    places = [*swc_dirs, *_places(data_dir)]
    found = {name: file for name, swc in sorted(files.items()) if (file := _find(swc, places)) is not None}
    if len(found) < len(files):
        example = next(files[name] for name in sorted(files) if name not in found)
        warn(
            f"{len(files) - len(found):,} neurons have no measurements: {path} has no row of them, and their SWC files "
            f"(such as {example}) are not below {', '.join(map(str, places))}"
        )
    if not found:
        return known
    say(f"measuring {len(found):,} neurons, which are not in {path}")
    known |= measure_files({name: (files[name], file) for name, file in found.items()}, jobs)
    try:
        write_table(path, measure_table(known.values()))
    except OSError as error:
        warn(f"{path}: cannot be written ({error.strerror}), so these neurons will be measured again next time")
    return known


def measure_files(files: Mapping[str, tuple[str, Path]], jobs: int = 1) -> dict[str, Mapping[str, Any]]:
    """Measure SWC files; one that cannot be read gives a row without measurements.

    Args:
        files: of each neuron id, the path that views name and the file itself.
        jobs: number of processes.
    """
    entries = [CatalogEntry(name, name, swc, str(file)) for name, (swc, file) in files.items()]
    rows = map_ordered(measure_entry, entries, jobs if len(entries) > _FEW else 1)
    return {row["neuron_id"]: row for row in track(rows, "measuring neurons", len(entries))}


def read_measures(files: Sequence[Path]) -> dict[str, Mapping[str, Any]]:
    """Rows of tables of measurements, by neuron id.

    Raises:
        UserError: a file is missing or no table of measurements.
    """
    measures: dict[str, Mapping[str, Any]] = {}
    for file in files:
        read_table(file, ["neuron_id", "status"])  # names the column that a wrong table lacks
        for row in read_table(file).to_pylist():
            measures[row["neuron_id"]] = row
    return measures


def _named(store: ViewStore) -> Iterable[tuple[str, str]]:
    return zip(store.neuron_ids, store.rows.column("swc").to_pylist(), strict=True)


def _places(data_dir: Path) -> list[Path]:
    """Where the paths of SWC files may start: where the generator was told, or around the data directory."""
    told: list[Path] = []
    try:
        settings = read_json(data_dir / "run.json").get("settings", {})
        told = [Path(settings["swc_dir"])] if settings.get("swc_dir") else []
    except (UserError, AttributeError):
        pass  # the directory was made by something else
    around = [data_dir, data_dir / "swc", data_dir.parent, data_dir.parent / "swc", Path()]
    return [*told, *around]


def _find(swc: str, places: Sequence[Path]) -> Path | None:
    return next((place / swc for place in places if (place / swc).is_file()), None)
