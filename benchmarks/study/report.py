"""Rows of figures as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from axonet.core.files import read_json, write_json

HEADS = {
    "coarse": "classes",
    "fine": "types",
    "types": "types of one lab",
    "layer": "layers",
    "labs": "labs held out",
    "allen": "another source",
}


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the first column is left-aligned, the others right."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


class Notebook:
    """Figures that were found, by table, row and column; kept in a file so that a stopped study goes on.

    Args:
        path: JSON file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tables: dict[str, dict[str, dict[str, str]]] = read_json(path) if path.is_file() else {}

    def has(self, table: str, row: str) -> bool:
        """Whether a row was found before."""
        return row in self.tables.get(table, {})

    def add(self, table: str, row: str, cells: Mapping[str, str]) -> None:
        """Write a row down."""
        self.tables.setdefault(table, {})[row] = {**self.tables.get(table, {}).get(row, {}), **cells}
        write_json(self.path, self.tables)

    def show(self, table: str) -> str:
        """A table as Markdown."""
        rows = self.tables[table]
        columns = list(dict.fromkeys(name for cells in rows.values() for name in cells))
        body = [[row, *(cells.get(name, "-") for name in columns)] for row, cells in rows.items()]
        return markdown([table, *(HEADS.get(name, name) for name in columns)], body)
