"""What a search found, as rows for a table, a page of pictures or a program."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from axonet.core.errors import UserError
from axonet.explore.neighbors import nearest_to_one
from axonet.explore.table import COLORS

if TYPE_CHECKING:
    from axonet.explore.folder import ExploreFolder

SHOWN = ("cell_type", "species", "region", "layer")
MOST = 1000


@dataclass(frozen=True)
class Hit:
    """One neuron that was found.

    Attributes:
        rank: from 1.
        row: number of its row in the export.
        neuron_id: id.
        cosine: with the query.
        about: its words: type, species, region, layer, split, quality codes, caption, licence, reference; None where
            nobody told.
    """

    rank: int
    row: int
    neuron_id: str
    cosine: float
    about: Mapping[str, str | None]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "cosine": round(self.cosine, 6), "about": dict(self.about)}


def rows_where(folder: ExploreFolder, where: Mapping[str, str]) -> npt.NDArray[np.int64] | None:
    """Rows of the neurons that all conditions hold for, None without any.

    Args:
        folder: the export.
        where: values by column, such as ``species: mouse``; upper and lower case are one.

    Raises:
        UserError: there is no such column, or nobody has that value; the message tells what there is.
    """
    chosen: npt.NDArray[np.bool_] | None = None
    for column, value in where.items():
        if column not in COLORS:
            raise UserError(f"--where {column}={value}: no column {column!r}; there are {', '.join(COLORS)}")
        values = np.array(folder.points.column(column).to_pylist(), dtype=object)
        known = {str(text) for text in values if text is not None}
        holds = np.array([text is not None and text.casefold() == value.casefold() for text in values], dtype=bool)
        if not holds.any():
            some = ", ".join(sorted(known)[:12]) or "none at all"
            raise UserError(f"--where {column}={value}: no neuron has it; there are {some}")
        chosen = holds if chosen is None else chosen & holds
    return None if chosen is None else np.flatnonzero(chosen)


def find(
    folder: ExploreFolder,
    query: npt.NDArray[np.float32],
    k: int,
    allowed: npt.NDArray[np.int64] | None = None,
    without: int | None = None,
) -> list[Hit]:
    """The neurons nearest to a query, best first; of equals the one with the lower row.

    Args:
        folder: the export.
        query: ``(d,)`` unit vector.
        k: how many.
        allowed: rows to choose from; all by default.
        without: a row that is passed over, such as that of the neuron whose vector the query is.
    """
    rows, cosines = nearest_to_one(folder.vectors, query, k, without=without, allowed=allowed)
    names = [*SHOWN, "split", "qc", "caption", "licence", "reference"]
    found = folder.points.select(["neuron_id", *names]).take(rows).to_pylist()
    return [
        Hit(rank, int(row), about.pop("neuron_id"), float(cosine), about)
        for rank, (row, cosine, about) in enumerate(zip(rows, cosines, found, strict=True), start=1)
    ]


def hits_text(hits: Sequence[Hit], width: int = 120) -> str:
    """A table for a terminal; columns that are empty for all are left out.

    Args:
        hits: what was found.
        width: characters of a line, at most; the last columns give way.
    """
    if not hits:
        return "nothing found"
    header = ["", "cosine", "neuron"]
    columns = [[str(hit.rank) for hit in hits], [f"{hit.cosine:.3f}" for hit in hits], [h.neuron_id for h in hits]]
    for name in (*SHOWN, "split", "qc"):
        values = [hit.about.get(name) or "" for hit in hits]
        if any(values):
            header.append(name.replace("_", " "))
            columns.append(values)
    sizes = [max(len(text) for text in (name, *values)) for name, values in zip(header, columns, strict=True)]
    lines = []
    for cells in (header, *zip(*columns, strict=True)):
        padded = (cell.rjust(size) if place < 2 else cell.ljust(size) for place, (cell, size) in enumerate(
            zip(cells, sizes, strict=True)
        ))  # fmt: skip
        line = "  ".join(padded).rstrip()
        lines.append(line if len(line) <= width else line[: width - 1] + "…")
    return "\n".join(lines)


def sheet_shape(n: int, most_columns: int = 4) -> tuple[int, int]:
    """Rows and columns of a page of ``n`` pictures."""
    n_columns = min(n, most_columns) or 1
    return math.ceil(n / n_columns), n_columns
