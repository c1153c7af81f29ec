"""Molecular markers: what a source writes, how it is spoken, and the one key under which two spellings are equal."""

from __future__ import annotations

import re
from functools import cache

from axonet.metadata.vocabulary.words import plain_case, without_brackets

# Key: how it is spoken, and the abbreviations and genes that mean the same.
MARKERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "calbindin": ("calbindin-positive", ("cb", "calb", "calb1")),
    "calretinin": ("calretinin-positive", ("cr", "calb2")),
    "cholecystokinin": ("cholecystokinin-positive", ("cck",)),
    "choline acetyltransferase": ("choline acetyltransferase-positive", ("chat",)),
    "ionized calcium-binding adapter 1": ("Iba1-positive", ("iba1", "aif1")),
    "neuropeptide y": ("neuropeptide Y-positive", ("npy",)),
    "nitric oxide synthase": ("nitric oxide synthase-positive", ("nnos", "nos1", "nos")),
    "parvalbumin": ("parvalbumin-positive", ("pv", "pvalb", "parv")),
    "reelin": ("reelin-positive", ("reln",)),
    "somatostatin": ("somatostatin-positive", ("som", "sst", "ss")),
    "tyrosine hydroxylase": ("tyrosine hydroxylase-positive", ("th",)),
    "vasoactive intestinal peptide": ("VIP-positive", ("vip", "vasoactive intestinal polypeptide")),
}

# Abbreviations that mean a marker even when they stand alone; others (CB, CR, TH) mean other things too.
BARE_MARKERS = frozenset(("PV", "PVALB", "Pvalb", "SOM", "SST", "Sst", "VIP", "Vip", "CCK", "NPY", "nNOS", "Iba1"))

# First genes of mouse transcriptomic types that name a subclass: "Vip Gpc3 Slc18a3" expresses Vip.
SUBCLASS_GENES = frozenset(("Lamp5", "Pvalb", "Serpinf1", "Sncg", "Sst", "Vip"))

_KEYS = {name: key for key, (_, names) in MARKERS.items() for name in (key, *names)}
_STAINED = re.compile(
    r"^(?P<what>.+?)\s*(?:[- ](?P<how>positive|expressing|immunoreactive|negative)|(?P<sign>[+]))$", re.IGNORECASE
)
_DRIVER = re.compile(r"^\S*(?:Cre|CreERT2|GAL4|Gal4|Flp)\S*$")


def is_driver(marker: str) -> bool:
    """Whether a marker is a driver line, such as ``Pvalb-IRES-Cre``."""
    return _DRIVER.match(marker) is not None


@cache
def marker_key(marker: str) -> str:
    """One key for all spellings: ``somatostatin-positive`` and ``Sst-expressing`` are both ``somatostatin``."""
    match = _STAINED.match(marker)
    if match is None:
        return marker
    what, how = match["what"].casefold(), (match["how"] or "positive").casefold()
    key = _KEYS.get(what, what)
    return f"{key}-negative" if how == "negative" else key


@cache
def marker_phrase(word: str) -> str | None:
    """The spoken form of a word that names a marker, or None where it names none.

    ``somatostatin (SOM)-positive`` gives ``somatostatin-positive``, ``PV`` gives ``parvalbumin-positive``, driver lines
    stay as they are.
    """
    bare = re.sub(r"\s+-", "-", re.sub(r"\s*[(\[][^()\[\]]*[)\]]", "", word)).strip()
    if bare in BARE_MARKERS:
        return MARKERS[_KEYS[bare.casefold()]][0]
    if is_driver(bare):
        return bare
    match = _STAINED.match(bare)
    if match is None:
        return None
    what, how = match["what"], (match["how"] or "positive").lower()
    if how in ("positive", "immunoreactive") and what.casefold() in _KEYS:
        return MARKERS[_KEYS[what.casefold()]][0]
    if how == "expressing":  # what is expressed is a gene, and genes keep their case
        return f"{what}-expressing"
    return f"{plain_case(without_brackets(what))}-{'positive' if how == 'immunoreactive' else how}"


@cache
def marker_word(word: str) -> str:
    """The spoken form of a word from a column for markers, where every word names one: ``SST``, ``parvalbumin``."""
    found = marker_phrase(word)
    if found is not None:
        return found
    bare = without_brackets(word) or word
    return MARKERS[_KEYS[bare.casefold()]][0] if bare.casefold() in _KEYS else f"{bare}-positive"
