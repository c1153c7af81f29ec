"""How the site selects: a small copy of its query language, with its traps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

Test = Callable[[Mapping[str, Any]], bool]
_LEVELS = re.compile(r"^(brain_region|cell_type)_([123])$")
_TOKEN = re.compile(r'"([^"]*)"|(\[[^\]]*\])|([^\s,"]+)')


class UnknownField(Exception):
    """A field that the site does not have."""


def value_of(record: Mapping[str, Any], field: str, fields: Iterable[str]) -> Any:
    """Value of a field; ``brain_region_1`` is the first word of ``brain_region``."""
    level = _LEVELS.match(field)
    if level:
        words = record.get(level[1]) or []
        at = int(level[2]) - 1
        return words[at] if at < len(words) else None
    known = {name.casefold(): name for name in fields}
    if field.casefold() not in known:
        raise UnknownField(field)
    keys = {key.casefold(): key for key in record}
    return record.get(keys.get(field.casefold(), field))


def matches_filters(record: Mapping[str, Any], filters: Mapping[str, list[str]], fields: Iterable[str]) -> bool:
    """Exact values: one of a field's list, for every field; one member of a record's list is enough."""
    for field, wanted in filters.items():
        value = value_of(record, field, fields)
        found = value if isinstance(value, list) else [value]
        if not any(str(one) in wanted for one in found if one is not None):
            return False
    return True


def parse_query(text: str, fields: Iterable[str]) -> Test:
    """``field:value``, values divided by commas, several with AND; blanks outside quotes divide ORed words."""
    tests = [_term(term, fields) for term in text.split(" AND ")]
    return lambda record: all(test(record) for test in tests)


def _term(term: str, fields: Iterable[str]) -> Test:
    field, colon, values = term.strip().partition(":")
    if not colon:
        raise UnknownField(term)
    patterns = [quoted or span or word for quoted, span, word in _TOKEN.findall(values)]
    value_of({}, field, fields)

    def test(record: Mapping[str, Any]) -> bool:
        value = value_of(record, field, fields)
        found = [str(one) for one in (value if isinstance(value, list) else [value]) if one is not None]
        return any(_matches(one, pattern) for one in found for pattern in patterns)

    return test


def _matches(value: str, pattern: str) -> bool:
    if pattern.startswith("["):
        low, _, high = pattern[1:-1].partition(" TO ")
        return (low == "*" or float(low) <= float(value)) and (high == "*" or float(value) <= float(high))
    # Words of a text field are found one by one, as in an inverted index.
    folded = pattern.casefold()
    return fnmatchcase(value.casefold(), folded) or folded in value.casefold().split()
