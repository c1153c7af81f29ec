"""Threads that never run ahead, a meter that says how far it is, and a database that one process owns."""

from __future__ import annotations

import io
import itertools
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from axonet.core.errors import UserError
from axonet.sources.fetch_file import FileResult, KnownFile
from axonet.sources.ledger import FILE_NAME, Ledger
from axonet.sources.meter import Meter, duration, meter
from axonet.sources.pool import map_unordered


def test_every_item_is_done_once_whatever_the_number_of_threads() -> None:
    for jobs in (1, 3, 8):
        assert sorted(map_unordered(lambda n: n * n, range(100), jobs)) == [n * n for n in range(100)]


def test_inputs_are_taken_as_they_are_needed() -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        for number in itertools.count():
            taken.append(number)
            yield number

    results = map_unordered(lambda n: n, endless(), 3)
    for _ in range(20):
        next(results)
    results.close()
    assert len(taken) <= 20 + 2 * 3


def test_an_error_of_a_thread_reaches_the_caller_and_stops_the_rest() -> None:
    started: list[int] = []
    stopped = threading.Event()

    def work(number: int) -> int:
        started.append(number)
        if number == 5:
            raise UserError("no")
        if number > 5:
            stopped.wait(10)
        return number

    with pytest.raises(UserError, match="no"):
        list(map_unordered(work, range(1000), 2, stopped.set))
    assert stopped.is_set()
    assert len(started) < 20


def test_a_meter_tells_share_rate_time_left_and_failures() -> None:
    now = [0.0]
    counted = Meter(1000, "files", clock=lambda: now[0])
    for number in range(250):
        now[0] += 0.1
        counted.advance(failed=number % 50 == 0)
    assert counted.line() == "files: 25 % (250 of 1,000), 10 per second, 1 min 15 s left, 5 failed"


def test_the_rate_is_that_of_the_last_half_minute() -> None:
    now = [0.0]
    counted = Meter(10_000, "files", clock=lambda: now[0])
    for pause in [10.0] * 20 + [0.5] * 200:
        now[0] += pause
        counted.advance()
    assert counted.rate == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")])
def test_spans_of_time_are_told_in_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_log_gets_one_line_per_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with meter(237, "files") as counted:
        for _ in range(237):
            counted.advance()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[-1].startswith("files: 100 % (237 of 237)")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_with_rate_and_failures_and_a_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.delenv("NO_PROGRESS", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with meter(5, "files") as counted:
        for number in range(5):
            counted.advance(failed=number == 2)
    text = terminal.getvalue()
    assert "5/5" in text
    assert "1 failed" in text
    assert "/s" in text
    assert text.rstrip().endswith("per second, 1 failed")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path) as one:
        yield one


def records(*names: str) -> list[tuple[int, dict[str, str]]]:
    return [(number, {"neuron_name": name}) for number, name in enumerate(names, start=1)]


def test_two_downloads_do_not_share_a_folder(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="another download is writing"):
        Ledger(tmp_path)


def test_a_broken_database_is_one_line_that_says_what_to_delete(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database at all, but long enough to be looked at" * 40)
    with pytest.raises(UserError, match=rf"{FILE_NAME}.*delete it and run again"):
        Ledger(tmp_path)


def test_a_database_error_in_the_middle_is_one_line_too(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="delete it and run again"), Ledger(tmp_path):
        raise sqlite3.DatabaseError("database disk image is malformed")


def test_names_go_by_id_and_stay_when_newcomers_come(ledger: Ledger, tmp_path: Path) -> None:
    listing = ledger.open_listing("a")
    ledger.add_page(0, [(20, {"neuron_name": "cell"}), (10, {"neuron_name": "Cell"})], listing)
    ledger.assign_names(tmp_path, "neuron_name", ".swc")
    ledger.add_page(1, [(5, {"neuron_name": "CELL"})], listing)
    ledger.assign_names(tmp_path, "neuron_name", ".swc")
    assert list(ledger.rows("swc")) == [(5, "CELL.5.swc"), (10, "Cell.swc"), (20, "cell.20.swc")]


def test_a_neuron_that_is_listed_twice_is_one_row_with_the_newer_record(ledger: Ledger) -> None:
    listing = ledger.open_listing("a")
    ledger.add_page(0, records("a", "b"), listing)
    ledger.add_page(1, [(2, {"neuron_name": "b", "note": "new"})], listing)
    assert ledger.count() == 2
    assert '"new"' in dict(ledger.rows("record"))[2]


def test_a_stopped_listing_goes_on_and_a_finished_one_begins_anew(ledger: Ledger) -> None:
    first = ledger.open_listing("a")
    ledger.add_page(3, records("a"), first)
    assert ledger.open_listing("a") == first
    assert ledger.pages_done() == {3}
    assert ledger.open_listing("b") == first + 1
    assert ledger.pages_done() == set()
    ledger.end_run()
    assert ledger.open_listing("b") == first + 2


def test_a_finished_file_is_not_wanted_again_until_a_refresh(ledger: Ledger, tmp_path: Path) -> None:
    listing = ledger.open_listing("a")
    ledger.add_page(0, records("a", "b"), listing)
    ledger.assign_names(tmp_path, "neuron_name", ".swc")
    ledger.record_file(FileResult(1, KnownFile("ab", 3, etag="x"), attempts=1), ledger.open_round(False))
    assert [entry.id for entry in ledger.to_fetch(listing, ledger.open_round(False))] == [2]
    refresh = ledger.open_round(True)
    assert ledger.open_round(True) == refresh  # a refresh that was stopped goes on
    entries = list(ledger.to_fetch(listing, refresh))
    assert [(entry.id, entry.known is not None) for entry in entries] == [(1, True), (2, False)]


def test_a_finished_file_stays_finished_when_a_refresh_fails(ledger: Ledger, tmp_path: Path) -> None:
    listing = ledger.open_listing("a")
    ledger.add_page(0, records("a"), listing)
    ledger.record_file(FileResult(1, KnownFile("ab", 3)), 0)
    ledger.record_file(FileResult(1, None, "http_503"), 1)
    assert ledger.count("is_ok = 1") == 1


def test_a_file_that_is_gone_or_shorter_is_wanted_again(ledger: Ledger, tmp_path: Path) -> None:
    listing = ledger.open_listing("a")
    ledger.add_page(0, records("a", "b", "c"), listing)
    ledger.assign_names(tmp_path, "neuron_name", ".swc")
    for number, content in ((1, b"abc"), (2, b"a")):
        (tmp_path / f"{'xab'[number]}.swc").write_bytes(content)
    for number in (1, 2, 3):
        ledger.record_file(FileResult(number, KnownFile("ab", 3)), 0)
    ledger.recheck(tmp_path)
    entries = list(ledger.to_fetch(listing, 0))
    assert [(entry.id, entry.was_there) for entry in entries] == [(2, True), (3, True)]
