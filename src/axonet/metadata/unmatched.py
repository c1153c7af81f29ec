"""Rows of metadata that are nobody's: named in a line, listed in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from axonet.core.files import write_jsonl
from axonet.core.progress import warn
from axonet.metadata.adapters.arrow import file_name
from axonet.metadata.index import SHOWN, FileJoin, RecordIndex
from axonet.metadata.record import NeuronRecord

FILE_NAME = "unmatched.jsonl"
NO_FILE, AMBIGUOUS = "no_swc_file", "ambiguous_metadata"


def unmatched_rows(index: RecordIndex, joined: FileJoin) -> list[dict[str, str]]:
    """The records that no file has, in their order, each with the reason."""
    used = {id(record) for record in joined.records.values()}
    unclear = {file_name(path) for path in joined.ambiguous}
    return [
        {"id": record.id, "swc": _path(record), "reason": AMBIGUOUS if record.swc in unclear else NO_FILE}
        for record in index.records
        if id(record) not in used
    ]


def tell_unmatched(index: RecordIndex, joined: FileJoin, metadata: Path, folder: Path | None = None) -> None:
    """Name the first rows that match no file, and list all of them.

    Args:
        index: all records.
        joined: what became of them.
        metadata: where they are from.
        folder: gets ``unmatched.jsonl``, or loses an old one; None: nothing is written.
    """
    tell_rows(unmatched_rows(index, joined), len(index), metadata, folder)


def tell_rows(rows: Sequence[dict[str, str]], n_records: int, metadata: Path, folder: Path | None = None) -> None:
    """As :func:`tell_unmatched`, of rows that were found before.

    Args:
        rows: of :func:`unmatched_rows`.
        n_records: how many records there are.
        metadata: where they are from.
        folder: see :func:`tell_unmatched`.
    """
    where = None if folder is None else folder / FILE_NAME
    if where is not None and rows:
        write_jsonl(where, rows)
    elif where is not None:
        where.unlink(missing_ok=True)
    if rows:
        listed = "" if where is None else f"; all are in {where}"
        warn(f"{metadata}: {len(rows):,} of {n_records:,} rows match no SWC file ({_shown(rows)}{listed})")


def _shown(rows: Sequence[dict[str, str]]) -> str:
    names = ", ".join(row["swc"] for row in rows[:SHOWN])
    return names + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")


def _path(record: NeuronRecord) -> str:
    return record.swc_path or record.swc
