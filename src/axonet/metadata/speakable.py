"""What of a record may stand in a caption: nothing that tells whose the neuron is, nothing in another script.

Words of the vocabulary always may. Any other word is somebody's own: a table may hold the neuron's name in a column of
types, or labels that an English sentence cannot carry. Such a word stays in the record and is left out of captions.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from functools import cache, lru_cache

from axonet.metadata.record import NeuronRecord
from axonet.metadata.vocabulary.cell_types import CELL_TYPE_ALIASES, CELL_TYPES, SPOKEN_MODIFIERS
from axonet.metadata.vocabulary.markers import MARKERS, marker_key
from axonet.metadata.vocabulary.regions import find_area
from axonet.metadata.vocabulary.species import is_known_species

_SWC_ENDINGS = re.compile(r"(?:\.CNG)?\.swc$", re.IGNORECASE)
_SIGNS = re.compile(r"[\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_LEAST_NAME = 3  # a shorter name is only looked for as the whole word


@lru_cache(maxsize=100_000)
def spoken_part(record: NeuronRecord) -> NeuronRecord:
    """The record without the words that no caption may hold; the record itself where there are none."""
    given = (record.id, record.archive or "", _SWC_ENDINGS.sub("", record.swc))
    names = tuple(name for name in map(_key, given) if name)

    def said(word: str | None, known: bool = False) -> bool:
        return word is None or known or (is_latin(word) and not _tells(_key(word), names))

    species, cell_type = record.species, record.cell_type
    spoken = replace(
        record,
        species=species if said(species, is_known_species(species or "")) else None,
        cell_type=cell_type if said(cell_type, cell_type in CELL_TYPES) else None,
        t_type=record.t_type if said(record.t_type) else None,
        strain=record.strain if said(record.strain) else None,
        region=tuple(word for word in record.region if said(word, find_area(word) is not None)),
        markers=tuple(word for word in record.markers if said(word, marker_key(word) in MARKERS)),
        modifiers=tuple(word for word in record.modifiers if said(word, _is_known_modifier(word))),
    )
    return record if spoken == record else spoken


@cache
def is_latin(word: str) -> bool:
    """Whether an English sentence can carry the word. A letter alone, such as ``α`` for alpha, is no other script."""
    runs = _LETTERS.findall(word)
    return all(len(run) == 1 or all(map(_is_latin_letter, run)) for run in runs)


def _is_latin_letter(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith("LATIN")


def _key(word: str) -> str:
    """Letters and digits, in one case, with single blanks between them and at both ends."""
    bare = _SIGNS.sub(" ", word.casefold()).strip()
    return f" {bare} " if bare else ""


def _tells(word: str, names: tuple[str, ...]) -> bool:
    return any(word == name or (len(name) - 2 >= _LEAST_NAME and name in word) for name in names)


def _is_known_modifier(word: str) -> bool:
    key = word.casefold()
    return key in SPOKEN_MODIFIERS or key in CELL_TYPE_ALIASES
