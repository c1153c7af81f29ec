"""The requests of the site's API, and answers that are what they should be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from axonet.core.errors import UserError
from axonet.sources.failures import Failure, Reply
from axonet.sources.http import HttpClient
from axonet.sources.neuromorpho.query import Selection
from axonet.sources.records import BrokenRecord, check_values, checked_id

SORT = "neuron_id,asc"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing.

    Attributes:
        number: from 0.
        total: neurons on all pages.
        size: neurons on a full page.
        records: of this page.
        broken: what else is on the page, and why it is of no use.
    """

    number: int
    total: int
    size: int
    records: list[tuple[int, dict[str, Any]]]
    broken: list[BrokenRecord] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Measured:
    """Measurements of some neurons.

    Attributes:
        found: by id.
        broken: why those of a neuron are of no use, by id.
    """

    found: dict[int, dict[str, Any]]
    broken: dict[int, str]


class NeuroMorphoApi:
    """The API of one site.

    Args:
        client: sends the requests.
        site: root of the site.
    """

    def __init__(self, client: HttpClient, site: str) -> None:
        self._client = client
        self._root = f"{site}/api"

    def fields(self) -> list[str]:
        """Names of the fields of a neuron."""
        answer = self._object(f"{self._root}/neuron/fields")
        names = (answer or {}).get("Neuron Fields")
        return [str(name) for name in names] if isinstance(names, list) else []

    def field_values(self, field: str) -> list[str]:
        """Values that a field has, the first thousand."""
        answer = self._object(f"{self._root}/neuron/fields/{quote(field, safe='')}?page=0&size=1000")
        values = (answer or {}).get("fields")
        return [str(value) for value in values if value is not None] if isinstance(values, list) else []

    def page(self, selection: Selection, number: int, size: int) -> Page:
        """A page of the listing of a selection.

        Raises:
            UserError: the site refuses the selection.
            TransferError: no usable answer.
        """
        paging = {"page": number, "size": size, "sort": SORT}
        check = _PageCheck("neuronResources", number)
        if selection.filters is not None:
            url = f"{self._root}/neuron/select?{_encode(paging)}"
            reply = self._client.send("POST", url, json=selection.filters, check=check)
        else:
            url = f"{self._root}/neuron/select?{_encode({'q': selection.query, **paging})}"
            reply = self._client.send("GET", url, check=check)
        if reply.status != 200:
            raise UserError(f"the site refuses the selection {selection.text} ({_message(reply)})")
        records, broken = _records(check.rows)
        return Page(number, check.total, check.size or size, records, broken)

    def neuron(self, neuron_id: int) -> dict[str, Any] | None:
        """The present record of a neuron; None when the site has none.

        Raises:
            TransferError: no usable answer.
        """
        record = self._object(f"{self._root}/neuron/id/{neuron_id}")
        try:
            return None if record is None else _checked(record)[1]
        except BrokenRecord:
            return None

    def morphometry(self, ids: Sequence[int]) -> Measured:
        """Measurements of up to 500 neurons, as far as there are any.

        Raises:
            TransferError: no usable answer.
        """
        query = {"q": f"Neuron_id:{','.join(map(str, ids))}", "page": 0, "size": 500}
        url = f"{self._root}/morphometry/select?{_encode(query)}"
        check = _PageCheck("measurements")
        reply = self._client.send("GET", url, check=check)
        if reply.status == 404:
            return Measured({}, {})
        if reply.status != 200:
            raise UserError(f"the site refuses to tell morphometry ({_message(reply)}); leave out --fetch-morphometry")
        wanted, measured = set(ids), Measured({}, {})
        for row in check.rows:
            neuron_id = row.get("neuron_id") if isinstance(row, dict) else None
            try:
                neuron_id, record = _checked(row)
                if neuron_id in wanted:
                    measured.found[neuron_id] = record
            except BrokenRecord as error:
                if isinstance(neuron_id, int) and neuron_id in wanted:
                    measured.broken[neuron_id] = error.reason
        return measured

    def _object(self, url: str) -> dict[str, Any] | None:
        check = _JsonCheck()
        reply = self._client.send("GET", url, check=check)
        return check.answer if reply.status == 200 and _status_in(check.answer) is None else None


