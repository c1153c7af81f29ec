"""The quality table as a CSV file that people open: one row per neuron, with the reason where it was left out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from axonet.core.errors import UserError
from axonet.core.files import atomic_path
from axonet.datasets.render_jobs import QC_FIELDS

_NUMBERS = {"view": int, "n_nodes": int, "qc": float, "drawn_px": int}


def write_quality_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows of the quality table, the codes of a neuron with spaces between them.

    Args:
        path: the file.
        rows: with the keys ``QC_FIELDS``.
    """
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(QC_FIELDS)
        for row in rows:
            writer.writerow([" ".join(row[name]) if name == "warnings" else row.get(name) for name in QC_FIELDS])


def read_quality_csv(path: Path) -> list[dict[str, Any]]:
    """The rows that :func:`write_quality_csv` wrote.

    Raises:
        UserError: the file is missing, or is no quality table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != QC_FIELDS:
                raise UserError(f"{path}: not a quality table of this version of axonet")
            return [{name: _value(name, text) for name, text in row.items()} for row in reader]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise UserError(f"{path}: not a quality table ({error})") from error


def _value(name: str, text: str | None) -> Any:
    if name == "warnings":
        return (text or "").split()
    return _NUMBERS.get(name, str)(text) if text else None
