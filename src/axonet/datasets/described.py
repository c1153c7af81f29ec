"""Neurons of a folder with their metadata and measurements, as captions need them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from axonet.core.errors import UserError
from axonet.core.progress import say, track, warn
from axonet.datasets.measures import OK, measure_entry
from axonet.metadata.index import RecordIndex
from axonet.metadata.record import NeuronRecord
from axonet.metadata.unmatched import tell_unmatched
from axonet.sources.catalog import CatalogEntry
from axonet.sources.swc_files import find_swc_files, name_neurons
from axonet.sources.workers import map_ordered


def describe_folder(
    records: Sequence[NeuronRecord], metadata: Path, swc_dir: Path, jobs: int = 1
) -> list[tuple[NeuronRecord, dict[str, Any]]]:
    """Join the SWC files of a folder with their records, and measure those that have one.

    What matches on neither side is counted and named.

    Raises:
        UserError: no SWC files, or no file has a record.
    """
    names = name_neurons(find_swc_files(swc_dir))
    index = RecordIndex(records)
    joined = index.join(list(names))
    say(f"{metadata}: metadata for {len(joined.records)} of {len(names)} SWC files")
    if (problem := joined.problem()) is not None:
        warn(f"{metadata}: {problem}")
    if not joined.records:
        raise UserError(
            f"{metadata}: names none of the SWC files of {swc_dir}; it has {records[0].swc!r}, the folder has "
            f"{next(iter(names))!r}"
            if records
            else f"{metadata}: no rows"
        )
    tell_unmatched(index, joined, metadata)
    paths = sorted(joined.records)
    entries = [CatalogEntry(names[path], names[path], path, str(swc_dir / path)) for path in paths]
    rows = list(track(map_ordered(measure_entry, entries, jobs), "measuring neurons", len(entries)))
    bad = Counter(str(row["status"]) for row in rows if row["status"] != OK)
    if bad:
        reasons = ", ".join(f"{code} {count}" for code, count in bad.most_common())
        warn(f"{bad.total()} of {len(rows)} files could not be measured ({reasons}): nothing is said of their shape")
    return [(joined.records[path], row) for path, row in zip(paths, rows, strict=True)]
