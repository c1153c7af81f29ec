"""A download from the Allen Institute: cells, files, metadata, citations; stopped anywhere, it goes on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from axonet.core.errors import UserError
from axonet.core.files import short_hash
from axonet.core.progress import say
from axonet.sources.allen.cells import (
    CELL_TYPES_DOI,
    PATCH_SEQ_DOIS,
    Cell,
    database_cell,
    merge_cells,
    patch_seq_cell,
)
from axonet.sources.allen.rma import reconstructed_cells
from axonet.sources.allen.settings import AllenSettings
from axonet.sources.allen.tables import check_tables, project_files, read_tables
from axonet.sources.citations import Citation, write_citations
from axonet.sources.disk import disk_errors
from axonet.sources.downloading import fetch_all, orderly_end, sweep, tell_files
from axonet.sources.failures import TransferError
from axonet.sources.fetch_file import Candidate, FileResult, adopt_file, fetch_file
from axonet.sources.http import HttpClient
from axonet.sources.ledger import Entry, Ledger
from axonet.sources.outputs import SWC_FOLDER, to_line, write_lines, write_metadata, write_status
from axonet.sources.records import BrokenRecord
from axonet.sources.restore import restore_ledger
from axonet.sources.swc_check import Expected

SUFFIX = ".swc"
RECORDS = "records.jsonl"
PROJECTS = {"patch-seq-mouse": "mIVSCC-MET", "patch-seq-human": "hIVSCC-MET"}

PAPERS: dict[str, dict[str, str]] = {
    CELL_TYPES_DOI: {
        "author": "Gouwens, Nathan W. and Sorensen, Staci A. and others",
        "title": "Classification of electrophysiological and morphological neuron types in the mouse visual cortex",
        "journal": "Nature Neuroscience",
        "volume": "22",
        "pages": "1182--1195",
        "year": "2019",
        "note": "Allen Cell Types Database, RRID:SCR_014806",
    },
    PATCH_SEQ_DOIS["mIVSCC-MET"]: {
        "author": "Gouwens, Nathan W. and Sorensen, Staci A. and others",
        "title": "Integrated morphoelectric and transcriptomic classification of cortical GABAergic cells",
        "journal": "Cell",
        "volume": "183",
        "number": "4",
        "pages": "935--953",
        "year": "2020",
    },
    PATCH_SEQ_DOIS["hIVSCC-MET"]: {
        "author": "Berg, Jim and Sorensen, Staci A. and others",
        "title": "Human neocortical expansion involves glutamatergic neuron diversification",
        "journal": "Nature",
        "volume": "598",
        "pages": "151--158",
        "year": "2021",
    },
}


def find_cells(client: HttpClient, settings: AllenSettings) -> tuple[list[Cell], list[BrokenRecord]]:
    """All cells with a reconstruction of the data sets that the settings name, by id, and records of no use.

    Raises:
        UserError: tables cannot be had.
        TransferError: a server gives no usable answer.
    """
    cells: list[Cell] = []
    broken: list[BrokenRecord] = []
    if "cell-types" in settings.dataset:
        rows, broken = reconstructed_cells(client, settings.allen_site)
        say(f"cell-types: {len(rows):,} cells with a reconstruction")
        cells += [database_cell(row, settings.allen_site) for row in rows]
    patch_seq = [name for name in PROJECTS if name in settings.dataset]
    tables = read_tables(settings.tables) if patch_seq else None
    for name in patch_seq:
        assert tables is not None
        files = project_files(client, settings.bil_site, tables, PROJECTS[name], settings.reconstruction)
        say(f"{name}: {len(files):,} cells with a reconstruction")
        cells += [
            patch_seq_cell(file, tables.cells.get(file.cell, {}), settings.bil_site, settings.reconstruction)
            for file in files
        ]
    if not cells:
        raise UserError(f"no cell with a reconstruction in {', '.join(settings.dataset)}; see --dataset and --tables")
    return merge_cells(cells), broken


def count_cells(settings: AllenSettings) -> int:
    """How many cells have a reconstruction; nothing is written.

    Raises:
        UserError: a server cannot be asked; the message says what helps.
    """
    check_tables(settings.tables)
    with HttpClient(settings, "--base-url or --bil-url") as client:
        try:
            return len(find_cells(client, settings)[0])
        except TransferError as error:
            raise client.give_up(error) from error


def download_allen(settings: AllenSettings, out: Path) -> dict[str, int]:
    """Fill a folder with the cells that the settings ask for, or bring it up to date.

    Args:
        settings: which cells, and how to ask.
        out: gets ``swc/``, ``status.jsonl``, ``citations.csv`` and ``citations.bib``, with metadata also
            ``metadata.jsonl`` (the ``table`` dialect) and ``records.jsonl`` (the sources' own rows).

    Returns:
        How many cells were listed and how many files of them are there.

    Raises:
        UserError: the message says what happened and what helps; what is finished is kept.
        KeyboardInterrupt: likewise.
    """
    check_tables(settings.tables)
    key, selection = _listing_key(settings, settings.refresh), _listing_key(settings, False)
    with disk_errors(out), HttpClient(settings, "--base-url or --bil-url") as client, Ledger(out) as ledger:
        sweep(out)
        restore_ledger(out, ledger, "id", _restored, is_one_form=False)
        with orderly_end(out, client, ledger, lambda: write_citations(out, _citations(ledger))):
            listing = _list(client, settings, ledger, key, selection)
            ledger.assign_names(out / SWC_FOLDER, "name", SUFFIX)
            ledger.expire("found_by != json_extract(record, '$.form')")
            if settings.include_metadata:
                write_metadata(out, ledger, lambda record: record["metadata"])
                write_lines(out / RECORDS, _record_lines(ledger))
            ledger.recheck(out / SWC_FOLDER)
            round_number = ledger.open_round(settings.refresh)
            fetch = partial(_fetch, client, out / SWC_FOLDER)
            fetch_all(client, ledger, fetch, listing, round_number, settings.jobs)
            write_citations(out, _citations(ledger))
            write_status(out, ledger)
            ledger.end_run()
        tell_files(out, ledger, listing, "--base-url or --bil-url", settings.refresh)
        return {
            "neurons": ledger.count("listing = ?", [listing]),
            "files": ledger.count("listing = ? AND is_ok = 1", [listing]),
        }


def _list(client: HttpClient, settings: AllenSettings, ledger: Ledger, key: str, selection: str) -> int:
    """Record the cells that the settings ask for, if that was not done yet; returns the number of the listing."""
    listing = ledger.open_listing(key, selection)
    if not ledger.get("is_listed", False):
        cells, broken = find_cells(client, settings)
        ledger.add_page(0, ((cell.id, cell.to_record()) for cell in cells), listing, broken)
        if settings.refresh:
            ledger.mark_gone(listing, selection)
        ledger.put("is_listed", True)
    return listing


def _restored(row: dict[str, Any]) -> dict[str, Any]:
    """A record of the ledger out of a row of the metadata; the next listing completes it."""
    return {"name": str(row["id"]), "metadata": row, "rows": {}, "publications": [row.get("publication")]}


def _listing_key(settings: AllenSettings, refresh: bool) -> str:
    tables = None if settings.tables is None else str(settings.tables)
    return short_hash(
        [settings.allen_site, settings.bil_site, settings.dataset, settings.reconstruction, tables, refresh]
    )


def _fetch(client: HttpClient, folder: Path, entry: Entry) -> FileResult:
    target, record = folder / entry.swc, entry.record
    expected = Expected(record["sha256"], record["size"])
    candidate = Candidate(record["url"], record["form"])
    # By its checksum a file is the wanted one, whoever put it there.
    may_adopt = not entry.was_there or expected.sha256 is not None
    if entry.known is None and may_adopt and target.is_file():
        adopted = adopt_file(entry.id, target, candidate, expected)
        if adopted is not None:
            return adopted
    return fetch_file(client, entry.id, target, iter([candidate]), expected, entry.known)


def _record_lines(ledger: Ledger) -> Iterator[str]:
    for neuron_id, record in ledger.rows("record"):
        yield to_line({"id": str(neuron_id), **json.loads(record)["rows"]})


def _citations(ledger: Ledger) -> list[Citation]:
    counts: Counter[str] = Counter()
    for _, record in ledger.rows("record", "is_ok = 1 AND gone = 0"):
        counts.update(doi for doi in json.loads(record)["publications"] if doi)
    return [
        Citation(f"allen_{PAPERS[doi]['year']}", "paper", doi, None, PAPERS[doi], {"Allen Institute"}, counts[doi])
        for doi in PAPERS
        if counts[doi]
    ]
