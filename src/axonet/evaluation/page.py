"""``report.html``: the report as one page that needs no other file, with a drawing beside the figures."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

from axonet.datasets.page_parts import document
from axonet.evaluation.document import Block, Bullets, Paragraph, Picture, Row, Section, Table

WIDE, HIGH, EDGE = 200, 22, 8  # of a drawing, in px; the scale lies between the edges

# Shapes tell the marks apart, so the page also works without colors; blue and orange differ for color-blind readers.
_STYLE = """
:root { color-scheme: light dark; --ink: #1c1e24; --quiet: #5f6673; --page: #f5f6f8; --card: #fff; --line: #dfe2e8;
  --own: #0067a3; --other: #b35900; --note: #fdf3e1; --note-line: #e69f00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaee; --quiet: #a0a8b5; --page: #14161a; --card: #1d2026;
  --line: #343943; --own: #5cb8f2; --other: #f0a64a; --note: #33291a; --note-line: #b97f00; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 36px 24px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 12px; }
h2 { font-size: 20px; margin: 44px 0 10px; }
p, li { max-width: 78ch; overflow-wrap: anywhere; }
p { margin: 0 0 12px; }
ul { margin: 0; padding-left: 20px; }
li { margin: 0 0 8px; }
.note { background: var(--note); border-left: 4px solid var(--note-line); border-radius: 6px; padding: 14px 18px 8px; }
.figures { display: flex; flex-wrap: wrap; gap: 12px; margin: 18px 0 0; padding: 0; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 8px 18px 10px; }
.figures dt { color: var(--quiet); font-size: 13px; }
.figures dd { margin: 0; font-size: 21px; font-weight: 600; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; margin: 0 0 16px; background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; }
table { width: 100%; border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; text-align: right; vertical-align: middle; white-space: nowrap; }
th { font-size: 12.5px; color: var(--quiet); font-weight: 600; white-space: normal; vertical-align: bottom; }
td { border-top: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 190px; overflow-wrap: anywhere; }
td.drawn, th.drawn { text-align: left; width: 1%; }
svg { display: block; }
.scale { stroke: var(--line); stroke-width: 1; }
.interval { stroke: var(--own); stroke-width: 4; stroke-linecap: round; opacity: .45; }
.value { fill: var(--own); }
.chance { stroke: var(--quiet); stroke-width: 2; stroke-dasharray: 2 2; }
.beside { fill: none; stroke: var(--other); stroke-width: 2; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 13px; color: var(--quiet); margin: 0 0 12px; }
.legend span { display: inline-flex; align-items: center; gap: 6px; }
figure { margin: 0 0 20px; }
figure img { display: block; max-width: 100%; max-height: 720px; background: #fff; border: 1px solid var(--line);
  border-radius: 8px; }
figcaption { font-size: 13.5px; color: var(--quiet); margin-top: 6px; }
@media print { body { background: #fff; } h2 { break-after: avoid; } tr, figure { break-inside: avoid; } }
"""


def report_page(title: str, splits: Row, sections: Sequence[Section], pictures: Mapping[str, bytes]) -> str:
    """The page as HTML.

    Args:
        title: of the page.
        splits: of ``metrics.json``.
        sections: of the report; names in them are escaped here.
        pictures: PNG files by name, those that the sections mention.

    Returns:
        A document with its style and its pictures inside.
    """
    first, *rest = sections
    body = "\n".join(_section(section, pictures) for section in rest)
    above = f"{_blocks(first, pictures)}\n{_tiles(splits)}"
    return document(title, f"{above}\n{body}", _STYLE)


def _tiles(splits: Row) -> str:
    tiles = {
        "judged neurons": splits["n_judged"],
        "independent groups": splits["groups"],
        "learned on": splits["n_learned_on"] or "cross-validation",
        "split": splits["judged"],
        "held out": splits["held_out"],
    }
    items = "".join(f"<div><dt>{name}</dt><dd>{_text(value)}</dd></div>" for name, value in tiles.items())
    return f'<dl class="figures">{items}</dl>'


def _text(value: object) -> str:
    return escape(f"{value:,}" if isinstance(value, int) else str(value))


def _section(section: Section, pictures: Mapping[str, bytes]) -> str:
    body = _blocks(section, pictures)
    if section.title == "Read this first":
        body = f'<div class="note">{body}</div>'
    return f"<section>\n<h2>{escape(section.title)}</h2>\n{body}\n</section>"


def _blocks(section: Section, pictures: Mapping[str, bytes]) -> str:
    explained = _legend() if any(isinstance(block, Table) and block.drawn for block in section.blocks) else ""
    return explained + "\n".join(_block(block, pictures) for block in section.blocks)


def _block(block: Block, pictures: Mapping[str, bytes]) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{escape(block.text)}</p>"
    if isinstance(block, Bullets):
        return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in block.lines) + "</ul>"
    return _table(block) if isinstance(block, Table) else _picture(block, pictures)


def _picture(block: Picture, pictures: Mapping[str, bytes]) -> str:
    if block.name not in pictures:
        return ""
    data = base64.b64encode(pictures[block.name]).decode("ascii")
    words = escape(block.words)
    return (
        f'<figure><img alt="{escape(block.name)}: {words}" src="data:image/png;base64,{data}">'
        f"<figcaption>{words} ({escape(block.name)})</figcaption></figure>"
    )


def _table(block: Table) -> str:
    drawn = [""] * len(block.body)
    first, *others = [f'<th scope="col">{escape(name)}</th>' for name in block.header]
    if block.drawn:
        drawn = [f'<td class="drawn">{drawing(row)}</td>' for row in block.drawn]
        others.insert(0, '<th scope="col" class="drawn">from 0 to 1</th>')
    head = "".join([first, *others])
    lines = []
    for cells, own in zip(block.body, drawn, strict=True):
        name, *figures = [f"<td>{escape(cell)}</td>" for cell in cells]
        lines.append(f"<tr>{name}{own}{''.join(figures)}</tr>")
    rows = "\n".join(lines)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'


def drawing(row: Row) -> str:
    """Value with its interval, chance and baseline of a row of ``metrics.json``, as SVG on a scale from 0 to 1.

    Args:
        row: of shares; what lies outside of 0 to 1 is not drawn.
    """
    middle, value, chance = HIGH / 2, row["value"], row["chance"]
    ends, difference = row["interval"], row["difference"]
    marks = [f'<line class="scale" x1="{EDGE}" x2="{WIDE - EDGE}" y1="{middle}" y2="{middle}"/>']
    marks += [_tick("scale", x, 4) for x in (0.0, 0.5, 1.0)]
    words = []
    if _on_scale(chance):
        marks.append(_tick("chance", chance, 8))
        words.append(f"chance {chance:.2f}")
    if isinstance(ends, list | tuple) and all(_on_scale(end) for end in ends):
        left, right = (_place(end) for end in ends)
        marks.append(f'<line class="interval" x1="{left}" x2="{right}" y1="{middle}" y2="{middle}"/>')
        words.append(f"interval {ends[0]:.2f} to {ends[1]:.2f}")
    apart = difference[0] if isinstance(difference, list | tuple) else None
    if isinstance(value, int | float) and isinstance(apart, int | float) and row["model"] != row["baseline"]:
        other = value - apart
        if -1e-9 <= other <= 1 + 1e-9:
            marks.append(_diamond(_place(other), middle))
            words.append(f"baseline {other:.2f}")
    if _on_scale(value):
        marks.append(f'<circle class="value" cx="{_place(value)}" cy="{middle}" r="4.5"/>')
        words.insert(0, f"{value:.2f}")
    label = escape(", ".join(words))
    return f'<svg role="img" aria-label="{label}" width="{WIDE}" height="{HIGH}">{"".join(marks)}</svg>'


def _on_scale(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _place(value: object) -> float:
    assert isinstance(value, int | float)
    return round(EDGE + float(value) * (WIDE - 2 * EDGE), 1)


def _tick(kind: str, value: object, reach: float) -> str:
    x, middle = _place(value), HIGH / 2
    return f'<line class="{kind}" x1="{x}" x2="{x}" y1="{middle - reach}" y2="{middle + reach}"/>'


def _diamond(x: float, y: float, reach: float = 5.5) -> str:
    return f'<path class="beside" d="M{x - reach} {y}L{x} {y - reach}L{x + reach} {y}L{x} {y + reach}Z"/>'


def _legend() -> str:
    small = f'<svg aria-hidden="true" width="22" height="{HIGH}">'
    y = HIGH / 2
    items = {
        "value": f'<circle class="value" cx="11" cy="{y}" r="4.5"/>',
        "95 % interval": f'<line class="interval" x1="3" x2="19" y1="{y}" y2="{y}"/>',
        "chance": f'<line class="chance" x1="11" x2="11" y1="{y - 8}" y2="{y + 8}"/>',
        "baseline of the difference": _diamond(11, y),
    }
    marks = "".join(f"<span>{small}{mark}</svg>{name}</span>" for name, mark in items.items())
    return f'<p class="legend">{marks}</p>'
