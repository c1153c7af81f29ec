"""Which words of the records the vocabulary does not hold: they are kept as they are, and listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from axonet.metadata.record import NeuronRecord
from axonet.metadata.speakable import is_latin
from axonet.metadata.vocabulary.cell_types import CELL_TYPE_ALIASES, SILENT_MODIFIERS, SPOKEN_MODIFIERS
from axonet.metadata.vocabulary.regions import find_area
from axonet.metadata.vocabulary.species import is_known_species

SHOWN = 8


def unknown_words(records: Iterable[NeuronRecord]) -> dict[str, list[str]]:
    """Unknown words by field (species, region, cell_type), the commonest first, equals by name."""
    counts: dict[str, Counter[str]] = {"species": Counter(), "region": Counter(), "cell_type": Counter()}
    for record in records:
        if record.species is not None and not is_known_species(record.species):
            counts["species"][record.species] += 1
        counts["region"].update(word for word in record.region if find_area(word) is None)
        counts["cell_type"].update(word for word in record.modifiers if not _is_known_modifier(word))
    return {
        field: [word for word, _ in sorted(counter.items(), key=lambda item: (-item[1], item[0]))]
        for field, counter in counts.items()
        if counter
    }


def _is_known_modifier(word: str) -> bool:
    key = word.casefold()
    return key in SPOKEN_MODIFIERS or key in SILENT_MODIFIERS or key in CELL_TYPE_ALIASES


def describe(unknown: Mapping[str, list[str]]) -> str | None:
    """One line about unknown words, or None when there are none."""
    if not unknown:
        return None
    parts = []
    for field, words in unknown.items():
        more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
        parts.append(f"{field}: {', '.join(words[:SHOWN])}{more}")
    foreign = not all(is_latin(word) for words in unknown.values() for word in words)
    unsaid = "; those in other scripts are in no caption" if foreign else ""
    return f"words that the vocabulary does not know are kept as they are ({'; '.join(parts)}{unsaid})"
