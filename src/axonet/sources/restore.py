"""A ledger out of the outputs of an earlier download, for when its database was deleted or left behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from axonet.core.errors import UserError
from axonet.core.files import sha256_file
from axonet.sources.fetch_file import FileResult, KnownFile
from axonet.sources.ledger import Ledger
from axonet.sources.outputs import METADATA, STATUS


def restore_ledger(
    folder: Path, ledger: Ledger, id_key: str, to_record: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """Fill a new ledger with what the folder's files say; files count as finished if they are as the status has them.

    Args:
        folder: the download's output folder.
        ledger: one that this was done for already is left alone.
        id_key: key of the id in the metadata.
        to_record: makes the record of the ledger out of a row of the metadata.

    Raises:
        UserError: the files are of something else.
    """
    if ledger.get("is_restored", False):
        return
    for row in _rows(folder / METADATA):
        try:
            neuron_id, swc = int(row[id_key]), Path(str(row["swc"])).name
        except (KeyError, ValueError, TypeError):
            raise UserError(
                f"{folder / METADATA}: not made by this download (a row without {id_key} or swc); choose another --out"
            ) from None
        ledger.restore(neuron_id, to_record({key: value for key, value in row.items() if key != "swc"}), swc)
    for row in _rows(folder / STATUS):
        path = folder / str(row.get("swc"))
        if row.get("ok") and path.is_file() and sha256_file(path) == row.get("sha256"):
            facts = KnownFile(
                row["sha256"], row["bytes"], row.get("reader"), row.get("url") or "", row.get("found_by") or ""
            )
            ledger.record_file(FileResult(int(row["neuron_id"]), facts, attempts=row.get("attempts", 0)), 0)
    ledger.put("is_restored", True)
    ledger.commit()


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict):
                raise UserError(f"{path}, line {number}: not a JSON object; choose another --out")
            yield row
