"""Plain text: wrapped paragraphs, aligned columns, figures as a person reads them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from axonet.evaluation.document import Block, Bullets, Paragraph, Picture, Section

WIDTH = 100
Row = Mapping[str, object]


def as_text(title: str, sections: Sequence[Section]) -> str:
    """A report as plain text; its pictures lie beside it."""
    parts = [heading(title, "=")]
    for section in sections:
        parts += [heading(section.title)] if section.title else []
        parts += [_block(block) for block in section.blocks if not isinstance(block, Picture)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return paragraph(block.text)
    if isinstance(block, Bullets):
        return "\n".join(bullet(line) for line in block.lines)
    return "" if isinstance(block, Picture) else table(block.header, block.body)


def paragraph(text: str, indent: str = "") -> str:
    """Text wrapped to the width of the report."""
    return textwrap.fill(" ".join(text.split()), WIDTH, initial_indent=indent, subsequent_indent=indent)


def bullet(text: str) -> str:
    """A wrapped list item."""
    return textwrap.fill(" ".join(text.split()), WIDTH, initial_indent="- ", subsequent_indent="  ")


def heading(text: str, mark: str = "-") -> str:
    """A title with a line below."""
    return f"{text}\n{mark * len(text)}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; the first is flush left, the others flush right."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = []
    for row in cells:
        first = row[0].ljust(widths[0])
        rest = "  ".join(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append(f"  {first}  {rest}".rstrip())
    lines.insert(1, "  " + "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def number(value: object, digits: int = 2) -> str:
    """A figure with two decimals, whole numbers without; a dash where there is none."""
    if not isinstance(value, int | float):
        return "-"
    return f"{value:.{digits}f}" if isinstance(value, float) else f"{value:,}"


def with_interval(row: Row) -> str:
    """``0.61 [0.55, 0.66]``; ``0.61 [no interval]`` where none can be given."""
    interval = row["interval"]
    ends = ", ".join(number(end) for end in interval) if isinstance(interval, list | tuple) else "no interval"
    return f"{number(row['value'])} [{ends}]"


def difference(row: Row) -> str:
    """``+0.02 [-0.01, +0.05]``, a dash without a baseline."""
    parts = row["difference"]
    if not isinstance(parts, list | tuple):
        return "-"
    value, low, high = (f"{part:+.2f}" if isinstance(part, int | float) else "?" for part in parts)
    return f"{value} [{low}, {high}]" if parts[1] is not None else value


def count(n: int, singular: str, plural: str | None = None) -> str:
    """``1 neuron``, ``1,200 neurons``."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"
