"""Records of a source that can be kept: with a number that a database holds, and nothing that JSON or UTF-8 has not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

LARGEST_ID = 2**63 - 1
_BRIEF = 60  # characters of a value in a message


class BrokenRecord(Exception):
    """A record that is of no use.

    Attributes:
        reason: ``no_record``, ``bad_id``, ``bad_file_id``, ``no_name``, ``not_a_number`` or ``bad_text``.
        message: which one, and what is wrong with it, in plain ASCII.
    """

    def __init__(self, reason: str, message: str) -> None:
        """Tell the reason in one word, and in a line for people."""
        super().__init__(message)
        self.reason = reason
        self.message = message


def checked_id(value: object, key: str) -> int:
    """The number of a neuron.

    Args:
        value: as the source has it; text of digits will do.
        key: what the source calls it.

    Raises:
        BrokenRecord: it is no such number.
    """
    digits = value if isinstance(value, int) and not isinstance(value, bool) else str(value).strip()
    if isinstance(value, float) and value.is_integer():
        digits = int(value)
    is_number = isinstance(digits, int) or (digits.isascii() and digits.isdigit() and len(digits) < 40)
    number = int(digits) if is_number else -1
    if not 0 <= number <= LARGEST_ID:
        raise BrokenRecord("bad_id", f"{key} {_brief(value)} is no number of a neuron")
    return number


def check_values(record: Mapping[str, Any], name: str) -> None:
    """Refuse what cannot be written down again.

    Args:
        record: all of it.
        name: what to call it.

    Raises:
        BrokenRecord: NaN, an infinite number, or half a character.
    """
    try:
        json.dumps(record, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError:
        raise BrokenRecord("bad_text", f"{name} has text with half a character") from None
    except (ValueError, RecursionError):
        raise BrokenRecord("not_a_number", f"{name} has NaN or an infinite number as a value") from None


def _brief(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= _BRIEF else f"{text[:_BRIEF]}..."
