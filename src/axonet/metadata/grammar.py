"""English for captions: the indefinite article by sound, lists, counts and lengths."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Written with a vowel, spoken with a consonant (y- or w-) in front.
_CONSONANT_SOUND = re.compile(
    r"^(?:uni(?!n|mp|mm|mag|dent)|eu|ewe|u(?:s[aeu]|t[aeio]|bi|re|ro)|once\b|one\b)", re.IGNORECASE
)
# Written with a consonant, spoken with a vowel in front.
_SILENT_H = re.compile(r"^(?:hour|honest|honor|heir)", re.IGNORECASE)
_LETTERS_WITH_VOWEL_SOUND = frozenset("AEFHILMNORSX")
_SMALL_NUMBERS = ("no", "one")
_FIRST_WORD = re.compile(r"[A-Za-zÀ-ÿ]+|\d+")


def indefinite(phrase: str) -> str:
    """The phrase with ``a`` or ``an``, chosen by the sound of its first word.

    Words that are spelled out go by the name of their first letter: an MSN, an L5 cell, an Sst-expressing neuron.
    """
    return f"{'an' if starts_with_vowel_sound(phrase) else 'a'} {phrase}"


def starts_with_vowel_sound(phrase: str) -> bool:
    """Whether a phrase is spoken with a vowel sound at its start."""
    match = _FIRST_WORD.search(phrase)
    if match is None:
        return False
    word = match.group()
    if word.isdigit():
        return _number_starts_with_vowel(word)
    follower = phrase[match.end() : match.end() + 1]
    if _is_spelled_out(word, before_digit=follower.isdigit()):
        return word[0].upper() in _LETTERS_WITH_VOWEL_SOUND
    if _SILENT_H.match(word):
        return True
    return word[0].lower() in "aeiou" and not _CONSONANT_SOUND.match(word)


def _number_starts_with_vowel(digits: str) -> bool:
    """Eight, eleven, eighteen, and all that starts with them: 8, 80, 800, 8,000; 11 and 18, also as thousands."""
    if digits.startswith("8"):
        return True
    return digits[:2] in ("11", "18") and len(digits) % 3 == 2


def _is_spelled_out(word: str, before_digit: bool) -> bool:
    """All capitals, a single letter, a short code (``Mi1``, ``nNOS``), or no vowel to speak it with (``Sst``)."""
    if len(word) == 1 or word.isupper() or (before_digit and len(word) == 2):
        return True
    return (word[0].islower() and word[1].isupper()) or not any(letter in "aeiouy" for letter in word.lower())


def joined(items: Sequence[str]) -> str:
    """A list in words: ``a``, ``a and b``, ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """A count with its noun: ``one branch point``, ``127 branch points``."""
    noun = singular if number == 1 else plural or f"{singular}s"
    return f"{_SMALL_NUMBERS[number] if number < len(_SMALL_NUMBERS) else number} {noun}"


def spoken_length(micrometers: float) -> float:
    """A length in um as it is spoken: whole um below a millimeter, three digits or so above."""
    if micrometers < 999.5:
        return float(round(micrometers))
    decimals = 2 if micrometers < 9_995 else 1 if micrometers < 99_950 else 0
    return round(micrometers / 1000, decimals) * 1000


def length_text(micrometers: float) -> str:
    """A length in words: ``812 µm``, ``4.2 mm``, ``4.27 mm``, ``17.9 mm``, ``120 mm``."""
    spoken = spoken_length(micrometers)
    return f"{spoken:.0f} µm" if spoken < 1000 else f"{spoken / 1000:.2f}".rstrip("0").rstrip(".") + " mm"
