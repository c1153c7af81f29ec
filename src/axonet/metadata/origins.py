"""Where the words of a caption come from: each phrase with the field of the record or the measurement behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from axonet.metadata.claims import NUMBERS, Caption
from axonet.metadata.record import NeuronRecord
from axonet.metadata.shape import (
    APICAL,
    AXON,
    BRANCH_POINTS,
    BRANCHING,
    CABLE,
    EXTENT,
    IN_MICROMETERS,
    PROCESSES,
    REACH,
    SIZE,
    SOMA_RADIUS,
    STEMS,
    Bins,
    Measures,
)

_RECORD, _MEASURED = "metadata", "SWC"
# Claims that rest on other measurements than one of the same name, and on more of the record.
_MEASURES: dict[str, tuple[str, ...]] = {
    SIZE.name: (CABLE,),
    BRANCHING.name: (BRANCH_POINTS, CABLE),
    PROCESSES.name: (STEMS,),
    EXTENT.name: (REACH,),
    "apical": (APICAL,),
    "untraced": (AXON, SOMA_RADIUS),
    **{name: (name,) for name in NUMBERS},
}
_FIELDS: dict[str, tuple[str, ...]] = {
    "apical": ("apical_status",),
    "untraced": ("traced",),
    "kind": (),
    "cell_class": ("cell_class",),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """One phrase and what it rests on.

    Attributes:
        phrase: words of the caption.
        claim: the field of the claim that they make.
        values: ``{field or measurement: value}`` behind it, in words.
        source: ``metadata``, ``SWC`` or both with `` + `` between them; empty where nobody said anything.
    """

    phrase: str
    claim: str
    values: dict[str, str]
    source: str


def origins(caption: Caption, record: NeuronRecord, measures: Measures | None, bins: Bins) -> list[Origin]:
    """Every phrase of a caption, in the order in which it is said."""
    found = []
    for claim, phrase in caption.phrases.items():
        if claim == "kind" and not {"cell_type", "cell_class"}.isdisjoint(caption.claims):
            continue  # its noun was replaced by a better one
        told = {name: _told(getattr(record, name)) for name in _record_fields(claim) if getattr(record, name)}
        measured = {name: _measured(name, measures) for name in _MEASURES.get(claim, ())} if measures else {}
        if claim in bins.edges:
            measured["quartiles"] = " and ".join(map(_figure, bins.edges[claim]))
        source = " + ".join(name for name, there in ((_RECORD, told), (_MEASURED, measured)) if there)
        found.append(Origin(phrase, claim, {**told, **measured}, source))
    return sorted(found, key=lambda origin: _position(caption.text, origin.phrase))


def _record_fields(claim: str) -> tuple[str, ...]:
    if claim in _FIELDS:
        return _FIELDS[claim]
    return () if claim in _MEASURES else (claim,)


def _position(text: str, phrase: str) -> int:
    found = text.find(phrase)
    return len(text) if found < 0 else found


def _told(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _measured(name: str, measures: Measures) -> str:
    value = measures.get(name)
    if value is None or math.isnan(value):
        return "none"
    return f"{_figure(value)} µm" if name in IN_MICROMETERS else _figure(value)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
