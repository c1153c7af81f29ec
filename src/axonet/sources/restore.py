"""A ledger out of the outputs of an earlier download, for when its database was deleted or left behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from axonet.core.errors import UserError
from axonet.core.files import sha256_file
from axonet.sources.fetch_file import FileResult, KnownFile
from axonet.sources.ledger import Ledger
from axonet.sources.outputs import METADATA, STATUS
from axonet.sources.records import BrokenRecord, checked_id


def restore_ledger(
    folder: Path,
    ledger: Ledger,
    id_key: str,
    to_record: Callable[[dict[str, Any]], dict[str, Any]],
    *,
    is_one_form: bool,
) -> None:
    """Fill a new ledger with what the folder's files say.

    Files count as finished if they are as the status has them. One that the metadata name and of which the status
    knows nothing, because the run was killed, may be adopted when its turn comes.

    Args:
        folder: the download's output folder.
        ledger: one that this was done for already is left alone.
        id_key: key of the id in the metadata.
        to_record: makes the record of the ledger out of a row of the metadata.
        is_one_form: whether a neuron of this source has one file only, so that its name says which it is.

    Raises:
        UserError: the files are of something else.
    """
    if ledger.get("is_restored", False):
        return
    has_metadata = (folder / METADATA).is_file()
    for row in _rows(folder / METADATA):
        try:
            neuron_id, swc = checked_id(row[id_key], id_key), Path(str(row["swc"])).name
        except (KeyError, BrokenRecord):
            raise UserError(
                f"{folder / METADATA}: not made by this download (a row without {id_key} or swc); choose another --out"
            ) from None
        record = to_record({key: value for key, value in row.items() if key != "swc"})
        ledger.restore(neuron_id, record, swc, is_foreign=not is_one_form)
    for row in _rows(folder / STATUS):
        if row.get("ok"):
            _restore_file(folder, ledger, row, None if has_metadata or is_one_form else to_record)
    ledger.put("is_restored", True)
    ledger.commit()


def _restore_file(
    folder: Path, ledger: Ledger, row: Mapping[str, Any], to_record: Callable[[dict[str, Any]], dict[str, Any]] | None
) -> None:
    """Take over a finished file; without metadata, the neuron as well."""
    try:
        neuron_id, path = checked_id(row["neuron_id"], "neuron_id"), folder / str(row["swc"])
        facts = KnownFile(
            row["sha256"], row["bytes"], row.get("reader"), row.get("url") or "", row.get("found_by") or ""
        )
    except (KeyError, BrokenRecord):
        return
    if to_record is not None:
        ledger.restore(neuron_id, to_record({"id": str(neuron_id)}), path.name, is_foreign=True)
    if path.is_file() and sha256_file(path) == facts.sha256:
        ledger.record_file(FileResult(neuron_id, facts, attempts=row.get("attempts", 0)), 0)
    else:
        ledger.distrust(neuron_id)


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
