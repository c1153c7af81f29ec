"""``audit.html``: the findings of an audit with a picture of each neuron, on one page that needs no other file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import groupby

import numpy as np
import numpy.typing as npt

from axonet.datasets.page_parts import chip, count_table, document, figure, figures, legend, length_text
from axonet.explore.audit import TITLES, WORDS, Finding, Kind

MOST_CARDS = 24  # of a kind; the table has all
MOST_BESIDE = 2  # pictures of other neurons on a card

Mask = npt.NDArray[np.uint8]
Pictures = Mapping[str, tuple[Mask, float]]
"""By neuron id: ``(h, w)`` class ids, and the width of the picture in um."""


def shown(findings: Sequence[Finding]) -> dict[Kind, list[tuple[Finding, ...]]]:
    """The cards of each kind: findings of one neuron together; of copies one card for all."""
    cards: dict[Kind, list[tuple[Finding, ...]]] = {kind: [] for kind in TITLES}
    seen: set[str] = set()
    for kind, of_kind in groupby(findings, key=lambda finding: finding.kind):
        by_neuron: dict[str, list[Finding]] = {}
        for finding in of_kind:
            by_neuron.setdefault(finding.neuron_id, []).append(finding)
        for name, own in by_neuron.items():
            if kind == "copies" and name in seen:
                continue
            if kind == "copies":
                seen.update(own[0].others)
            cards[kind].append(tuple(own))
    return {kind: own for kind, own in cards.items() if own and kind != "form"}


def neurons_to_draw(cards: Mapping[Kind, Sequence[tuple[Finding, ...]]]) -> set[str]:
    """Ids of all neurons that the page has a picture of."""
    wanted: set[str] = set()
    for kind, of_kind in cards.items():
        for card in of_kind[:MOST_CARDS]:
            wanted.update(_names(card, kind))
    return wanted


def _names(card: Sequence[Finding], kind: Kind) -> Iterator[str]:
    if kind != "file":
        yield card[0].neuron_id
        yield from card[0].others[:MOST_BESIDE]


def audit_page(
    folder: str, n_neurons: int, findings: Sequence[Finding], notes: Iterable[str], pictures: Pictures, table: str
) -> str:
    """The page as HTML.

    Args:
        folder: what was looked at.
        n_neurons: how many files there are.
        findings: all of them, in order.
        notes: what was not looked at and why, a sentence each.
        pictures: of the neurons of :func:`neurons_to_draw` that can be drawn.
        table: where all findings are.
    """
    cards = shown(findings)
    wrong = {finding.neuron_id for finding in findings if finding.level == "wrong"}
    touched = {finding.neuron_id for finding in findings if finding.kind != "form"}
    sections = "\n".join(_section(kind, of_kind, pictures, table) for kind, of_kind in cards.items())
    counts = figures(
        {
            "neurons": n_neurons,
            "most likely wrong": len(wrong),
            "worth a look": len(touched - wrong),
            "without a finding": n_neurons - len(touched),
        }
    )
    told = "".join(f"<li>{escape(note)}</li>" for note in notes)
    body = f"""<p class="quiet">What the files of <code>{escape(folder)}</code> say about themselves, without any
training. Nothing was changed. Every finding has its row in <code>{escape(table)}</code>.</p>
{counts}
{f'<ul class="quiet">{told}</ul>' if told else ""}
<div class="tables">
{count_table("What was found", [f.code for f in findings if f.kind != "form"], WORDS)}
{count_table(TITLES["form"], [f.code for f in findings if f.kind == "form"], WORDS)}
</div>
{legend()}
{sections}"""
    return document("Audit of neurons", body)


def _section(kind: Kind, cards: Sequence[tuple[Finding, ...]], pictures: Pictures, table: str) -> str:
    more = len(cards) - MOST_CARDS
    rest = f'<p class="quiet">{more:,} more of this kind are in <code>{escape(table)}</code>.</p>' if more > 0 else ""
    items = "\n".join(_card(kind, card, pictures) for card in cards[:MOST_CARDS])
    title = f"{escape(TITLES[kind])} ({len(cards):,})"
    return f'<section id="{kind}"><h2>{title}</h2>\n{rest}<ol class="cards">\n{items}\n</ol></section>'


def _card(kind: Kind, card: Sequence[Finding], pictures: Pictures) -> str:
    first = card[0]
    drawn = [
        figure(pictures[name][0], "widest view" if name == first.neuron_id else name, _across(pictures[name][1]))
        for name in _names(card, kind)
        if name in pictures
    ]
    picture = f'<div class="views">{"".join(drawn)}</div>' if drawn else ""
    chips = "".join(chip(f.code, WORDS.get(f.code, ""), bad=f.level == "wrong") for f in card)
    details = "".join(f"<div>{escape(f.detail)}</div>" for f in card if f.detail)
    return (
        f'<li><div><h3>{escape(first.neuron_id)}</h3><div class="file">{escape(first.swc)}</div></div>'
        f'{picture}<div class="chips">{chips}</div><div class="facts">{details}</div></li>'
    )


def _across(um: float) -> str:
    return f"{length_text(um)} wide"
