"""Named areas of nervous systems: what kind of place each is, what it lies in, and how it is spoken.

Kinds decide the grammar. A *whole* says nothing about a place and is never spoken. A *system* is spoken only when
nothing better is known. An *organ* stands alone and comes first in a path; a second organ in a path is another site. A
*cortical* area is an adjective of its cortex. A *structure* stands alone and replaces its organ in short captions; a
*district* stands alone too, but only where captions go into detail. A *field* is named by a code ("area CA1"), a
*part* needs its parent ("the granular layer of the cerebellum").
"""

from __future__ import annotations

from dataclasses import dataclass

WHOLE, SYSTEM, ORGAN, CORTICAL = "whole", "system", "organ", "cortical"
STRUCTURE, DISTRICT, FIELD, PART = "structure", "district", "field", "part"


@dataclass(frozen=True, slots=True)
class Area:
    """A named area.

    Attributes:
        name: how records name it, lower case unless it is a code.
        kind: one of the kinds of this module.
        phrase: its noun phrase without an article.
        within: name of the area around it, for captions about the larger one; None where it is an outermost one.
        article: ``the``, ``a``, or empty for codes.
    """

    name: str
    kind: str
    phrase: str
    within: str | None = None
    article: str = "the"


def _areas(kind: str, within: str | None, *names: str) -> tuple[Area, ...]:
    return tuple(Area(name, kind, name, within) for name in names)


def _cortical(ending: str, *names: str) -> tuple[Area, ...]:
    return tuple(Area(name, CORTICAL, f"{name} {ending}", "neocortex") for name in names)


def _cortical_within(within: str, *names: str) -> tuple[Area, ...]:
    return tuple(Area(name, CORTICAL, f"{name} cortex", within) for name in names)


WHOLES = _areas(WHOLE, None, "nervous system", "whole nervous system", "brain", "whole brain", "central brain")
SYSTEMS = _areas(
    SYSTEM, None, "central nervous system", "endocrine system", "enteric nervous system", "peptidergic circuit",
    "peripheral nervous system", "pharyngeal nervous system", "somatic nervous system",
)  # fmt: skip
ORGANS = _areas(
    ORGAN, None, "accessory lobe", "amygdala", "antenna", "antennal lobe", "anterior olfactory nucleus",
    "basal forebrain", "basal ganglia", "brainstem", "central complex", "cerebellum", "cochlea", "corpus callosum",
    "cortex", "electrosensory lobe", "entorhinal cortex", "eye circuit", "forebrain", "fornix", "hippocampus",
    "hypothalamus", "lateral complex", "lateral horn", "lateral line organ", "meninges", "mesencephalon", "midbrain",
    "mushroom body", "myelencephalon", "neocortex", "nuchal organs", "olfactory bulb", "olfactory cortex",
    "olfactory pit", "optic lobe", "pallium", "parasubiculum", "piriform cortex", "pons", "prosubiculum",
    "protocerebrum", "retina", "retinorecipient mesencephalon and diencephalon", "spinal cord",
    "stomatogastric ganglion", "subesophageal ganglion", "subesophageal zone", "subiculum", "subpallium",
    "subventricular zone", "thalamus", "ventral nerve cord", "ventrolateral neuropils",
) + _areas(ORGAN, "olfactory bulb", "main olfactory bulb", "accessory olfactory bulb")  # fmt: skip
CORTICAL_AREAS = (
    *_cortical("neocortex", "frontal", "medial prefrontal", "occipital", "parietal", "prefrontal", "temporal"),
    *_cortical("cortex", "anterior cingulate", "association", "auditory", "cingulate", "gustatory", "insular"),
    *_cortical("cortex", "motor", "orbitofrontal", "perirhinal", "posterior cingulate", "retrosplenial"),
    *_cortical("cortex", "sensorimotor", "somatosensory", "visual"),
    *_cortical_within("auditory", "primary auditory"),
    *_cortical_within("motor", "primary motor", "secondary motor", "premotor"),
    *_cortical_within("somatosensory", "barrel", "primary somatosensory", "secondary somatosensory"),
    *_cortical_within("visual", "primary visual", "secondary visual"),
)
STRUCTURES = (
    *_areas(STRUCTURE, "hippocampus", "dentate gyrus"),
    *_areas(STRUCTURE, "basal ganglia", "striatum", "globus pallidus", "nucleus accumbens", "substantia nigra"),
    *_areas(STRUCTURE, "basal ganglia", "subthalamic nucleus", "caudate nucleus", "putamen"),
    *_areas(STRUCTURE, "brainstem", "inferior colliculus", "superior colliculus", "inferior olive", "cochlear nucleus"),
    *_areas(STRUCTURE, "thalamus", "lateral geniculate nucleus", "thalamic reticular nucleus"),
    *_areas(STRUCTURE, "central nervous system", "abdominal ganglion", "cerebral ganglion"),
    *_areas(STRUCTURE, "somatic nervous system", "dorsal ganglion", "ventral ganglion", "lateral ganglion"),
    *_areas(STRUCTURE, None, "ventral striatum", "ventral thalamus"),
    Area("dorsal root ganglion", STRUCTURE, "dorsal root ganglion", "peripheral nervous system", article="a"),
    Area("ganglion", STRUCTURE, "ganglion", None, article="a"),
)
DISTRICTS = (
    *_areas(DISTRICT, "cerebellum", "cerebellar cortex", "vermis", "flocculus", "deep cerebellar nuclei"),
    *_areas(DISTRICT, "spinal cord", "dorsal horn", "ventral horn"),
    *_areas(DISTRICT, "mushroom body", "mushroom body calyx"),
)
FIELDS = tuple(
    Area(code, FIELD, f"area {code}", "hippocampus", article="")
    for code in ("CA1", "CA2", "CA3", "CA3a", "CA3b", "CA3c", "CA4")
)
PARTS = _areas(
    PART, None, "external plexiform layer", "ganglion cell layer", "glomerular layer", "granular layer",
    "granule cell layer", "hilus", "inner nuclear layer", "inner plexiform layer", "lamina", "lobula",
    "lobula plate", "medulla", "mitral cell layer", "molecular layer", "outer nuclear layer", "outer plexiform layer",
    "Purkinje cell layer", "stratum lacunosum-moleculare", "stratum lucidum", "stratum oriens", "stratum pyramidale",
    "stratum radiatum",
)  # fmt: skip

