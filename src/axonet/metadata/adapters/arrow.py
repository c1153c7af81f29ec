"""Records as an Arrow table and back, exactly: the form in which a catalog carries them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from axonet.core.errors import UserError
from axonet.metadata.record import FIELD_NAMES, LIST_FIELDS, NeuronRecord

if TYPE_CHECKING:
    import pyarrow as pa

_FOLDERS = re.compile(r"[/\\]")


def file_name(path: str) -> str:
    """The last part of a path of any system: records name their SWC by it."""
    return _FOLDERS.split(path)[-1]


def path_parts(path: str) -> tuple[str, ...]:
    """The parts of a path of any system; empty parts and ``.`` are left out."""
    return tuple(part for part in _FOLDERS.split(path) if part not in ("", "."))


def folder_path(path: str) -> str:
    """The path with ``/`` if it names a folder, else nothing: what the join needs beside the file name."""
    parts = path_parts(path)
    return "/".join(parts) if len(parts) > 1 else ""


def record_schema() -> pa.Schema:
    """The columns of a table of records: text, and lists of text."""
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    return pa.schema([(name, texts if name in LIST_FIELDS else text) for name in FIELD_NAMES])


def to_table(records: Iterable[NeuronRecord]) -> pa.Table:
    """One row per record, one column per field."""
    import pyarrow as pa

    rows = list(records)
    schema = record_schema()
    columns: list[Any] = []
    for field in schema:
        values = [getattr(record, field.name) for record in rows]
        columns.append(pa.array([list(v) for v in values] if field.name in LIST_FIELDS else values, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def holds_records(names: Iterable[str]) -> bool:
    """Whether a table with these columns was made by :func:`to_table`, other columns beside."""
    return set(FIELD_NAMES) <= set(names)


def from_table(table: pa.Table) -> list[NeuronRecord]:
    """The records of a table made by :func:`to_table`; columns beside the fields are left alone.

    A catalog stores a path in ``swc``; the record is named by its file name, and remembers the path for the join.

    Raises:
        UserError: a column is missing.
    """
    missing = [name for name in FIELD_NAMES if name not in table.column_names]
    if missing:
        raise UserError(f"not a table of neuron records: missing column {', '.join(missing)}")
    records = []
    for row in table.select(FIELD_NAMES).to_pylist():
        values: dict[str, Any] = {name: tuple(v or ()) if name in LIST_FIELDS else v for name, v in row.items()}
        path = values.pop("swc")
        records.append(NeuronRecord(**values, swc=file_name(path), swc_path=folder_path(path)))
    return records
