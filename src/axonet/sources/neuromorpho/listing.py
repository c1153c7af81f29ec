"""Which neurons there are: all pages of a selection, every neuron once, none lost.

The site sorts ids as text and pages may shift while they are read, so the distinct ids are counted against what the
site says there are.
"""

from __future__ import annotations

import math
from functools import partial

from axonet.core.errors import UserError
from axonet.core.files import short_hash
from axonet.core.progress import say, warn
from axonet.sources.http import HttpClient
from axonet.sources.ledger import Ledger
from axonet.sources.meter import meter
from axonet.sources.neuromorpho.api import NeuroMorphoApi, Page
from axonet.sources.neuromorpho.query import Selection, check_fields, simple_values
from axonet.sources.neuromorpho.settings import NeuroMorphoSettings
from axonet.sources.pool import map_unordered

_PASSES = 3
_PAGES_AT_A_TIME = 3  # a page is a megabyte, and becomes ten while it is read


def checked_selection(api: NeuroMorphoApi, selection: Selection) -> Selection:
    """The selection, if the site knows all its fields.

    Raises:
        UserError: an unknown field.
    """
    known = api.fields()
    if known:
        check_fields(selection, known)
    else:
        warn("the site does not tell its fields; a misspelt one goes unnoticed")
    return selection


def count_neurons(api: NeuroMorphoApi, selection: Selection) -> int:
    """How many neurons a selection has.

    Raises:
        UserError: none, because the site does not know one of its values.
    """
    total = api.page(selection, 0, 1).total
    unknown = None if total else unknown_value(api, selection)
    if unknown is not None:
        raise UserError(unknown)
    return total


def list_neurons(
    client: HttpClient,
    api: NeuroMorphoApi,
    selection: Selection,
    settings: NeuroMorphoSettings,
    ledger: Ledger,
    listing: int,
) -> None:
    """Record all neurons of a selection; a listing that was stopped goes on with the pages that are missing.

    Raises:
        UserError: there are none, or the site refuses.
        TransferError: a page cannot be had.
    """
    if ledger.get("is_listed", False):
        say(f"listing: {ledger.count('listing = ?', [listing]):,} neurons, from the stopped run")
        return
    first = api.page(selection, 0, settings.page_size)
    if not first.total:
        raise UserError(unknown_value(api, selection) or f"no neuron matches {selection.text}")
    pages = math.ceil(first.total / first.size)
    wanted = min(pages, settings.max_pages or pages)
    expected = min(first.total, wanted * first.size)
    _record(ledger, first, listing)
    for attempt in range(_PASSES):
        done = ledger.pages_done()
        todo = [number for number in range(wanted) if number not in done]
        fetch = partial(_fetch_page, api, selection, settings.page_size)
        with meter(len(todo), "listing pages") as shown:
            jobs = min(settings.jobs, _PAGES_AT_A_TIME)
            for page in map_unordered(fetch, todo, jobs, client.limiter.stop, ahead=0):
                _record(ledger, page, listing)
                shown.advance()
        found = ledger.count("listing = ?", [listing])
        if found + sum(ledger.broken_records().values()) >= expected:
            if settings.refresh and wanted == pages:
                ledger.mark_gone(listing, selection_key(settings.site, selection))
            break
        if attempt + 1 < _PASSES:
            say(f"listing: {found:,} of {expected:,} neurons; the pages shifted meanwhile, asking once more")
            ledger.forget_pages()
    else:
        warn(f"the site says that there are {expected:,} neurons, but lists {found:,}; a later run may find the others")
    ledger.put("is_listed", True)
    ledger.commit()
    say(f"listing: {found:,} neurons")


def _fetch_page(api: NeuroMorphoApi, selection: Selection, size: int, number: int) -> Page:
    return api.page(selection, number, size)


def _record(ledger: Ledger, page: Page, listing: int) -> None:
    if page.broken:
        warn(f"page {page.number}: {len(page.broken)} records are of no use and left out ({page.broken[0].message})")
    ledger.add_page(page.number, page.records, listing, page.broken)


def selection_key(site: str, selection: Selection) -> str:
    """What tells a selection from others, however it is listed."""
    return short_hash([site, selection.query, selection.filters])


def unknown_value(api: NeuroMorphoApi, selection: Selection) -> str | None:
    """A line about a value that the site does not have, with the nearest that it has; None if it has them all."""
    import difflib

    for field, values in simple_values(selection).items():
        known = {value.casefold(): value for value in api.field_values(field)}
        for value in values:
            if known and value.casefold() not in known:
                close = difflib.get_close_matches(value.casefold(), known, n=1)
                meant = f"; did you mean {known[close[0]]!r}?" if close else ""
                return f"no neuron has {field} {value!r}{meant}"
    return None