def _encode(values: Mapping[str, object]) -> str:
    return urlencode({key: str(value) for key, value in values.items()}, quote_via=quote, safe="")


def _records(rows: Iterable[Any]) -> tuple[list[tuple[int, dict[str, Any]]], list[BrokenRecord]]:
    """(id, record) of the rows of a page, and why others are of no use."""
    found, broken = [], []
    for row in rows:
        try:
            found.append(_checked(row))
        except BrokenRecord as error:
            broken.append(error)
    return found, broken


def _checked(row: Any) -> tuple[int, dict[str, Any]]:
    """(id, record) of a row.

    Raises:
        BrokenRecord: it is of no use.
    """
    if not isinstance(row, dict):
        raise BrokenRecord("no_record", "a row is no JSON object")
    neuron_id = checked_id(row.get("neuron_id"), "neuron_id")
    name = row.get("neuron_name")
    if not isinstance(name, str | int) or not str(name):
        raise BrokenRecord("no_name", f"neuron_id {neuron_id} has no neuron_name")
    # Links lead to http:// addresses of the public site, whatever site was asked.
    record = {key: value for key, value in row.items() if key != "_links"}
    check_values(record, f"neuron_id {neuron_id}")
    return neuron_id, record


class _JsonCheck:
    """Judges whether an answer is a JSON object, and keeps it."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {}

    def __call__(self, reply: Reply) -> Failure | None:
        """The failure that an answer amounts to, or None."""
        host = reply.url.split("/")[2]
        try:
            answer = json.loads(reply.body)
        except (ValueError, RecursionError):
            if reply.body.lstrip()[:1] == b"<":
                message = f"{host} answers with a web page instead of data"
                return Failure("html_page", message, "often", is_servers=True, reply=reply)
            return Failure("bad_json", f"{host} answers with something that is no JSON", "often", True, reply=reply)
        if not isinstance(answer, dict):
            return Failure("bad_json", f"{host} answers with JSON of another kind", "often", True, reply=reply)
        status = _status_in(answer)
        if status is not None and status >= 500:  # an error told in the body of a success
            return Failure(f"http_{status}", f"{host} answers {status}", "often", True, reply=reply)
        self.answer = answer
        return self.judge(reply)

    def judge(self, reply: Reply) -> Failure | None:
        """What else is to be said about the object."""
        return None


class _PageCheck(_JsonCheck):
    """Judges pages: one that should hold rows must hold them."""

    def __init__(self, name: str, number: int = 0) -> None:
        super().__init__()
        self._name = name
        self._number = number
        self.total = 0
        self.size = 0

    def judge(self, reply: Reply) -> Failure | None:
        """The failure of a page without its size or its rows."""
        block = self.answer.get("page")
        total, size = (block.get("totalElements"), block.get("size")) if isinstance(block, dict) else (None, None)
        if not isinstance(total, int) or not isinstance(size, int) or min(total, size) < 0:
            message = "the server answers with a page that does not say how many neurons there are"
            return Failure("bad_json", message, "often", True, reply=reply)
        self.total, self.size = total, size
        if not self.rows and self._number * self.size < self.total:
            return Failure("empty_page", "the server answers with a page without its rows", "often", True, reply=reply)
        return None

    @property
    def rows(self) -> list[Any]:
        """The rows of the page, whatever they are."""
        embedded = self.answer.get("_embedded")
        rows = embedded.get(self._name) if isinstance(embedded, dict) else None
        return rows if isinstance(rows, list) else []


def _status_in(answer: Mapping[str, Any]) -> int | None:
    status = answer.get("status")
    return status if isinstance(status, int) and "error" in answer else None


def _message(reply: Reply) -> str:
    """What an error says in its body."""
    try:
        answer = json.loads(reply.body)
    except (ValueError, RecursionError):
        return str(reply.status)
    text = answer.get("message") or answer.get("error") if isinstance(answer, dict) else None
    return f"{reply.status}: {text}" if text else str(reply.status)
