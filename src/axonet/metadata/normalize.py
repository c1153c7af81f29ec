"""From a source's words to the fields of a record: by what a word means, never by where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from axonet.metadata.vocabulary import words as small
from axonet.metadata.vocabulary.cell_types import (
    CELL_TYPE_ALIASES,
    CELL_TYPE_RANK,
    CELL_TYPES,
    COARSE_ALIASES,
    COARSE_NOUNS,
    FILLERS,
    GLIA,
    INTERNEURON,
    PRINCIPAL,
    SENSORY,
)
from axonet.metadata.vocabulary.markers import SUBCLASS_GENES, is_driver, marker_phrase
from axonet.metadata.vocabulary.regions import ACRONYMS, CORTICAL, WHOLE, find_area
from axonet.metadata.vocabulary.words import plain_case, said, without_brackets

SEPARATOR = " | "

_JOINED_NOUN = re.compile(r"(?<=[a-z])(?=(?:Neuron|Cell)s?$)")
_LAYER = re.compile(
    r"^(?:cortical )?(?:layers?|l)\s*(?P<layer>(?:\d|i{1,3}|iv|vi?)[a-c]?(?:\s*[-/–]\s*(?:\d|i{1,3}|iv|vi?)?[a-c]?)?)$",
    re.IGNORECASE,
)
_LAYER_PREFIX = re.compile(r"^(?:L|layer )(?P<layer>\d[ab]?(?:[-/]\d[ab]?)?)\s+(?=\S)", re.IGNORECASE)
_GLUED_LAYER = re.compile(r"^(?P<area>[A-Za-z]+?)(?P<layer>\d[ab]?(?:/\d[ab]?)?)$")
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6"}
_BARE_NUMBER = re.compile(r"^(?:\d+[a-z]?|[IVX]+)$")
_SPLIT = re.compile(r"\s*[,;]\s+")
_ALIAS_LENGTH = max(len(alias.split(" ")) for alias in (*CELL_TYPE_ALIASES, *COARSE_ALIASES))
_COARSE_ORDER = (GLIA, SENSORY, INTERNEURON, PRINCIPAL)
_TRACED_ORDER = ("soma", "axon", "dendrites", "neurites")
_TRACED_WORDS = {
    "soma": "soma", "cell body": "soma", "axon": "axon", "axons": "axon", "dendrite": "dendrites",
    "dendrites": "dendrites", "basal dendrites": "dendrites", "apical dendrites": "dendrites",
    "basal dendrite": "dendrites", "apical dendrite": "dendrites", "(basal) dendrite": "dendrites",
    "neurites": "neurites", "neurite": "neurites", "undifferentiated neurites": "neurites", "processes": "neurites",
    "other/undefined types": "neurites",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CellWords:
    """What a list of cell type words says."""

    cell_class: str | None = None
    cell_type: str | None = None
    modifiers: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    layer: str | None = None

    @property
    def label(self) -> str | None:
        """The class for evaluations: the noun of the type, or of the coarse class."""
        return type_label(self.cell_class, self.cell_type)


def type_label(cell_class: str | None, cell_type: str | None) -> str | None:
    """Noun phrase of a type (``Purkinje cell``), else of a coarse class, else None."""
    if cell_type is not None:
        return CELL_TYPES[cell_type].noun if cell_type in CELL_TYPES else cell_type
    return COARSE_NOUNS.get(cell_class, cell_class) if cell_class is not None else None


def listed(value: object) -> tuple[str, ...]:
    """The words of a list, of a bare string, or of a string with `` | `` between them; empty ones are dropped."""
    if value is None or isinstance(value, float):
        return ()
    items: Iterable[object] = value.split(SEPARATOR.strip()) if isinstance(value, str) else _items(value)
    return tuple(text for text in (said(item) for item in items) if text is not None)


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, Iterable) else (value,)


@cache
def cell_words(phrases: tuple[str, ...]) -> CellWords:
    """Sort the phrases of a cell type by rank: coarse class, class, modifiers, markers."""
    coarse: list[str] = []
    types: list[str] = []
    modifiers: list[str] = []
    markers: list[str] = []
    layer: str | None = None
    for part in _parts(phrases):
        marker = marker_phrase(part)
        if marker is not None:
            markers.append(marker)
            continue
        prefix = _LAYER_PREFIX.match(part)
        if prefix is not None:
            layer = layer or layer_name(prefix["layer"])
            part = part[prefix.end() :]
        class_word, coarse_word, rest = _class_of(without_brackets(part))
        types += [class_word] if class_word else []
        coarse += [coarse_word] if coarse_word else []
        modifiers += [rest] if rest else []
    # An earlier rank wins; at equal rank the longer word says more.
    ranked = sorted(dict.fromkeys(types), key=lambda word: (CELL_TYPE_RANK[word], -len(word.split(" ")), word))
    cell_type = ranked[0] if ranked else None
    implied = CELL_TYPES[cell_type].coarse if cell_type else None
    cell_class = next((word for word in _COARSE_ORDER if word in coarse), implied)
    kept = [word for word in (*modifiers, *ranked[1:]) if word != cell_type]
    return CellWords(cell_class, cell_type, _unique(kept), _unique(markers), layer)


def _parts(phrases: Sequence[str]) -> Iterable[str]:
    for phrase in phrases:
        if phrase.casefold().startswith(("unknown", "unclassified")):
            continue
        for part in _SPLIT.split(phrase):
            text = said(_JOINED_NOUN.sub(" ", part))
            if text is not None:
                yield text


def _class_of(phrase: str) -> tuple[str | None, str | None, str | None]:
    """Class word, coarse word, and what is left of one phrase."""
    tokens = phrase.split(" ")
    lowered = [token.casefold() for token in tokens]
    for length in range(min(_ALIAS_LENGTH, len(tokens)), 0, -1):
        # From the end: the head of an English noun phrase is its last word.
        for start in range(len(tokens) - length, -1, -1):
            key = " ".join(lowered[start : start + length])
            rest = _modifier([*tokens[:start], *tokens[start + length :]])
            if key in CELL_TYPE_ALIASES:
                return CELL_TYPE_ALIASES[key], None, rest
            if key in COARSE_ALIASES:
                return None, COARSE_ALIASES[key], rest
    return None, None, _modifier(tokens)


def _modifier(tokens: Sequence[str]) -> str | None:
    words = [token for token in tokens if token.casefold() not in FILLERS]
    if len(words) == 1 and _BARE_NUMBER.match(words[0]) and len(tokens) > 1:  # "class IV" without its noun is no word
        words = list(tokens)
    text = (
        plain_case(" ".join(words)).replace("thick tufted", "thick-tufted").replace("slender tufted", "slender-tufted")
    )
    return said(text)


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def layer_name(word: object) -> str | None:
    """A cortical layer without the word: ``layer 2-3`` gives ``2-3``, ``VI`` gives ``6``; None for anything else."""
    text = said(int(word) if isinstance(word, float) and word.is_integer() else word)
    if text is None:
        return None
    match = _LAYER.match(text) or _LAYER.match(f"layer {text}")
    if match is None:
        return None
    pieces = re.split(r"(\s*[-/–]\s*)", match["layer"].lower())
    named = [_ROMAN.get(piece, piece) if index % 2 == 0 else piece.strip() for index, piece in enumerate(pieces)]
    return "".join(named).replace("–", "-")


@dataclass(frozen=True, slots=True)
class RegionWords:
    """What a region path says."""

    region: tuple[str, ...] = ()
    layer: str | None = None


@cache
def region_words(path: tuple[str, ...]) -> RegionWords:
    """Named areas of a path, coarse to fine; cortical layers apart, sides and bare directions dropped."""
    region: list[str] = []
    layer: str | None = None
    for word in path:
        found = layer_name(word)
        if found is not None:
            layer = found
            continue
        name, glued = _area_name(word)
        layer = glued or layer
        if name is not None:
            region.append(name)
    return RegionWords(_tidy(_unique(region)), layer)


def _area_name(word: str) -> tuple[str | None, str | None]:
    """Normalized name of one area, and the layer that was glued to an acronym (``VISp2/3``)."""
    if word.casefold() in small.DIRECTIONS or word.casefold() in small.SIDES:
        return None, None
    glued = _GLUED_LAYER.match(word)
    if word in ACRONYMS:
        return word, None
    if glued is not None and glued["area"] in ACRONYMS:
        return glued["area"], glued["layer"]
    known = find_area(word)
    if known is not None:
        return known.name, None
    tokens = without_brackets(word).split(" ")
    while len(tokens) > 1 and (tokens[0].casefold() in small.SIDES or tokens[0].casefold() == "adult"):
        tokens = tokens[1:]
    bare = " ".join(tokens)
    known = find_area(bare)
    return (known.name if known is not None else plain_case(bare) or None), None


def _tidy(region: tuple[str, ...]) -> tuple[str, ...]:
    """The path without a whole ("brain") before better words, and with the neocortex before its areas."""
    areas = [find_area(name) for name in region]
    better = tuple(n for n, area in zip(region, areas, strict=True) if area is None or area.kind != WHOLE)
    region = better or region
    first = find_area(region[0]) if region else None
    return ("neocortex", *region) if first is not None and first.kind == CORTICAL else region


def traced_words(domain: object) -> tuple[str, ...]:
    """What was traced: ``Dendrites, Soma, No Axon`` gives ``("soma", "dendrites")``."""
    found: set[str] = set()
    for phrase in listed(domain):
        for part in without_brackets(phrase.replace("(basal)", "basal")).split(","):
            word = _TRACED_WORDS.get(part.strip().casefold())
            if word is not None:
                found.add(word)
    return tuple(word for word in _TRACED_ORDER if word in found)


def sex_word(value: object) -> str | None:
    """``female``, ``male`` or ``hermaphrodite``; None for both ("Male/Female") and for no answer."""
    text = said(value)
    return small.SEXES.get(text.casefold()) if text is not None else None


def stage_word(value: object) -> str | None:
    """The age class in lower case."""
    text = said(value)
    return None if text is None else small.STAGE_ALIASES.get(text.casefold(), plain_case(text))


def condition_words(value: object) -> str | None:
    """Experimental conditions, controls left out."""
    kept = [phrase for phrase in listed(value) if phrase.casefold() not in small.CONTROLS]
    return ", ".join(kept) or None


def gene_marker(t_type: str | None) -> tuple[str, ...]:
    """The marker that a mouse transcriptomic type is named after: ``Vip Gpc3 Slc18a3`` expresses Vip."""
    first = t_type.split(" ")[0] if t_type else ""
    return (f"{first}-expressing",) if first in SUBCLASS_GENES else ()


def driver_markers(line: object) -> tuple[str, ...]:
    """Driver lines among the words of a genotype or line name."""
    return tuple(word for word in listed(line) if is_driver(word))
