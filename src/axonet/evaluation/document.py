"""What a report is made of; ``tables`` writes it as plain text, ``page`` as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Row = Mapping[str, object]


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Table:
    """Cells as they are shown; the first column is flush left.

    Attributes:
        header: names of the columns.
        body: rows of cells.
        drawn: for every row of the body the row of ``metrics.json`` that a page draws beside it on a scale from 0 to
            1; empty for a table without a drawing.
    """

    header: Sequence[str]
    body: Sequence[Sequence[str]]
    drawn: Sequence[Row] = ()


@dataclass(frozen=True)
class Picture:
    """A picture beside the report, by its file name; text reports go without."""

    name: str
    words: str


Block = Paragraph | Bullets | Table | Picture


@dataclass(frozen=True)
class Section:
    """Blocks under a title; a section without a title stands first."""

    title: str
    blocks: Sequence[Block]
