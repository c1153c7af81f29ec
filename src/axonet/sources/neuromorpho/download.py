"""A download from NeuroMorpho.Org: listing, metadata, files, morphometry, citations; stopped anywhere, it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from axonet.core.files import short_hash
from axonet.core.progress import say
from axonet.sources.citations import Citation, collect_papers, doi_by_pmid, write_citations
from axonet.sources.disk import disk_errors
from axonet.sources.downloading import fetch_all, orderly_end, sweep, tell_files
from axonet.sources.fetch_file import FileResult, adopt_file, fetch_file
from axonet.sources.http import HttpClient
from axonet.sources.ledger import Entry, Ledger
from axonet.sources.meter import meter
from axonet.sources.neuromorpho.api import Measured, NeuroMorphoApi
from axonet.sources.neuromorpho.listing import checked_selection, count_neurons, list_neurons, selection_key
from axonet.sources.neuromorpho.places import candidates
from axonet.sources.neuromorpho.query import Selection, read_query
from axonet.sources.neuromorpho.settings import NeuroMorphoSettings
from axonet.sources.outputs import SWC_FOLDER, write_measures, write_metadata, write_status
from axonet.sources.pool import map_unordered
from axonet.sources.restore import restore_ledger
from axonet.sources.swc_check import Expected

SUFFIX = ".CNG.swc"
_CITED = "is_ok = 1 AND gone = 0"
IDS_PER_REQUEST = 50  # as the site's own pages ask

COLLECTION = {
    "author": "Tecuatl, Carolina and Ljungquist, Bengt and Ascoli, Giorgio A.",
    "title": "Accelerating the continuous community sharing of digital neuromorphology data",
    "journal": "FASEB BioAdvances",
    "volume": "6",
    "number": "7",
    "pages": "207--221",
    "year": "2024",
    "note": "NeuroMorpho.Org, RRID:SCR_002145; data under CC BY 4.0",
}
COLLECTION_DOI = "10.1096/fba.2024-00048"


def selection_of(settings: NeuroMorphoSettings) -> Selection:
    """What the settings ask for.

    Raises:
        UserError: the query is not of the form ``field:value``.
    """
    query = None if settings.query is None else read_query(settings.query)
    if query != settings.query:
        say(f"query: {query}")
    return Selection(query, settings.filters)


def count_selection(settings: NeuroMorphoSettings) -> int:
    """How many neurons the settings ask for; nothing is written.

    Raises:
        UserError: the site cannot be asked; the message says what helps.
    """
    from axonet.sources.failures import TransferError

    selection = selection_of(settings)
    with HttpClient(settings) as client:
        api = NeuroMorphoApi(client, settings.site)
        try:
            return count_neurons(api, checked_selection(api, selection))
        except TransferError as error:
            raise client.give_up(error) from error


def download_neuromorpho(settings: NeuroMorphoSettings, out: Path) -> dict[str, int]:
    """Fill a folder with the neurons that the settings ask for, or bring it up to date.

    Args:
        settings: which neurons, and how to ask.
        out: gets ``swc/``, ``metadata.jsonl``, ``morphometry.jsonl`` (if asked for), ``status.jsonl``,
            ``citations.csv`` and ``citations.bib``.

    Returns:
        How many neurons were listed and how many files of them are there.

    Raises:
        UserError: the message says what happened and what helps; what is finished is kept.
        KeyboardInterrupt: likewise.
    """
    selection = selection_of(settings)
    key = selection_key(settings.site, selection)
    with disk_errors(out), HttpClient(settings) as client, Ledger(out) as ledger:
        sweep(out)
        restore_ledger(out, ledger, "neuron_id", dict, is_one_form=True)
        with orderly_end(out, client, ledger, partial(_cite, out, ledger)):
            api = NeuroMorphoApi(client, settings.site)
            listing = ledger.open_listing(_listing_key(settings, selection), key)
            if not ledger.get("is_listed", False):
                selection = checked_selection(api, selection)
            list_neurons(client, api, selection, settings, ledger, listing)
            ledger.assign_names(out / SWC_FOLDER, "neuron_name", SUFFIX)
            write_metadata(out, ledger)
            ledger.recheck(out / SWC_FOLDER)
            round_number = ledger.open_round(settings.refresh)
            fetch = partial(_fetch, client, api, settings, out / SWC_FOLDER)
            fetch_all(client, ledger, fetch, listing, round_number, settings.jobs)
            n_papers = _cite(out, ledger)
            if settings.fetch_morphometry:
                _measure(client, api, ledger, listing, round_number, settings.jobs)
                write_measures(out, ledger)
            write_status(out, ledger)
            ledger.end_run()
        say(f"{out / 'citations.csv'}: {n_papers:,} papers to cite, besides NeuroMorpho.Org itself")
        tell_files(out, ledger, listing, "--base-url", settings.refresh)
        if settings.fetch_morphometry:
            _tell_measures(out, ledger, listing)
        return {
            "neurons": ledger.count("listing = ?", [listing]),
            "files": ledger.count("listing = ? AND is_ok = 1", [listing]),
        }


def _listing_key(settings: NeuroMorphoSettings, selection: Selection) -> str:
    return short_hash(
        [settings.site, selection.query, selection.filters, settings.page_size, settings.max_pages, settings.refresh]
    )


def _fetch(
    client: HttpClient, api: NeuroMorphoApi, settings: NeuroMorphoSettings, folder: Path, entry: Entry
) -> FileResult:
    target = folder / entry.swc
    where = candidates(settings.site, entry.record, settings.find, partial(api.neuron, entry.id))
    if entry.known is None and not entry.was_there and target.is_file():
        adopted = adopt_file(entry.id, target, next(where), Expected())
        if adopted is not None:
            return adopted
        where = candidates(settings.site, entry.record, settings.find, partial(api.neuron, entry.id))
    return fetch_file(client, entry.id, target, where, Expected(), entry.known)


def _measure(
    client: HttpClient, api: NeuroMorphoApi, ledger: Ledger, listing: int, round_number: int, jobs: int
) -> None:
    total = ledger.count("listing = ? AND measure_round < ?", [listing, round_number])
    ids_to_ask = ledger.to_measure(listing, round_number)
    batches = iter(lambda: tuple(islice(ids_to_ask, IDS_PER_REQUEST)), ())

    def ask(ids: tuple[int, ...]) -> tuple[tuple[int, ...], Measured]:
        return ids, api.morphometry(ids)

    with meter(-(-total // IDS_PER_REQUEST), "morphometry") as shown:
        for ids, measured in map_unordered(ask, batches, jobs, client.limiter.stop):
            ledger.record_measures(ids, measured.found, round_number, measured.broken)
            shown.advance()


def _tell_measures(out: Path, ledger: Ledger, listing: int) -> None:
    say(f"{out / 'morphometry.jsonl'}: {ledger.count('measures IS NOT NULL'):,} neurons")
    broken = ledger.count_values("measures_reason", listing)
    if broken:
        counts = ", ".join(f"{number:,} {reason}" for reason, number in broken.items())
        say(f"measurements of no use, left out: {counts} (which: {out / 'status.jsonl'}, field morphometry)")


def _cite(out: Path, ledger: Ledger) -> int:
    """Write the citations; returns how many papers there are."""
    finished = ledger.count(_CITED)
    collection = Citation("neuromorpho_org", "collection", COLLECTION_DOI, None, COLLECTION, n_neurons=finished)
    papers = collect_papers(_cited_records(ledger), doi_by_pmid(_cited_records(ledger)))
    write_citations(out, [collection, *papers])
    return sum(paper.what == "paper" for paper in papers)


def _cited_records(ledger: Ledger) -> Iterator[dict[str, Any]]:
    for _, record in ledger.rows("record", _CITED):
        yield json.loads(record)
