"""Where a neuron is from, in words: "the barrel cortex", "layer 3 of the prefrontal neocortex"."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from axonet.metadata.vocabulary.regions import (
    ACRONYMS,
    ADJECTIVE_ENDINGS,
    AREAS,
    CORTICAL,
    DISTRICT,
    FIELD,
    ORGAN,
    ORGAN_ADJECTIVES,
    PART,
    WHOLE,
    Area,
    ancestors,
    find_area,
)

_STANDING_ALONE = (FIELD, PART)
_CORTEX = ("neocortex", "cortex")


@dataclass(frozen=True, slots=True)
class Place:
    """A phrase for a place, and the names of the areas that it speaks of.

    Attributes:
        phrase: with its article, such as ``the barrel cortex``.
        areas: names of areas, as in claims.
        layer: the cortical layer that it speaks of.
    """

    phrase: str
    areas: tuple[str, ...]
    layer: str | None = None


@dataclass(frozen=True, slots=True)
class _Spot:
    """One area of a path on its way to a phrase."""

    name: str
    kind: str
    bare: str
    article: str
    parent: _Spot | None

    @property
    def stands_alone(self) -> bool:
        return self.kind not in _STANDING_ALONE or self.parent is None

    @property
    def is_short(self) -> bool:
        """Whether short captions may speak of it."""
        return self.stands_alone and self.kind != DISTRICT

    def named(self) -> str:
        return f"{self.article} {self.bare}".strip()


def layer_phrase(layer: str) -> str:
    """A layer in words: ``layer 5``, ``layer 2/3``, ``layers 2–3``."""
    return f"layers {layer.replace('-', '–')}" if "-" in layer else f"layer {layer}"


@cache
def short_place(region: tuple[str, ...]) -> Place | None:
    """The place as short captions have it: the organ, or a cortical area or a structure of it."""
    spots = _spots(region)
    spot = spots[-1] if spots else None
    while spot is not None and not spot.is_short:
        spot = spot.parent
    return None if spot is None else Place(spot.named(), (spot.name,))


@cache
def full_place(region: tuple[str, ...], layer: str | None) -> Place | None:
    """The most specific place: the finest area with the one around it, and the layer."""
    spots = _spots(region)
    if not spots:
        return Place(layer_phrase(layer), (), layer) if layer else None
    phrase, areas = _described(spots[-1], nested=layer is not None)
    return Place(f"{layer_phrase(layer)} of {phrase}" if layer else phrase, areas, layer)


def acronym(region: tuple[str, ...]) -> str | None:
    """The acronym that a source uses for the finest area, or None."""
    return region[-1] if region and region[-1] in ACRONYMS else None


@cache
def area_names(region: tuple[str, ...]) -> frozenset[str]:
    """Names of all areas that a neuron of this region is from, those around the named ones too."""
    names: set[str] = set()
    for word in region:
        area = find_area(word)
        names.update(ancestors(area) if area is not None else (word,))
    return frozenset(names)


def _described(spot: _Spot, nested: bool) -> tuple[str, tuple[str, ...]]:
    """Phrase of a spot; one that needs its parent names it, unless it is itself inside a phrase."""
    if spot.stands_alone or spot.parent is None:
        return spot.named(), (spot.name,)
    if not nested:
        phrase, areas = _described(spot.parent, nested=True)
        return f"{spot.named()} of {phrase}", (*areas, spot.name)
    adjective = ORGAN_ADJECTIVES.get(spot.parent.name)
    if spot.kind == FIELD and adjective is not None:
        return f"{adjective} {spot.bare}", (spot.parent.name, spot.name)
    return spot.named(), (spot.name,)


@cache
def _spots(region: tuple[str, ...]) -> tuple[_Spot, ...]:
    """The areas of a path, up to where it goes over to another organ."""
    spots: list[_Spot] = []
    for word in region:
        area = find_area(word)
        parent = spots[-1] if spots else None
        if area is not None and area.kind == WHOLE:
            continue
        if area is not None and area.kind == ORGAN and any(spot.kind == ORGAN for spot in spots):
            break
        if area is not None:
            spots.append(_known(area, parent))
        else:
            spots.append(_unknown(word, parent))
    return tuple(spots)


def _known(area: Area, parent: _Spot | None) -> _Spot:
    if parent is None and area.kind == FIELD and area.within is not None:  # "CA1" alone is of the hippocampus
        parent = _known(AREAS[area.within], None)
    return _Spot(area.name, area.kind, area.phrase, area.article, parent)


def _unknown(word: str, parent: _Spot | None) -> _Spot:
    """An area that the tables do not hold, by the shape of its name."""
    tokens = word.split(" ")
    if _is_code(tokens[-1]):
        bare = word if len(tokens) > 1 else f"area {word}"
        return _Spot(word, FIELD, bare, "", parent)
    if parent is None:
        return _Spot(word, ORGAN, word, "the", None)
    if word.endswith(f" {parent.bare}"):  # "the optic tectum" needs no "of the tectum"
        return _Spot(word, DISTRICT, word, parent.article, parent)
    if not tokens[-1].endswith(ADJECTIVE_ENDINGS):
        return _Spot(word, PART, word, "the", parent)
    if parent.kind == CORTICAL or parent.bare in _CORTEX:
        return _Spot(word, CORTICAL, f"{word} cortex", "the", parent)
    if tokens[-1][:5] == parent.bare.split(" ")[-1][:5]:  # "lateral hypothalamic" of the hypothalamus
        return _Spot(word, DISTRICT, f"{word} area", "the", parent)
    return _Spot(word, DISTRICT, f"{word} {parent.bare}", parent.article, parent)


def _is_code(token: str) -> bool:
    return any(character.isdigit() for character in token) or token.isupper()
