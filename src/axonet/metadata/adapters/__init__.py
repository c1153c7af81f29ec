"""The dialects of metadata, and the one door through which they become records."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from axonet.core.errors import UserError
from axonet.core.progress import warn
from axonet.metadata.adapters.allen import load_allen
from axonet.metadata.adapters.arrow import from_table, record_schema, to_table
from axonet.metadata.adapters.neuromorpho import load_neuromorpho
from axonet.metadata.adapters.table import load_table
from axonet.metadata.record import NeuronRecord
from axonet.metadata.unknown import describe, unknown_words

__all__ = ["SOURCES", "from_table", "load_records", "record_schema", "to_table"]

SOURCES = ("neuromorpho", "allen", "table")


def load_records(
    path: str | PathLike[str], source: str, columns: Mapping[str, str] | None = None
) -> list[NeuronRecord]:
    """Read the metadata of neurons.

    Words that the vocabulary does not know are kept and listed in a warning, and so are ignored columns.

    Args:
        path: ``metadata.jsonl`` of a download, or a table.
        source: dialect, one of ``SOURCES``.
        columns: ``{field: column}`` for columns of a table with names of their own.

    Raises:
        UserError: unknown dialect; missing or broken file; see the adapters.
    """
    file = Path(path)
    if source == "table":
        loaded = load_table(file, columns)
        records = loaded.records
        if loaded.ignored:
            hint = "; it looks like records of NeuroMorpho.Org: --source neuromorpho"
            told = hint if "neuron_name" in loaded.ignored else ""
            warn(f"{file}: columns that are not used: {', '.join(loaded.ignored)}{told}")
    elif columns:
        raise UserError(f"a column mapping is for tables; {source} records have fixed names")
    elif source == "neuromorpho":
        records = load_neuromorpho(file)
    elif source == "allen":
        records = load_allen(file)
    else:
        raise UserError(f"unknown metadata source {source!r}; known: {', '.join(SOURCES)}")
    unknown = describe(unknown_words(records))
    if unknown is not None:
        warn(f"{file}: {unknown}")
    return records
