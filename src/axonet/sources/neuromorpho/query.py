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

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\{[^}]*\}')
_FIELD_NAMES = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*:")
_PLACEHOLDER = "\x00"
# Between two parts of the form field:value; elsewhere such a word belongs to a value.
_BETWEEN = re.compile(r"\s+(and|or|&&|\|\|)(?=[\s(])(?=(?:\s|\(|not\s)*[A-Za-z_][A-Za-z0-9_]*\s*:)", re.IGNORECASE)
_PART = re.compile(
    r"(?P<before>(?:[\s(]|not\s)*)(?P<field>[A-Za-z_][A-Za-z0-9_]*)\s*:(?P<value>.*\S)\s*", re.DOTALL | re.IGNORECASE
)
_OPERATORS = {"and": "AND", "&&": "AND", "or": "OR", "||": "OR"}
_SPECIAL = re.compile(r"[\s():/!]")  # what a value can have in quotes only


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


@dataclass(frozen=True, slots=True)
class _Part:
    """A field with its values.

    Attributes:
        operator: what stands before it: ``AND``, ``OR``, or nothing before the first.
        before: ``NOT`` and opening parentheses.
        field: its name.
        values: one of which is asked for; in quotes where they must be.
        after: closing parentheses.
    """

    operator: str
    before: str
    field: str
    values: tuple[str, ...]
    after: str


def read_query(text: str) -> str:
    """A query as the site understands it: values with blanks or parentheses get quotes, everything else stays.

    Raises:
        UserError: it is no list of ``field:value``.
    """
    return " ".join(
        f"{part.operator} {part.before}{part.field}:{','.join(part.values)}{part.after}".strip()
        for part in _parts(text)
    )


def _parts(text: str) -> list[_Part]:
    hidden, kept = _hide(text)
    if '"' in hidden:
        raise UserError(f"--query {text}: a quote is not closed")
    pieces = ["", *_BETWEEN.split(hidden)]
    parts: list[_Part] = []
    depth = 0
    for operator, piece in zip(pieces[0::2], pieces[1::2], strict=True):
        match = _PART.fullmatch(piece)
        if match is None:
            raise UserError(
                f"--query: {_show(piece, kept).strip() or 'nothing'!s} is not of the form field:value, e.g. "
                'species:mouse or brain_region:"dorsal horn"'
            )
        before = re.sub(r"\s*not\s*", "NOT ", match["before"].strip(), flags=re.IGNORECASE)
        depth += before.count("(")
        value = match["value"].strip()
        after = ""
        # A parenthesis that the value did not open closes one around several parts.
        while depth and value.endswith(")") and value.count(")") > value.count("("):
            value, after, depth = value[:-1].rstrip(), after + ")", depth - 1
        if depth == 0 and value.count(")") != value.count("("):
            raise UserError(f"--query {text}: a parenthesis too many or too few; put the value in quotes if it has one")
        _refuse_odd(match["field"], value, kept)
        values = tuple(_quote(_show(one.strip(), kept)) for one in value.split(","))
        parts.append(_Part(_OPERATORS.get(operator.lower(), ""), before, match["field"], values, after))
    if depth:
        raise UserError(f"--query {text}: a parenthesis is not closed")
    return parts


def _refuse_odd(field: str, value: str, kept: Mapping[str, str]) -> None:
    """Refuse a value that was meant as something else.

    Raises:
        UserError: the message says how to write it.
    """
    shown = _show(value, kept)
    if re.search(r"(?:^|[\s(])(?:AND|OR|NOT)(?:[\s)]|$)|&&|\|\|", value):
        raise UserError(
            f"--query: {field}:{shown}: after AND, OR and NOT comes another field:value; several values of a field are "
            f"divided by commas, as in species:mouse,rat, and a value with such a word needs quotes"
        )
    if re.search(r"\s[A-Za-z_][A-Za-z0-9_]*:", value):
        raise UserError(f"--query: {field}:{shown}: put AND between two fields, or quotes around a value with a colon")
    if value.startswith("(") and value.endswith(")"):
        raise UserError(f"--query: {field}:{shown}: no parentheses around values; divide several by commas")
    if not all(part.strip() for part in value.split(",")):
        raise UserError(f"--query: {field}:{shown}: a value between commas is empty")


def _quote(value: str) -> str:
    bare = _QUOTED.sub("", value)
    if value.startswith(('"', "[", "{")) or not _SPECIAL.search(bare):
        return value
    # A wildcard means nothing inside quotes; outside of them, one stands for whatever would need the quotes.
    return _SPECIAL.sub("?", value) if re.search(r"[*?]", bare) else '"' + value.replace('"', '\\"') + '"'


def _hide(text: str) -> tuple[str, dict[str, str]]:
    """A text with marks in place of what is in quotes and brackets, and what they stand for."""
    kept: dict[str, str] = {}

    def hide(match: re.Match[str]) -> str:
        mark = f"{_PLACEHOLDER}{len(kept)}{_PLACEHOLDER}"
        kept[mark] = match[0]
        return mark

    return _QUOTED.sub(hide, text.replace(_PLACEHOLDER, "")), kept


def _show(text: str, kept: Mapping[str, str]) -> str:
    return re.sub(f"{_PLACEHOLDER}\\d+{_PLACEHOLDER}", lambda mark: kept[mark[0]], text)


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
    for part in _parts(selection.query or ""):
        values = [value.strip('"') for value in part.values]
        plain = [value for value in values if value and not re.search(r"[*?\[\]{}]", value)]
        if plain and "NOT" not in part.before:
            found[part.field] = [*found.get(part.field, []), *plain]
    return found
