"""Zero-shot prompts: a class label as a sentence that reads like a caption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from axonet.metadata.grammar import indefinite
from axonet.metadata.normalize import layer_name, region_words
from axonet.metadata.places import full_place, layer_phrase
from axonet.metadata.vocabulary.cell_types import CELL_TYPE_ALIASES, CELL_TYPES, COARSE_ALIASES, COARSE_NOUNS
from axonet.metadata.vocabulary.species import species_name
from axonet.metadata.vocabulary.words import said

# Words after which nothing has to follow: "interneuron", never "interneuron neuron".
_HEAD_NOUNS = (
    "cell", "cells", "neuron", "neurons", "interneuron", "interneurons", "motoneuron", "motoneurons", "fiber", "fibre",
    "axon", "glia", "astrocyte", "oligodendrocyte", "microglia", "photoreceptor", "receptor",
)  # fmt: skip

# Frames around "a pyramidal neuron"; the ensemble also varies the species, because most captions name one.
_FRAMES = ("{}", "the shape of {}", "a reconstruction of {}", "a tracing of {}")
_SPECIES = ("mouse", "rat", "human")


def noun_phrase(label: str) -> str:
    """A label with a head noun, without an article.

    ``pyramidal`` gives ``pyramidal neuron``, ``Purkinje`` gives ``Purkinje cell``, ``microglia`` gives
    ``microglial cell``; labels that end in a noun stay as they are.
    """
    key = label.casefold()
    if key in CELL_TYPE_ALIASES:
        return CELL_TYPES[CELL_TYPE_ALIASES[key]].noun
    if key in COARSE_ALIASES:
        return COARSE_NOUNS[COARSE_ALIASES[key]]
    last = label.split(" ")[-1].casefold()
    return label if last in _HEAD_NOUNS else f"{label} neuron"


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A class in words: ``pyramidal neuron``; ``neuron`` with ``from the hippocampus`` behind it."""

    noun: str
    behind: str = ""

    def after(self, attribute: str = "") -> str:
        return " ".join(word for word in (indefinite(f"{attribute} {self.noun}".strip()), self.behind) if word)


def _cell_type(label: str) -> _Phrase:
    return _Phrase(noun_phrase(label))


def _species(label: str) -> _Phrase:
    return _Phrase(f"{species_name(label) or label} neuron")


def _region(label: str) -> _Phrase:
    place = full_place(region_words((label,)).region, None)
    return _Phrase("neuron", f"from {place.phrase if place is not None else f'the {label}'}")


def _layer(label: str) -> _Phrase:
    name = layer_name(label)
    return _Phrase("neuron", f"from {layer_phrase(name) if name is not None else f'the {label}'}")


FIELDS: dict[str, Callable[[str], _Phrase]] = {
    "cell_type": _cell_type,
    "cell_class": _cell_type,
    "species": _species,
    "region": _region,
    "layer": _layer,
}


def prompt(label: str, field: str = "cell_type") -> str:
    """The single template: ``a pyramidal neuron``, ``a mouse neuron``, ``a neuron from the hippocampus``.

    Args:
        label: a class, as records have it.
        field: what kind of class it is, one of :data:`FIELDS`.

    Raises:
        ValueError: no such field, or an empty label.
    """
    return _phrase(label, field).after()


def prompts(label: str, field: str = "cell_type") -> tuple[str, ...]:
    """The prompts whose mean stands for a class; the first is the single template.

    Args:
        label: a class, as records have it.
        field: what kind of class it is, one of :data:`FIELDS`.

    Raises:
        ValueError: no such field, or an empty label.
    """
    phrase = _phrase(label, field)
    framed = tuple(frame.format(phrase.after()) for frame in _FRAMES)
    return framed if field == "species" else (*framed, *(phrase.after(species) for species in _SPECIES))


def null_prompts() -> tuple[str, ...]:
    """What is true of every neuron, in the frames of the prompts: what a class must be nearer than to be believed."""
    return tuple(frame.format("a neuron") for frame in _FRAMES)


def _phrase(label: str, field: str) -> _Phrase:
    text = said(label)
    if text is None:
        raise ValueError(f"no label: {label!r}")
    if field not in FIELDS:
        raise ValueError(f"no prompts for {field!r}; there are some for {', '.join(FIELDS)}")
    return FIELDS[field](text)
