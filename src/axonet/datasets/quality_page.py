"""``quality.html``: the worst neurons of a data set on one page that needs no other file."""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from axonet.datasets.measures import OK
from axonet.datasets.quality import MOST_SHOWN, Picture, Row, remarks
from axonet.datasets.quality_words import meaning
from axonet.morphology.compartments import CLASS_NAMES, N_CLASSES, PALETTE

THUMBNAIL_PX = 176

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1e24; --quiet: #646a76; --page: #f5f6f8; --card: #fff; --line: #e1e4e9;
  --bad: #b3261e; --bad-soft: #fbe9e7; --warn: #7a4d00; --warn-soft: #fdf1dc; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaee; --quiet: #9aa2af; --page: #14161a; --card: #1d2026;
  --line: #31353d; --bad: #ff9d94; --bad-soft: #43211f; --warn: #f0c067; --warn-soft: #3b2f18; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 56px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 6px; }
h2 { font-size: 17px; margin: 36px 0 10px; }
p { margin: 0 0 8px; max-width: 76ch; }
.quiet { color: var(--quiet); }
.figures { display: flex; flex-wrap: wrap; gap: 12px; margin: 20px 0 0; padding: 0; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 18px; }
.figures dt { color: var(--quiet); font-size: 13px; }
.figures dd { margin: 0; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 0 24px; }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line);
  font-size: 14px; }
td { padding: 4px 12px; border-top: 1px solid var(--line); vertical-align: top; }
tr:first-child td { border-top: 0; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; width: 1%; }
td.code { white-space: nowrap; width: 1%; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 350px), 1fr)); gap: 16px;
  list-style: none; padding: 0; margin: 16px 0 0; }
.cards li { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px;
  display: flex; flex-direction: column; gap: 8px; min-width: 0; }
.cards h3 { font-size: 15px; margin: 0; overflow-wrap: anywhere; }
.cards .file { font-size: 12.5px; color: var(--quiet); overflow-wrap: anywhere; }
.views { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px; }
figure { margin: 0; min-width: 0; }
figure img { display: block; width: 100%; border: 1px solid var(--line); border-radius: 6px; }
figcaption { font-size: 11.5px; line-height: 1.3; color: var(--quiet); margin-top: 3px; }
.none { border: 1px dashed var(--line); border-radius: 6px; padding: 18px 12px; font-size: 13.5px; color: var(--quiet);
  overflow-wrap: anywhere; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; }
.chip { font-size: 12.5px; border-radius: 99px; padding: 1px 10px; background: var(--warn-soft); color: var(--warn); }
.chip.bad { background: var(--bad-soft); color: var(--bad); }
.facts { font-size: 13px; color: var(--quiet); font-variant-numeric: tabular-nums; margin: auto 0 0; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; color: var(--quiet); }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 6px; }
"""


def quality_page(qc: Sequence[Row], worst: Sequence[Row], pictures: Iterable[Picture], table: str) -> str:
    """The page as HTML.

    Args:
        qc: rows of the quality table, one per neuron.
        worst: those to show, the worst first.
        pictures: of the views of those that were drawn, neuron by neuron.
        table: where all rows are.

    Returns:
        A document with its style and its pictures inside.
    """
    # Of all the views of a neuron only three are kept: the pictures come neuron by neuron.
    views = {name: _three(list(own)) for name, own in groupby(pictures, key=lambda view: view.row["neuron_id"])}
    cards = "\n".join(_card(row, views.get(row["neuron_id"], ())) for row in worst)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Quality of the views</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>Quality of the views</h1>
<p class="quiet">What the files and the drawing say about {len(qc):,} neurons. Every neuron has its row in
<code>{escape(table)}</code>.</p>
{_figures(qc)}
<div class="tables">
{_counts("Not drawn, and why", [row["status"] for row in qc if row["status"] != OK])}
{_counts("Drawn, with a remark", [code for row in qc if row["status"] == OK for code in remarks(row)])}
</div>
<h2>The worst {len(worst)} neurons</h2>
<p class="quiet">First those that were not drawn, at most {MOST_SHOWN // 2} as long as others are left to show; then
those with the most remarks, not counting those on the form of the file; among equals the one with the least of its
cable in the frame, with the fewest pixels drawn, with the fewest nodes. Three views of each: the fullest, a middling
one and the emptiest.</p>
{_legend()}
<ol class="cards">
{cards}
</ol>
</main>
</body>
</html>
"""


