"""The requests of the site's API, and answers that are what they should be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from axonet.core.errors import UserError
from axonet.sources.failures import Failure, Reply
from axonet.sources.http import HttpClient
from axonet.sources.neuromorpho.query import Selection

SORT = "neuron_id,asc"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing.

    Attributes:
        number: from 0.
        total: neurons on all pages.
        size: neurons on a full page.
        records: of this page.
        broken: records that have no usable ``neuron_id`` or ``neuron_name``.
    """

    number: int
    total: int
    size: int
    records: list[tuple[int, dict[str, Any]]]
    broken: int = 0


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
        return self._object(f"{self._root}/neuron/id/{neuron_id}")

    def morphometry(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Measurements of up to 500 neurons by id, as far as there are any.

        Raises:
            TransferError: no usable answer.
        """
        query = {"q": f"Neuron_id:{','.join(map(str, ids))}", "page": 0, "size": 500}
        url = f"{self._root}/morphometry/select?{_encode(query)}"
        check = _PageCheck("measurements")
        reply = self._client.send("GET", url, check=check)
        if reply.status == 404:
            return {}
        if reply.status != 200:
            raise UserError(f"the site refuses to tell morphometry ({_message(reply)}); leave out --fetch-morphometry")
        wanted = set(ids)
        return {neuron_id: record for neuron_id, record in _records(check.rows)[0] if neuron_id in wanted}

    def _object(self, url: str) -> dict[str, Any] | None:
        check = _JsonCheck()
        reply = self._client.send("GET", url, check=check)
        return check.answer if reply.status == 200 and _status_in(check.answer) is None else None


def _encode(values: Mapping[str, object]) -> str:
    return urlencode({key: str(value) for key, value in values.items()}, quote_via=quote, safe="")


def _records(rows: Iterable[Any]) -> tuple[list[tuple[int, dict[str, Any]]], int]:
    """(id, record) of the rows of a page, and how many of them are no records."""
    found, broken = [], 0
    for row in rows:
        try:
            neuron_id = int(row["neuron_id"])
            if not str(row["neuron_name"] or ""):
                raise ValueError("no name")
        except (KeyError, TypeError, ValueError):
            broken += 1
            continue
        # Links lead to http:// addresses of the public site, whatever site was asked.
        found.append((neuron_id, {key: value for key, value in row.items() if key != "_links"}))
    return found, broken


class _JsonCheck:
    """Judges whether an answer is a JSON object, and keeps it."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {}

    def __call__(self, reply: Reply) -> Failure | None:
        """The failure that an answer amounts to, or None."""
        host = reply.url.split("/")[2]
        try:
            answer = json.loads(reply.body)
        except ValueError:
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
    except ValueError:
        return str(reply.status)
    text = answer.get("message") or answer.get("error") if isinstance(answer, dict) else None
    return f"{reply.status}: {text}" if text else str(reply.status)
