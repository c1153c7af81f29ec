"""Captions carry what they claim; whether a caption is true of a neuron is decided from claims, never from its text.

A claim is ``field: value``. Several values in one field, all of them claimed, stand with `` | `` between them:

- ``is``: the neuron has this value (species, sex, size word, ...),
- ``has``: the neuron has all these values (areas, modifiers, markers, parts that were not traced),
- ``layer``: the neuron's layer lies within this one (6b in 6, 2 in 2-3),
- ``number``: the neuron's value is equal up to the tolerance with which readers take a rounded figure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from axonet.metadata.places import area_names
from axonet.metadata.record import NeuronRecord
from axonet.metadata.shape import (
    APICAL,
    APICAL_EXTENT,
    AXON,
    BRANCH_POINTS,
    BRANCHING,
    CABLE,
    EXTENT,
    PROCESSES,
    REACH,
    SIZE,
    SOMA_RADIUS,
    STEMS,
    TIPS,
    Bins,
    Measures,
    Shape,
)
from axonet.metadata.vocabulary.cell_types import CELL_TYPES, GLIA, has_no_axon, may_have_apical
from axonet.metadata.vocabulary.markers import marker_key

if TYPE_CHECKING:
    import numpy.typing as npt

Level = Literal["broad", "standard", "detailed", "morphometric"]
LEVELS: tuple[Level, ...] = ("broad", "standard", "detailed", "morphometric")

SEPARATOR = " | "
_PARTS = frozenset(("soma", "axon", "dendrites"))
TOLERANCE = 0.05  # of the figure in the caption; counts below 20 are exact

IS, HAS, LAYER, NUMBER = "is", "has", "layer", "number"
NUMBERS = (BRANCH_POINTS, STEMS, TIPS, CABLE, REACH, AXON)
FIELDS: dict[str, str] = {
    "kind": IS,
    "species": IS,
    "cell_class": HAS,
    "cell_type": IS,
    "modifiers": HAS,
    "markers": HAS,
    "t_type": IS,
    "region": HAS,
    "layer": LAYER,
    "sex": IS,
    "stage": IS,
    "strain": IS,
    "condition": IS,
    "apical": HAS,
    "untraced": HAS,
    SIZE.name: IS,
    BRANCHING.name: IS,
    PROCESSES.name: IS,
    EXTENT.name: IS,
    **dict.fromkeys(NUMBERS, NUMBER),
}

Fact = str | frozenset[str] | float | None
Facts = dict[str, Fact]


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption and what it claims.

    Attributes:
        text: one noun phrase, without a full stop.
        level: the level that was asked for; a neuron of which little is known may have a coarser text.
        claims: ``{field: value}``; see the module.
        phrases: ``{field: words}``, the words in which the text makes each claim.
    """

    text: str
    level: Level
    claims: Mapping[str, str] = field(default_factory=dict)
    phrases: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


def facts(record: NeuronRecord, measures: Measures | None = None, bins: Bins | None = None) -> Facts:
    """Everything that a caption may truthfully claim of a neuron, by field; None and empty where nothing is known.

    Args:
        record: what the source says.
        measures: ``{morphometric: value}`` with ``status`` and ``warnings``; None when not measured.
        bins: of the generator whose captions are judged; without them no size word is true.
    """
    shape = Shape.of(measures)
    classes = {record.cell_class, CELL_TYPES[record.cell_type].coarse if record.cell_type in CELL_TYPES else None}
    result: Facts = {
        "kind": kind(record),
        "cell_class": frozenset(word for word in classes if word is not None),
        "modifiers": frozenset(word.casefold() for word in record.modifiers),
        "markers": frozenset(marker_key(marker) for marker in record.markers),
        "region": area_names(record.region),
        "apical": apical_facts(record, shape, bins),
        "untraced": untraced(record, shape) or frozenset(),
        "layer": record.layer,
    }
    result["condition"] = record.condition.casefold() if record.condition is not None else None
    for name in ("species", "cell_type", "t_type", "sex", "stage", "strain"):
        result[name] = getattr(record, name)
    for scale in (SIZE, BRANCHING, PROCESSES, EXTENT):
        result[scale.name] = bins.word(scale, shape) if bins is not None else None
    for name in NUMBERS:
        result[name] = shape.get(name)
    return result


def kind(record: NeuronRecord) -> str:
    """``glial cell`` or ``neuron``; what nobody calls glia is taken for a neuron."""
    implied = CELL_TYPES[record.cell_type].coarse if record.cell_type in CELL_TYPES else None
    return "glial cell" if GLIA in (record.cell_class, implied) else "neuron"


def apical_facts(record: NeuronRecord, shape: Shape, bins: Bins | None) -> frozenset[str]:
    """What is true of the apical dendrite: ``present``, ``extensive``, and the status that the source gives.

    Where the shape was measured, nothing is true of an apical dendrite of which too little is there. Nor is anything
    where such cells have none: in some files a basket cell's branches carry the code of apical ones.
    """
    measured = shape.get(CABLE) is not None or shape.get(APICAL) == 0.0
    if measured and shape.apical_length is None:
        return frozenset()
    if not may_have_apical(record.cell_class, record.cell_type, record.modifiers):
        return frozenset()
    words = {record.apical_status} if record.apical_status in ("intact", "truncated") else set()
    if shape.apical_length is not None or words:
        words.add("present")
    if bins is not None and bins.word(APICAL_EXTENT, shape) == APICAL_EXTENT.high:
        words.add(APICAL_EXTENT.high)
    return frozenset(word for word in words if word is not None)