AREAS: dict[str, Area] = {
    area.name: area
    for group in (WHOLES, SYSTEMS, ORGANS, CORTICAL_AREAS, STRUCTURES, DISTRICTS, FIELDS, PARTS)
    for area in group
}

# In lower case. What follows "adult" or a side is looked up without it.
AREA_ALIASES: dict[str, str] = {
    "area v1": "primary visual",
    "bulb": "olfactory bulb",
    "cerebral cortex": "neocortex",
    "isocortex": "neocortex",
    "granule layer": "granule cell layer",
    "insula": "insular",
    "lgn": "lateral geniculate nucleus",
    "mesencephalon (midbrain)": "midbrain",
    "mitral layer": "mitral cell layer",
    "pro-subiculum": "prosubiculum",
    "purkinje layer": "Purkinje cell layer",
    "somatic": "somatic nervous system",
    "whole cns": "central nervous system",
}

# The adjective of an organ, for "the stratum oriens of hippocampal area CA1".
ORGAN_ADJECTIVES = {"hippocampus": "hippocampal"}

# Acronyms that the sources use: what they are called, and the area of the table above that each lies in or is.
ACRONYMS: dict[str, tuple[str, str]] = {
    "ACA": ("anterior cingulate area", "anterior cingulate"),
    "A1": ("primary auditory cortex", "primary auditory"),
    "AUDp": ("primary auditory cortex", "primary auditory"),
    "AnG": ("angular gyrus", "parietal"),
    "FroL": ("frontal lobe", "frontal"),
    "IFG": ("inferior frontal gyrus", "frontal"),
    "ITG": ("inferior temporal gyrus", "temporal"),
    "M1": ("primary motor cortex", "primary motor"),
    "MFG": ("middle frontal gyrus", "frontal"),
    "MOp": ("primary motor cortex", "primary motor"),
    "MOs": ("secondary motor cortex", "secondary motor"),
    "MTG": ("middle temporal gyrus", "temporal"),
    "OccL": ("occipital lobe", "occipital"),
    "ORB": ("orbital area", "orbitofrontal"),
    "ParL": ("parietal lobe", "parietal"),
    "PFC": ("prefrontal cortex", "prefrontal"),
    "RSP": ("retrosplenial cortex", "retrosplenial"),
    "S1": ("primary somatosensory cortex", "primary somatosensory"),
    "SFG": ("superior frontal gyrus", "frontal"),
    "SSp": ("primary somatosensory cortex", "primary somatosensory"),
    "SSs": ("secondary somatosensory cortex", "secondary somatosensory"),
    "STG": ("superior temporal gyrus", "temporal"),
    "TEa": ("temporal association areas", "association"),
    "TemL": ("temporal lobe", "temporal"),
    "V1": ("primary visual cortex", "primary visual"),
    "VIS": ("visual cortex", "visual"),
    "VISa": ("anterior visual area", "visual"),
    "VISal": ("anterolateral visual area", "visual"),
    "VISam": ("anteromedial visual area", "visual"),
    "VISl": ("lateral visual area", "visual"),
    "VISli": ("laterointermediate visual area", "visual"),
    "VISp": ("primary visual cortex", "primary visual"),
    "VISpl": ("posterolateral visual area", "visual"),
    "VISpm": ("posteromedial visual area", "visual"),
    "VISpor": ("postrhinal visual area", "visual"),
    "VISrl": ("rostrolateral visual area", "visual"),
    "mPFC": ("medial prefrontal cortex", "medial prefrontal"),
}

# Endings of adjectives, for words that the tables do not hold: "basolateral" of the amygdala is an adjective.
ADJECTIVE_ENDINGS = ("al", "ar", "ary", "ate", "ic", "ior", "ine", "oid", "ous")

_LOOKUP = {name.casefold(): name for name in AREAS} | AREA_ALIASES
_CORTEX_ENDINGS = (" cortex", " neocortex", " area")


def find_area(word: str) -> Area | None:
    """The area of the table that a record's word names, or None.

    An acronym gives the area of the table that it abbreviates ("VISp": the primary visual cortex), or one of its own
    that lies within an area of the table ("VISpm").
    """
    if word in ACRONYMS:
        phrase, within = ACRONYMS[word]
        return AREAS[within] if AREAS[within].phrase == phrase else Area(word, CORTICAL, phrase, within)
    key = word.casefold()
    if key in _LOOKUP:
        return AREAS[_LOOKUP[key]]
    for ending in _CORTEX_ENDINGS:
        stem = _LOOKUP.get(key.removesuffix(ending)) if key.endswith(ending) else None
        if stem is not None and AREAS[stem].kind == CORTICAL:
            return AREAS[stem]
    return None


def ancestors(area: Area) -> tuple[str, ...]:
    """Names of the area and of everything around it, finest first."""
    names = [area.name]
    current: Area | None = area
    while current is not None and current.within is not None:
        names.append(current.within)
        current = AREAS.get(current.within)
    return tuple(names)
