"""The Allen Institute's query interface (RMA): all cells of the Cell Types Database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from axonet.core.progress import warn
from axonet.sources.failures import Failure, Reply
from axonet.sources.http import HttpClient

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
        except ValueError:
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


def reconstructed_cells(client: HttpClient, site: str) -> list[dict[str, Any]]:
    """The cells that have a reconstruction, by id.

    A cell may have a file and no reconstruction type, so the file's number decides.

    Raises:
        TransferError: no usable answer.
    """
    cells: dict[int, dict[str, Any]] = {}
    totals: list[int] = []
    for rows, total in _pages(client, site):
        cells.update((int(row["specimen__id"]), row) for row in rows if row.get("specimen__id") is not None)
        totals.append(total)
    if len(cells) < totals[-1]:
        warn(f"the Cell Types Database says that it has {totals[-1]:,} cells, but lists {len(cells):,}")
    return [cells[cell] for cell in sorted(cells) if cells[cell].get("nrwkf__id")]


def _pages(client: HttpClient, site: str) -> Iterator[tuple[list[dict[str, Any]], int]]:
    start = 0
    while True:
        check = _AnswerCheck()
        client.send("GET", query_url(site, start, ROWS_PER_PAGE), check=check)
        yield check.rows, check.total
        start += len(check.rows)
        if not check.rows or start >= check.total:
            return
