"""The words that the tables hold, as a page of the documentation."""

from __future__ import annotations

from axonet.metadata.vocabulary.cell_types import (
    CELL_TYPE_ALIASES,
    CELL_TYPES,
    COARSE_ALIASES,
    COARSE_NOUNS,
    SPOKEN_MODIFIERS,
)
from axonet.metadata.vocabulary.markers import MARKERS
from axonet.metadata.vocabulary.regions import ACRONYMS, AREA_ALIASES, AREAS
from axonet.metadata.vocabulary.species import SPECIES, SPECIES_ALIASES
from axonet.metadata.vocabulary.words import CONDITION_CLAUSES, CONTROLS, NOT_SAID, SEXES, STAGE_ALIASES, STAGES

_HEAD = """# Words of the metadata

Generated from the vocabulary by `make schema`. Case does not matter, nor does the place of a word in a list. What is
written another way means the word in front of it. [Neurons of your own](../how-to/your-own-neurons.md) tells what
becomes of other words.
"""


def words_text() -> str:
    """The page: each column with the words that are known in it."""
    types = {name: [alias for alias, word in CELL_TYPE_ALIASES.items() if word == name] for name in CELL_TYPES}
    plain = {name: [a for a in own if a not in _endings(name)] for name, own in types.items()}
    coarse = {word: [a for a, meant in COARSE_ALIASES.items() if meant == word and a != word] for word in COARSE_NOUNS}
    acronyms = {name: [phrase] for name, (phrase, _) in ACRONYMS.items()}
    stages = {word: [alias for alias, meant in STAGE_ALIASES.items() if meant == word] for word in STAGES}
    markers = {key: list(names) for key, (_, names) in MARKERS.items()}
    sections = {
        "species": _list({name: _aliases(name, SPECIES_ALIASES) for name in SPECIES}),
        "cell_class": _list(coarse),
        "cell_type": _list(plain) + "\n\nWith `cell` or `neuron` behind them too.",
        "modifiers": _list({word: [] for word in SPOKEN_MODIFIERS}),
        "markers": _list(markers) + "\n\nAny other word with `-positive`, `-negative`, `-expressing` or `+` behind it "
        "is a marker too, and so is a driver line (`Cre`, `CreERT2`, `Flp`, `GAL4`).",
        "region": _list({name: _aliases(name, AREA_ALIASES) for name in AREAS}) + "\n\nAcronyms keep their case: "
        f"{_list(acronyms)}.",
        "sex": _list(
            {word: [a for a, meant in SEXES.items() if meant == word and a != word] for word in SEXES.values()}
        ),
        "stage": _list(stages),
        "condition": f"Spoken: {_list({word: [] for word in CONDITION_CLAUSES})}.\n\nThe same as none: "
        f"{_list({word: [] for word in CONTROLS})}.",
        "No answer, in any column": _list({f"`{word}`" if word else "an empty cell": [] for word in NOT_SAID}),
    }
    return _HEAD + "".join(f"\n## {name}\n\n{text}\n" for name, text in sections.items())


def _endings(name: str) -> set[str]:
    key = name.casefold()
    return {key, f"{key} cell", f"{key} neuron"}


def _aliases(name: str, table: dict[str, str]) -> list[str]:
    return [alias for alias, meant in table.items() if meant == name]


def _list(words: dict[str, list[str]]) -> str:
    """``word (another, another), word``, in alphabetical order."""
    parts = []
    for word in sorted(words, key=str.casefold):
        others = [o for o in words[word] if not o.endswith((" cell", " neuron"))]
        parts.append(f"{word} ({', '.join(sorted(others))})" if others else word)
    return ", ".join(parts)