def _figures(qc: Sequence[Row]) -> str:
    drawn = [row for row in qc if row["status"] == OK]
    figures = {
        "neurons": len(qc),
        "drawn": len(drawn),
        "not drawn": len(qc) - len(drawn),
        "drawn without a remark": sum(not remarks(row) for row in drawn),
    }
    items = "".join(f"<div><dt>{name}</dt><dd>{count:,}</dd></div>" for name, count in figures.items())
    return f'<dl class="figures">{items}</dl>'


def _counts(title: str, codes: Sequence[str]) -> str:
    """A table of codes, the most frequent first."""
    counts = sorted(Counter(codes).items(), key=lambda item: (-item[1], item[0]))
    rows = "".join(
        f'<tr><td class="n">{count:,}</td><td class="code"><code>{escape(code)}</code></td>'
        f'<td class="quiet">{escape(meaning(code))}</td></tr>'
        for code, count in counts
    )
    return f"<section><h2>{title}</h2><table>{rows or '<tr><td>None.</td></tr>'}</table></section>"


def _legend() -> str:
    colors = ("#" + bytes(int(value) for value in PALETTE[label]).hex() for label in range(1, N_CLASSES))
    items = (
        f'<span><i style="background:{color}"></i>{name}</span>'
        for color, name in zip(colors, CLASS_NAMES[1:], strict=True)
    )
    return f'<p class="legend">{"".join(items)}</p>'


def _card(row: Row, views: Sequence[Picture]) -> str:
    if views:
        picture = f'<div class="views">{"".join(_figure(view) for view in views)}</div>'
    else:
        picture = f'<div class="none">{escape(str(row.get("detail") or "no picture"))}</div>'
    chips = [] if row["status"] == OK else [_chip(str(row["status"]), "chip bad")]
    chips += [_chip(code, "chip") for code in remarks(row)]
    return (
        f'<li><div><h3>{escape(str(row["neuron_id"]))}</h3><div class="file">{escape(str(row["swc"]))}</div></div>'
        f'{picture}<div class="chips">{"".join(chips)}</div><p class="facts">{_facts(row)}</p></li>'
    )


def _chip(code: str, kind: str) -> str:
    return f'<span class="{kind}" title="{escape(meaning(code))}">{escape(code)}</span>'


def _facts(row: Row) -> str:
    facts = []
    if row.get("n_nodes") is not None:
        facts.append(f"{row['n_nodes']:,} node{'' if row['n_nodes'] == 1 else 's'}")
    if row.get("qc") is not None:
        facts.append(f"qc {row['qc']:.3f}")
    if row.get("drawn_px") is not None:
        facts.append(f"at least {row['drawn_px']:,} px drawn")
    return " · ".join(facts)


def _three(views: Sequence[Picture]) -> list[Picture]:
    """The fullest, a middling and the emptiest view."""
    by_ink = sorted(views, key=lambda view: -int(np.count_nonzero(view.mask)))
    return [by_ink[position] for position in sorted({0, len(by_ink) // 2, len(by_ink) - 1})] if by_ink else []


def _figure(view: Picture) -> str:
    row = view.row
    image = base64.b64encode(thumbnail(view.mask)).decode("ascii")
    label = f"view {row['view']:02d}"
    across = f"{_length(row['um_per_px'] * view.mask.shape[1])} wide" if row.get("um_per_px") else ""
    return (
        f'<figure><img src="data:image/png;base64,{image}" alt="{label}">'
        f"<figcaption>{label}<br>{across}</figcaption></figure>"
    )


def _length(um: float) -> str:
    return f"{um / 1000:.3g} mm" if um >= 1000 else f"{um:.3g} µm"


def thumbnail(mask: NDArray[np.uint8]) -> bytes:
    """A small picture of a class map in colors, transparent where there is nothing, so that any page suits it.

    Thin cable that fills a part of a reduced pixel keeps more ink than its share, so that it stays visible.

    Args:
        mask: ``(h, w)`` class ids.

    Returns:
        A PNG file.
    """
    from PIL import Image

    step = max(1, -(-max(mask.shape) // THUMBNAIL_PX))
    mask = np.pad(mask, [(0, -size % step) for size in mask.shape])
    blocks = (mask.shape[0] // step, step, mask.shape[1] // step, step)
    covered = (mask > 0).reshape(blocks).sum(axis=(1, 3))
    color = PALETTE[mask].astype(np.float64).reshape(*blocks, 3).sum(axis=(1, 3)) / np.maximum(covered, 1)[..., None]
    opacity = 255.0 * np.sqrt(covered / step**2)
    pixels = np.rint(np.dstack([color, opacity])).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", optimize=True)
    return file.getvalue()
