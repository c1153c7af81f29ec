"""Small words: what counts as no answer, sides and directions, sex, age, conditions, and which words stay capital."""

from __future__ import annotations

import re
import unicodedata

NOT_SAID = frozenset(
    (
        "", "-", "--", "?", "n/a", "na", "nan", "none", "null", "unknown", "unspecified", "undefined", "undetermined",
        "unclassified", "not reported", "not applicable", "not available", "not specified", "no data",
        "neurunkfunc",  # the C. elegans atlas: a neuron of unknown function
    )
)  # fmt: skip

SIDES = frozenset(("left", "right", "bilateral", "ipsilateral", "contralateral"))

DIRECTIONS = frozenset(
    (
        "anterior", "posterior", "dorsal", "ventral", "medial", "lateral", "rostral", "caudal", "superior", "inferior",
        "proximal", "distal", "deep", "superficial", "upper", "lower", "middle", "central", "intermediate",
        "dorsolateral", "dorsomedial", "ventrolateral", "ventromedial", "anterolateral", "anteromedial",
        "posterolateral", "posteromedial",
    )
)  # fmt: skip

PROPER_NOUNS = frozenset(
    (
        "Bergmann", "Betz", "Cajal", "Clarke", "Deiters", "Economo", "Golgi", "Hofbauer", "Kenyon", "Lugaro",
        "Martinotti", "Mauthner", "Meynert", "Müller", "Purkinje", "Renshaw", "Retzius", "Rohon", "Schaffer", "Schwann",
        "Steller's",
    )
)  # fmt: skip

SEXES = {
    "f": "female", "female": "female", "m": "male", "male": "male", "hermaphrodite": "hermaphrodite",
}  # fmt: skip

# Age classes that can stand before a species ("an adult mouse ..."). Others stay in the record and are not spoken.
STAGES = frozenset(("embryonic", "fetal", "larval", "neonatal", "infant", "juvenile", "young", "adult", "aged"))
# An old rat neuron would be an old neuron.
STAGE_ALIASES = {"fetus": "fetal", "embryo": "embryonic", "larva": "larval", "newborn": "neonatal", "old": "aged"}

# Conditions are free text in every source, so only these are ever spoken.
CONDITION_CLAUSES = {
    "alzheimer's disease": "in a model of Alzheimer's disease",
    "epilepsy": "in an epilepsy model",
    "fragile x": "in a model of fragile X syndrome",
    "huntington's disease": "in a model of Huntington's disease",
    "lps": "after treatment with lipopolysaccharide",
    "parkinson's disease": "in a model of Parkinson's disease",
    "stress": "after stress",
    "stroke": "in a stroke model",
}
CONTROLS = frozenset(("control", "wild type", "wild-type", "wt", "vehicle", "naive", "untreated", "sham", "healthy"))

_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
_BLANKS = re.compile(r"\s+")


def said(value: object) -> str | None:
    """The text of a value with single blanks, or None where the source says nothing."""
    if value is None or value != value:  # NaN differs from itself
        return None
    text = _BLANKS.sub(" ", unicodedata.normalize("NFC", str(value))).strip()  # "ü" may come as "u" with dots
    return None if text.casefold() in NOT_SAID else text


def without_brackets(text: str) -> str:
    """The text without what stands in brackets: ``subesophageal zone-(SEZ)`` gives ``subesophageal zone``."""
    return _BLANKS.sub(" ", _BRACKETS.sub("", text)).strip(" -,;")


def plain_case(text: str) -> str:
    """Lower-case the words that are ordinary: not all capitals, without digits, no proper nouns, no inner capitals."""
    return " ".join(word if _stays(word) else word.lower() for word in text.split(" "))


def _stays(word: str) -> bool:
    if word.isupper() or any(character.isdigit() for character in word):
        return True
    if any(character.isupper() for character in word[1:]):  # GABAergic, VISp, Cajal-Retzius
        return True
    return word in PROPER_NOUNS
