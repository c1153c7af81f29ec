"""Whose metadata a file looks like, from the names of its columns."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from axonet.core.errors import UserError
from axonet.core.files import read_json

# Columns that only one dialect has, and how that dialect is called in messages.
_NEUROMORPHO = frozenset(("neuron_id", "neuron_name"))
_ALLEN = ("specimen__id", "cell_specimen_id")
_FILES = ("swc", "swc_file", "swc_path", "file")
_NAMES = {
    "neuromorpho": "records of NeuroMorpho.Org",
    "allen": "cells of the Allen Institute",
    "table": "a table of your own",
}


def dialect_of(columns: Collection[str]) -> str | None:
    """The dialect that these columns belong to, or None where nothing tells."""
    if _NEUROMORPHO.issubset(columns):
        return "neuromorpho"
    if any(name in columns for name in _ALLEN):
        return "allen"
    return "table" if any(name.casefold() in _FILES for name in columns) else None


def dialect_hint(columns: Collection[str]) -> str:
    """The end of a message about a file that could not be read in the dialect asked for."""
    found = dialect_of(columns)
    if found is not None:
        return f"it looks like {_NAMES[found]}: --source {found}"
    shown = ", ".join(list(columns)[:6]) or "none"
    return (
        f"columns: {shown}; a table of your own is read with --source table, and --column swc=NAME says which column "
        "names the files"
    )


def rows_in(answer: object) -> list[dict[str, Any]]:
    """The rows of a JSON file: a list of them, one alone, or what a server of either source sends around them."""
    rows = answer if isinstance(answer, list) else [answer]
    if isinstance(answer, dict):
        page = answer.get("_embedded")
        inner = [page.get("neuronResources") if isinstance(page, dict) else None, answer.get("msg")]
        rows = next((found for found in inner if isinstance(found, list)), rows)
    return [row for row in rows if isinstance(row, dict)]


def json_hint(path: Path) -> str:
    """``; it looks like ...`` about a JSON file that could not be read in the dialect asked for, or nothing."""
    try:
        rows = rows_in(read_json(path))
    except UserError:
        return ""
    return f"; {dialect_hint(rows[0])}" if rows and dialect_of(rows[0]) is not None else ""
