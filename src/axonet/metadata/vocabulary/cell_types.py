"""Cell types by rank: coarse classes, classes with their head noun, modifiers.

The position of a word in a source's list means nothing, so every word is looked up here. A class carries a coarse class
only where the class alone settles it: granule cells are principal cells in one region and interneurons in another.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

PRINCIPAL, INTERNEURON, SENSORY, GLIA = "principal cell", "interneuron", "sensory", "glia"

# Coarse class: its noun in a caption. The same order in which a broader word is chosen when a source names two.
COARSE_NOUNS: dict[str, str] = {
    PRINCIPAL: "principal cell",
    INTERNEURON: "interneuron",
    SENSORY: "sensory neuron",
    GLIA: "glial cell",
}

COARSE_ALIASES: dict[str, str] = {
    "principal": PRINCIPAL,
    "principal cell": PRINCIPAL,
    "principal neuron": PRINCIPAL,
    "interneuron": INTERNEURON,
    "inter neuron": INTERNEURON,
    "sensory": SENSORY,
    "sensory neuron": SENSORY,
    "sensory receptor": SENSORY,
    "glia": GLIA,
    "glial": GLIA,
    "neuroglia": GLIA,
}


@dataclass(frozen=True, slots=True)
class CellType:
    """A class of cells.

    Attributes:
        word: how records name it.
        noun: its noun phrase in a caption.
        coarse: the coarse class that follows from the class alone.
        aliases: other ways in which sources write it, in lower case.
        is_axon: the class is itself an axon (a climbing fiber has no dendrites to leave out).
    """

    word: str
    noun: str
    coarse: str | None = None
    aliases: tuple[str, ...] = ()
    is_axon: bool = False


def _cells(coarse: str | None, *words: str) -> tuple[CellType, ...]:
    return tuple(CellType(word, f"{word} cell", coarse) for word in words)


def _neurons(coarse: str | None, *words: str) -> tuple[CellType, ...]:
    return tuple(CellType(word, f"{word} neuron", coarse) for word in words)


# Types with a name of their own. They win over roles and shapes when a source lists several.
NAMED: tuple[CellType, ...] = (
    *_cells(PRINCIPAL, "Purkinje", "mitral", "Betz", "Kenyon", "Meynert", "mossy", "bushy", "octopus"),
    *_cells(INTERNEURON, "Martinotti", "basket", "chandelier", "double bouquet", "unipolar brush", "Lugaro", "ivy"),
    *_cells(INTERNEURON, "amacrine", "neurogliaform", "Cajal-Retzius", "Renshaw", "candelabrum", "O-LM"),
    *_cells(INTERNEURON, "periglomerular", "HIPP", "MOPP", "HICAP"),
    *_cells(None, "granule", "ganglion", "Golgi", "horizontal", "tufted", "lamina monopolar", "Mauthner"),
    *_cells(PRINCIPAL, "fork", "fan", "semilunar"),
    *_neurons(PRINCIPAL, "pyramidal", "medium spiny", "von Economo"),
    *_neurons(None, "stellate", "transmedullary", "transmedullary Y", "medulla intrinsic", "distal medulla"),
    *_neurons(None, "proximal medulla", "medulla tangential", "dorsal root ganglion", "Rohon-Beard"),
    *_neurons(SENSORY, "mechanosensory", "chemosensory", "thermosensory", "olfactory receptor", "olfactory sensory"),
    *_neurons(SENSORY, "spiral ganglion"),
    *_neurons(SENSORY, "dendritic arborization"),
    # Of the fly's optic lobe; a letter alone ("T") is no type, and a T cell would be a lymphocyte.
    CellType("T cell", "T neuron"),
    CellType("Y cell", "Y neuron"),
    CellType("photoreceptor", "photoreceptor", SENSORY),
    CellType("climbing fiber", "climbing fiber", None, ("climbing fibre",), is_axon=True),
    CellType("mossy fiber", "mossy fiber", None, ("mossy fibre",), is_axon=True),
    CellType("microglia", "microglial cell", GLIA, ("microglial",)),
    CellType("astrocyte", "astrocyte", GLIA, ("astroglia", "astrocytes")),
    CellType("oligodendrocyte", "oligodendrocyte", GLIA, ("oligodendroglia", "oligodendrocytes")),
    CellType("oligodendrocyte precursor", "oligodendrocyte precursor cell", GLIA, ("opc", "ng2 glia")),
    CellType("Müller", "Müller cell", GLIA, ("muller", "müller glia", "muller glia")),
    CellType("radial glia", "radial glial cell", GLIA, ("radial glial",)),
)

# Types whose picture never lacks an axon, because they have none; None: anywhere, else in this area only.
WITHOUT_AXON: dict[str, str | None] = {"amacrine": None, "granule": "olfactory bulb"}

# Types without an apical dendrite, whatever a file calls its branches. Interneurons, sensory neurons and glia have none
# either, except for the granule cells of the olfactory bulb.
WITHOUT_APICAL = frozenset(
    (
        "Purkinje", "ganglion", "motoneuron", "medium spiny", "stellate", "Kenyon", "Golgi", "bushy", "octopus",
        "Mauthner", "dorsal root ganglion", "Rohon-Beard", "climbing fiber", "mossy fiber",
    )
)  # fmt: skip

# What a cell does or where it sends its axon.
ROLES: tuple[CellType, ...] = (
    CellType("motoneuron", "motoneuron", None, ("motor neuron", "motor", "motorneuron", "moto neuron", "mn")),
    *_neurons(None, "projection", "relay"),
)

# What a cell looks like.
SHAPES: tuple[CellType, ...] = _neurons(
    None, "bipolar", "bitufted", "multipolar", "fusiform", "tangential", "unipolar", "pseudounipolar", "bistratified"
)

_EXTRA_ALIASES: dict[str, tuple[str, ...]] = {
    "chandelier": ("axo-axonic", "axoaxonic"),
    "medium spiny": ("medium-sized spiny", "spiny projection", "msn", "spn"),
    "neurogliaform": ("ngf", "ngfc"),
    "O-LM": ("oriens-lacunosum moleculare", "olm"),
    "pseudounipolar": ("pseudo-unipolar",),
    "Purkinje": ("purkinje",),
    "unipolar brush": ("ubc",),
    "olfactory sensory": ("osn",),
    "olfactory receptor": ("orn",),
    "dorsal root ganglion": ("drg",),
}

RANKED: tuple[tuple[CellType, ...], ...] = (NAMED, ROLES, SHAPES)
CELL_TYPES: dict[str, CellType] = {entry.word: entry for group in RANKED for entry in group}
CELL_TYPE_RANK: dict[str, int] = {entry.word: rank for rank, group in enumerate(RANKED) for entry in group}

CELL_TYPE_ALIASES: dict[str, str] = {}
for _entry in CELL_TYPES.values():
    for _alias in (_entry.word.casefold(), *_entry.aliases, *_EXTRA_ALIASES.get(_entry.word, ())):
        CELL_TYPE_ALIASES[_alias] = _entry.word
        CELL_TYPE_ALIASES[f"{_alias} cell"] = _entry.word
        CELL_TYPE_ALIASES[f"{_alias} neuron"] = _entry.word

# A shape that names a cell of one area and is an adjective elsewhere: the area, the noun there, the noun elsewhere.
NAMED_IN: dict[str, tuple[str, str, str]] = {
    "horizontal": ("retina", "horizontal cell", "horizontal neuron"),
    "bipolar": ("retina", "bipolar cell", "bipolar neuron"),
}

# Adjectives that say something about shape or signal and are spoken from the Standard level on.
SPOKEN_MODIFIERS = frozenset(
    (
        "adrenergic", "aspiny", "bistratified", "bitufted", "bipolar", "cholinergic", "corticocortical",
        "corticothalamic", "direction-selective", "displaced", "dopaminergic", "dwarf", "excitatory", "fast-spiking",
        "gabaergic", "giant", "glutamatergic", "glycinergic", "horizontal", "inhibitory", "inverted", "large",
        "long-range", "low-threshold spiking", "midget", "multiglomerular", "multipolar", "nest", "noradrenergic",
        "olfactory", "on", "off", "parasol", "peptidergic", "polymodal", "serotonergic", "slender-tufted", "small",
        "sparsely spiny", "spiny", "starburst", "thick-tufted", "tufted", "uniglomerular", "untufted",
    )
)  # fmt: skip

# Spoken only of a neuron whose class is unknown: "an excitatory principal cell" says it twice.
SIGN_MODIFIERS = frozenset(("excitatory", "inhibitory"))

# Kept in the record, spoken nowhere: hedges, and words that say nothing about the cell in the picture.
SILENT_MODIFIERS = frozenset(
    (
        "axon",
        "local projecting",
        "motoneuron",
        "not classified",
        "projecting",
        "projection",
        "putative",
        "somatic",
        "other",
    )
)

# Words that join, and nouns without content: dropped from what is left of a phrase.
FILLERS = frozenset(("cell", "cells", "neuron", "neurons", "class", "type", "subtype"))

SPARSELY_SPINY = "sparsely spiny"


def noun_of(cell_type: str, areas: Collection[str]) -> str:
    """The noun phrase of a type among these areas; a word that no table holds is an adjective of a neuron."""
    if cell_type in NAMED_IN and areas:
        area, there, elsewhere = NAMED_IN[cell_type]
        return there if area in areas else elsewhere
    return CELL_TYPES[cell_type].noun if cell_type in CELL_TYPES else f"{cell_type} neuron"


def has_no_axon(cell_type: str | None, areas: Collection[str]) -> bool:
    """Whether cells of a type, among these areas, have no axon that could have been left out."""
    if cell_type not in WITHOUT_AXON:
        return False
    where = WITHOUT_AXON[cell_type]
    return where is None or where in areas


def may_have_apical(cell_class: str | None, cell_type: str | None, modifiers: Collection[str]) -> bool:
    """Whether an apical dendrite is a word of the field for such a cell."""
    if cell_type == "granule":
        return True
    coarse = cell_class or (CELL_TYPES[cell_type].coarse if cell_type in CELL_TYPES else None)
    return coarse in (None, PRINCIPAL) and cell_type not in WITHOUT_APICAL and "aspiny" not in modifiers
