"""Queries of the site, which are Lucene's: what a field is asked for, and values with blanks in quotes.

Without quotes, ``brain_region:dorsal horn`` finds everything that is dorsal.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from axonet.core.errors import UserError

# Fields that can be asked for though the site does not list them.
UNLISTED_FIELDS = tuple(f"{name}_{level}" for name in ("brain_region", "cell_type") for level in (1, 2, 3))

_TERM = re.compile(r"^\s*(?P<field>[A-Za-z_][A-Za-z0-9_]*)\s*:\s*(?P<value>.*\S)\s*$", re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\{[^}]*\}')
_OPERATORS = re.compile(r"\b(?:OR|NOT)\b|[()]|&&|\|\|")
_FIELD_NAMES = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*:")
_PLACEHOLDER = "\x00"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which neurons.

    Attributes:
        query: text of a GET request, or None.
        filters: body of a POST request, or None.
    """

    query: str | None
    filters: dict[str, list[str]] | None

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that are asked for."""
        if self.filters is not None:
            return tuple(self.filters)
        return tuple(_FIELD_NAMES.findall(_QUOTED.sub(_PLACEHOLDER, self.query or "")))

    @property
    def text(self) -> str:
        """The selection for messages."""
        if self.query is not None:
            return self.query
        return ", ".join(f"{name} {' or '.join(values)}" for name, values in (self.filters or {}).items())


def read_query(text: str) -> str:
    """A query as the site understands it: values with blanks get quotes, everything else stays.

    Raises:
        UserError: it is no list of ``field:value``.
    """
    if text.count('"') % 2:
        raise UserError(f"--query {text}: a quote is not closed")
    if _OPERATORS.search(_QUOTED.sub(_PLACEHOLDER, text)):
        return text
    return " AND ".join(_read_term(term) for term in _split(text, " AND "))


def _read_term(term: str) -> str:
    match = _TERM.match(term)
    if match is None:
        raise UserError(
            f"--query: {term.strip() or 'nothing'!s} is not of the form field:value, e.g. species:mouse or "
            'brain_region:"dorsal horn"'
        )
    values = [_quote(value.strip()) for value in _split(match["value"], ",")]
    return f"{match['field']}:{','.join(values)}"


def _quote(value: str) -> str:
    has_blank = any(character.isspace() for character in _QUOTED.sub("", value))
    return f'"{value}"' if has_blank and not value.startswith(('"', "[", "{")) else value


def _split(text: str, separator: str) -> list[str]:
    """Parts of a text, not divided inside quotes and brackets."""
    kept: list[str] = []

    def hide(match: re.Match[str]) -> str:
        kept.append(match[0])
        return _PLACEHOLDER

    hidden = _QUOTED.sub(hide, text)
    whole = iter(kept)
    return [re.sub(_PLACEHOLDER, lambda _: next(whole), part) for part in hidden.split(separator)]


def check_fields(selection: Selection, known: Iterable[str]) -> None:
    """Refuse fields that the site does not have; it would answer with nothing, or with everything.

    Raises:
        UserError: an unknown field; the nearest known one is named.
    """
    names = {name.casefold(): name for name in (*known, *UNLISTED_FIELDS)}
    for field in selection.fields:
        if field.casefold() not in names:
            close = difflib.get_close_matches(field.casefold(), names, n=1)
            meant = f"did you mean {names[close[0]]}?" if close else f"known: {', '.join(sorted(names.values()))}"
            raise UserError(f"the site has no field {field!r}; {meant}")


def simple_values(selection: Selection) -> Mapping[str, list[str]]:
    """Field and values of a selection, as far as they are plain words: what can be looked up in the site's lists."""
    if selection.filters is not None:
        return selection.filters
    found: dict[str, list[str]] = {}
    for term in _split(selection.query or "", " AND "):
        match = _TERM.match(term)
        if match is None or _OPERATORS.search(term):
            continue
        values = [value.strip().strip('"') for value in _split(match["value"], ",")]
        plain = [value for value in values if value and not re.search(r"[*?\[\]{}]", value)]
        if plain:
            found[match["field"]] = plain
    return found