def untraced(record: NeuronRecord, shape: Shape) -> frozenset[str] | None:
    """Parts of the neuron that the picture does not show; None when nothing is known.

    What the file holds counts more than what the source says, since the picture is made from the file. But a file
    without dendrites is no proof: many files give all neurites one type. That the dendrites are missing, the source
    must say; beside a soma even that is no proof, since neurites that leave a soma and have no code of their own are
    called axon in many files. No cell lacks an axon that it never had.
    """
    if kind(record) != "neuron" or (record.cell_type in CELL_TYPES and CELL_TYPES[record.cell_type].is_axon):
        return None
    said, shown = frozenset(record.traced), shape.traced
    never = frozenset(("axon",)) if has_no_axon(record.cell_type, area_names(record.region)) else frozenset()
    if shown is not None and "dendrites" in shown and "neurites" not in said:
        return frozenset(("soma", "axon")) - shown - never
    there = said | never | ((shown or frozenset()) - {"dendrites"})
    there |= {part for part, name in (("soma", SOMA_RADIUS), ("axon", AXON)) if shape.get(name)}
    if not said.isdisjoint(("axon", "dendrites")):
        return _PARTS - there - (frozenset(("dendrites",)) if "soma" in there else frozenset())
    # Of which sort the neurites are, the source does not say.
    return frozenset(("soma",)) - there if "neurites" in said else None


def true_of(caption: Caption, known: Facts) -> bool:
    """Whether all claims of a caption hold for a neuron's facts."""
    return all(holds(name, value, known.get(name)) for name, value in caption.claims.items())


def holds(name: str, claim: str, fact: Fact) -> bool:
    """Whether one claim holds.

    Raises:
        KeyError: no such field.
    """
    how = FIELDS[name]
    if fact is None:
        return False
    if how == NUMBER:
        return bool(_close(float(claim), np.float64(fact)))  # type: ignore[arg-type]
    if how == LAYER:
        return layer_parts(str(fact)) <= layer_parts(claim) and bool(layer_parts(str(fact)))
    if how == HAS:
        return isinstance(fact, frozenset) and fact.issuperset(claim.split(SEPARATOR))
    return fact == claim


def _close(claim: Any, fact: Any) -> Any:
    tolerance = np.where(np.asarray(claim) < 20, 0.5, TOLERANCE * np.asarray(claim))
    return np.abs(fact - claim) <= tolerance


@cache
def layer_parts(layer: str) -> frozenset[str]:
    """Sub-layers of a layer: ``2-3`` and ``2/3`` give those of 2 and of 3, ``6`` those of 6a and 6b and more."""
    parts: set[str] = set()
    ends = [re.fullmatch(r"(\d)([a-c]?)", end) for end in re.split(r"[-/]", layer)]
    if any(end is None for end in ends):
        return frozenset((layer,))
    numbers = [int(end[1]) for end in ends if end is not None]
    letters = [end[2] for end in ends if end is not None]
    for number in range(numbers[0], numbers[-1] + 1):
        given = {letter for n, letter in zip(numbers, letters, strict=True) if n == number and letter}
        parts.update(f"{number}{letter}" for letter in (given or set("abc")))
    return frozenset(parts)


def entailment_mask(captions: Sequence[Caption], known: Sequence[Facts]) -> npt.NDArray[np.bool_]:
    """Which captions are true of which neurons.

    Args:
        captions: of a batch.
        known: facts of the neurons, as :func:`facts` gives them.

    Returns:
        ``(n_captions, n_neurons)``; True where every claim of the caption holds for the neuron.
    """
    mask = np.ones((len(captions), len(known)), dtype=bool)
    for name in {name for caption in captions for name in caption.claims}:
        rows = [row for row, caption in enumerate(captions) if name in caption.claims]
        claims = [captions[row].claims[name] for row in rows]
        values = [neuron.get(name) for neuron in known]
        mask[rows] &= _truth(name, claims, values)
    return mask


def _truth(name: str, claims: Sequence[str], values: Sequence[Fact]) -> npt.NDArray[np.bool_]:
    """``(n_claims, n_values)`` for one field; every distinct pair is looked at once."""
    if FIELDS[name] == NUMBER:
        numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        figures = np.array([float(claim) for claim in claims])[:, None]
        return np.asarray(_close(figures, numbers[None, :]), dtype=bool)
    distinct_claims, claim_index = _distinct(claims)
    distinct_values, value_index = _distinct(values)
    table = np.array(
        [[holds(name, claim, value) for value in distinct_values] for claim in distinct_claims], dtype=bool
    )
    return table[np.ix_(claim_index, value_index)]


def _distinct(items: Sequence[Any]) -> tuple[list[Any], list[int]]:
    positions: dict[Any, int] = {}
    index = [positions.setdefault(item, len(positions)) for item in items]
    return list(positions), index
