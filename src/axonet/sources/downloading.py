"""The part that all downloads share: the wanted files, by several threads, into their places and the ledger."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from axonet.core.errors import UserError
from axonet.core.progress import say
from axonet.sources.disk import disk_errors
from axonet.sources.failures import TransferError
from axonet.sources.fetch_file import FileResult
from axonet.sources.http import HttpClient
from axonet.sources.ledger import Entry, Ledger
from axonet.sources.meter import meter
from axonet.sources.outputs import SWC_FOLDER, write_status
from axonet.sources.pool import map_unordered

_SECONDS_BETWEEN_COMMITS = 0.5


@contextmanager
def orderly_end(folder: Path, client: HttpClient, ledger: Ledger, cite: Callable[[], object]) -> Iterator[None]:
    """Whatever stops the block, keep what is finished, write status and citations, and say how to go on.

    Args:
        folder: the download's output folder.
        client: says what helps.
        ledger: of the download.
        cite: writes the citations of what is there.

    Raises:
        UserError: in place of a request's or the disk's failure, with what helps.
    """
    try:
        with disk_errors(folder):
            yield
    except TransferError as error:
        _tell_state(folder, ledger, cite)
        raise client.give_up(error) from error
    except (UserError, KeyboardInterrupt, sqlite3.Error):
        _tell_state(folder, ledger, cite)
        raise


def _tell_state(folder: Path, ledger: Ledger, cite: Callable[[], object]) -> None:
    with suppress(OSError, sqlite3.Error):  # a full disk has its own message, which is on its way
        ledger.commit()
    with suppress(OSError, sqlite3.Error):
        write_status(folder, ledger)
    with suppress(OSError, sqlite3.Error):
        if ledger.count():
            cite()
    with suppress(sqlite3.Error):
        _tell_progress(folder, ledger)


def _tell_progress(folder: Path, ledger: Ledger) -> None:
    listed = ledger.count()
    if listed:
        finished = ledger.count("is_ok = 1")
        say(f"{folder}: {finished:,} of {listed:,} files are finished; the same command goes on from there")


def sweep(folder: Path) -> None:
    """Remove what a killed run left of files that it was writing."""
    for place in (folder, folder / SWC_FOLDER, folder / "refused"):
        if place.is_dir():
            for path in place.glob(".*.part*"):
                path.unlink(missing_ok=True)


def fetch_all(
    client: HttpClient,
    ledger: Ledger,
    fetch: Callable[[Entry], FileResult],
    listing: int,
    round_number: int,
    jobs: int,
) -> None:
    """Fetch the files of a listing that are not finished, or not looked at in this round.

    Args:
        client: stopped when the rest is not wanted any more.
        ledger: says which they are, and is told what became of them.
        fetch: gets one; called by several threads.
        listing: its number.
        round_number: of the refresh.
        jobs: number of threads.
    """
    total = ledger.count_to_fetch(listing, round_number)
    last_commit = time.monotonic()
    with meter(total, "files") as shown:
        entries = ledger.to_fetch(listing, round_number)
        for result in map_unordered(fetch, entries, jobs, client.limiter.stop):
            ledger.record_file(result, round_number)
            shown.advance(failed=result.known is None)
            if time.monotonic() - last_commit > _SECONDS_BETWEEN_COMMITS:
                ledger.commit()
                last_commit = time.monotonic()
    ledger.commit()


def tell_files(folder: Path, ledger: Ledger, listing: int, server_flag: str, refresh: bool) -> None:
    """Say how many files there are, and why some are not.

    Args:
        folder: the download's output folder.
        ledger: of the download.
        listing: its number.
        server_flag: the flag that names another server.
        refresh: whether finished files were asked for, too.

    Raises:
        UserError: there are none at all.
    """
    wanted, finished = ledger.count("listing = ?", [listing]), ledger.count("listing = ? AND is_ok = 1", [listing])
    missing = _counted(ledger.count_reasons(listing))
    without = f"; not had: {missing} (why: {folder / 'status.jsonl'})" if missing else ""
    line = f"{folder / SWC_FOLDER}: files of {finished:,} of {wanted:,} neurons{without}"
    if not finished:
        raise UserError(f"{line}; does {server_flag} name the right server?")
    say(line)
    unread = ledger.count("listing = ? AND is_ok = 1 AND reader IS NOT NULL", [listing])
    if unread:
        say(f"{unread:,} of these files hold no single neuron; they are kept, and status.jsonl says which and why")
    broken = _counted(ledger.broken_records())
    if broken:
        say(f"records of no use, left out: {broken} (which: {folder / 'status.jsonl'})")
    if refresh:
        _tell_refresh(folder, ledger, listing)


def _tell_refresh(folder: Path, ledger: Ledger, listing: int) -> None:
    changed = ledger.count("listing = ? AND changed = 1", [listing])
    if changed:
        say(f"{changed:,} files changed on the server and were replaced")
    failed = _counted(ledger.count_values("refresh", listing))
    if failed:
        say(
            f"finished files that could not be asked for again and are kept as they were: {failed} (which: "
            f"{folder / 'status.jsonl'}, field refresh)"
        )
    gone = ledger.get("gone", 0)
    if gone:
        say(
            f"{gone:,} neurons are not on the server's list any more; what is here of them is kept, but is no part of "
            "the selection and not cited (status.jsonl, field gone)"
        )


def _counted(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {reason}" for reason, number in reasons.items())
