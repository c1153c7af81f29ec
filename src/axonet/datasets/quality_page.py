"""``quality.html``: the worst neurons of a data set on one page that needs no other file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

import numpy as np

from axonet.datasets.measures import OK
from axonet.datasets.page_parts import chip, count_table, document, figure, figures, legend, length_text
from axonet.datasets.quality import MOST_SHOWN, Picture, Row, remarks
from axonet.datasets.quality_words import meaning


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
    body = f"""<p class="quiet">What the files and the drawing say about {len(qc):,} neurons. Every neuron has its row
in <code>{escape(table)}</code>.</p>
{_figures(qc)}
<div class="tables">
{count_table("Not drawn, and why", [row["status"] for row in qc if row["status"] != OK])}
{count_table("Drawn, with a remark", [code for row in qc if row["status"] == OK for code in remarks(row)])}
</div>
<h2>The worst {len(worst)} neurons</h2>
<p class="quiet">First those that were not drawn, at most {MOST_SHOWN // 2} as long as others are left to show; then
those with the most remarks, not counting those on the form of the file; among equals the one with the least of its
cable in the frame, with the fewest pixels drawn, with the fewest nodes. Three views of each: the fullest, a middling
one and the emptiest.</p>
{legend()}
<ol class="cards">
{cards}
</ol>"""
    return document("Quality of the views", body)


def _figures(qc: Sequence[Row]) -> str:
    drawn = [row for row in qc if row["status"] == OK]
    return figures(
        {
            "neurons": len(qc),
            "drawn": len(drawn),
            "not drawn": len(qc) - len(drawn),
            "drawn without a remark": sum(not remarks(row) for row in drawn),
        }
    )


def _card(row: Row, views: Sequence[Picture]) -> str:
    if views:
        picture = f'<div class="views">{"".join(_figure(view) for view in views)}</div>'
    else:
        picture = f'<div class="none">{escape(str(row.get("detail") or "no picture"))}</div>'
    chips = [] if row["status"] == OK else [chip(str(row["status"]), meaning(str(row["status"])), bad=True)]
    chips += [chip(code, meaning(code), bad=False) for code in remarks(row)]
    return (
        f'<li><div><h3>{escape(str(row["neuron_id"]))}</h3><div class="file">{escape(str(row["swc"]))}</div></div>'
        f'{picture}<div class="chips">{"".join(chips)}</div><p class="facts">{_facts(row)}</p></li>'
    )


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
    across = f"{length_text(row['um_per_px'] * view.mask.shape[1])} wide" if row.get("um_per_px") else ""
    return figure(view.mask, f"view {row['view']:02d}", across)
