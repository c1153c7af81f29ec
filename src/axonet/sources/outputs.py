"""The files of a download that people and other steps read, made from its ledger whenever it stops.

Each is written whole or not at all, row by row, sorted by id; one that would not change is left alone with its date.
What differs from run to run stands in ``status.jsonl`` and ``run.json`` only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from axonet.core.files import atomic_path, sha256_file
from axonet.sources.ledger import Ledger

SWC_FOLDER = "swc"
METADATA = "metadata.jsonl"
MORPHOMETRY = "morphometry.jsonl"
STATUS = "status.jsonl"


class _Unchanged(Exception):
    """Leaves the block of an atomic write without the write."""


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines, unless the file has these very lines already."""
    try:
        with atomic_path(path) as temporary:
            with temporary.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(f"{line}\n" for line in lines)
            if path.is_file() and sha256_file(path) == sha256_file(temporary):
                raise _Unchanged
    except _Unchanged:
        pass


def to_line(row: Mapping[str, Any]) -> str:
    """A row of JSON lines; keys keep their order."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False)


def write_metadata(
    folder: Path, ledger: Ledger, to_row: Callable[[dict[str, Any]], dict[str, Any]] = lambda record: record
) -> None:
    """One row per neuron, with the path of its SWC file relative to the folder.

    Args:
        folder: the download's output folder.
        ledger: of the download.
        to_row: what of a record is metadata; all of it by default.
    """
    rows = ledger.rows("record, swc", "swc IS NOT NULL")
    write_lines(
        folder / METADATA,
        (to_line({**to_row(json.loads(record)), "swc": f"{SWC_FOLDER}/{swc}"}) for _, record, swc in rows),
    )


def write_measures(folder: Path, ledger: Ledger) -> None:
    """The measures that the source publishes of each neuron, where it does."""
    write_lines(folder / MORPHOMETRY, (measures for _, measures in ledger.rows("measures", "measures IS NOT NULL")))


def write_status(folder: Path, ledger: Ledger) -> None:
    """What became of each neuron's file; this changes from run to run."""
    write_lines(folder / STATUS, _status_lines(ledger))


def _status_lines(ledger: Ledger) -> Iterator[str]:
    columns = "swc, is_ok, reason, message, reader, attempts, sha256, size, found_by, url, changed, refresh, gone, "
    columns += "measures_reason"
    for neuron_id, *values in ledger.rows(columns, "swc IS NOT NULL"):
        swc, is_ok, reason, message, reader, attempts, sha256, size, found_by, url, changed, *rest = values
        refresh, gone, measures_reason = rest
        row: dict[str, Any] = {
            "neuron_id": neuron_id,
            "swc": f"{SWC_FOLDER}/{swc}",
            "ok": bool(is_ok),
            "reason": reason if is_ok or reason else "not_tried",
            "reader": reader,
            "attempts": attempts,
            "sha256": sha256 if is_ok else None,
            "bytes": size if is_ok else None,
            "found_by": found_by or None,
            "changed": bool(changed),
            "refresh": refresh,
            "gone": bool(gone),
            "morphometry": measures_reason,
            "url": url or None,
            "message": message or None,
        }
        yield to_line(row)
    for _, reason, message in ledger.chunks("SELECT id, reason, message FROM broken WHERE id > ?"):
        yield to_line({"neuron_id": None, "swc": None, "ok": False, "reason": reason, "message": message})
