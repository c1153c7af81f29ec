"""The Allen Institute's query interface (RMA): all cells of the Cell Types Database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from axonet.core.progress import warn
from axonet.sources.failures import Failure, Reply
from axonet.sources.http import HttpClient
from axonet.sources.records import BrokenRecord, check_values, checked_id

MODEL = "ApiCellTypesSpecimenDetail"
ROWS_PER_PAGE = 500


class _AnswerCheck:
    """Judges an answer of RMA, which tells failures in the body, also with status 200."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.total = 0

    def __call__(self, reply: Reply) -> Failure | None:
        """The failure that an answer amounts to, or None."""
        host = reply.url.split("/")[2]
        try:
            answer = json.loads(reply.body)
        except (ValueError, RecursionError):
            is_page = reply.body.lstrip()[:1] == b"<"
            what = "a web page instead of data" if is_page else "something that is no JSON"
            reason = "html_page" if is_page else "bad_json"
            return Failure(reason, f"{host} answers with {what}", "often", is_servers=True, reply=reply)
        rows = answer.get("msg") if isinstance(answer, dict) else None
        if not isinstance(rows, list) or answer.get("success") is not True:
            text = rows if isinstance(rows, str) else "no rows"
            return Failure("rma_error", f"{host} refuses the query: {text.strip()[:200]}", "once", True, reply=reply)
        total = answer.get("total_rows")
        if not isinstance(total, int):
            return Failure("bad_json", f"{host} does not say how many cells there are", "often", True, reply=reply)
        self.rows, self.total = [row for row in rows if isinstance(row, dict)], total
        return None


def query_url(site: str, start_row: int, num_rows: int) -> str:
    """URL of some rows of the table of cells."""
    criteria = f"model::{MODEL},rma::options[num_rows$eq{num_rows}][start_row$eq{start_row}]"
    return f"{site}/api/v2/data/query.json?criteria={quote(criteria, safe='')}"


def file_url(site: str, file_id: int) -> str:
    """URL of a file by its number."""
    return f"{site}/api/v2/well_known_file_download/{file_id}"


def reconstructed_cells(client: HttpClient, site: str) -> tuple[list[dict[str, Any]], list[BrokenRecord]]:
    """The cells that have a reconstruction, by id, and why other rows are of no use.

    A cell may have a file and no reconstruction type, so the file's number decides.

    Raises:
        TransferError: no usable answer.
    """
    cells: dict[int, dict[str, Any]] = {}
    broken: dict[str, BrokenRecord] = {}
    totals: list[int] = []
    for rows, total in _pages(client, site):
        for row in rows:
            try:
                cells[_checked_cell(row)] = row
            except BrokenRecord as error:
                broken[error.message] = error
        totals.append(total)
    if len(cells) + len(broken) < totals[-1]:
        warn(f"the Cell Types Database says that it has {totals[-1]:,} cells, but lists {len(cells):,}")
    if broken:
        first = next(iter(broken.values()))
        warn(f"cell-types: {len(broken)} records are of no use and left out ({first.message})")
    return [cells[cell] for cell in sorted(cells) if cells[cell].get("nrwkf__id")], list(broken.values())


def _checked_cell(row: dict[str, Any]) -> int:
    """The number of a cell, if all of its row is of use.

    Raises:
        BrokenRecord: it is not.
    """
    cell = checked_id(row.get("specimen__id"), "specimen__id")
    if row.get("nrwkf__id"):
        try:
            checked_id(row["nrwkf__id"], f"specimen__id {cell}: nrwkf__id")
        except BrokenRecord as error:
            raise BrokenRecord("bad_file_id", error.message) from None
    check_values(row, f"specimen__id {cell}")
    return cell


def _pages(client: HttpClient, site: str) -> Iterator[tuple[list[dict[str, Any]], int]]:
    start = 0
    while True:
        check = _AnswerCheck()
        client.send("GET", query_url(site, start, ROWS_PER_PAGE), check=check)
        yield check.rows, check.total
        start += len(check.rows)
        if not check.rows or start >= check.total:
            return
