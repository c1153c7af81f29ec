"""Runs after runs into one folder: refreshes, lost databases, full disks, records that are none."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from axonet.core.files import write_bytes
from axonet.sources import fetch_file as fetching
from axonet.sources import ledger as ledgers
from axonet.sources.ledger import FILE_NAME
from axonet.sources.outputs import write_lines
from axonet.utils.neuromorpho_bulk import main
from tests.fakes.folders import rows, stable_files, status, strict_rows
from tests.fakes.neuromorpho import NeuroMorpho, made_up_record
from tests.fakes.neurons import made_up_swc
from tests.fakes.server import Fault, Replica

QUICK = ["--rate", "0", "--backoff", "0.01", "--timeout", "2", "--retries", "1"]
N = 20
Bulk = Callable[..., Path]


@pytest.fixture
def site() -> NeuroMorpho:
    site = NeuroMorpho.made_up(N)
    for number in range(101, 106):
        site.add(made_up_record(number, f"rat-{number}", "Other", "rat"), made_up_swc(number))
    return site


@pytest.fixture
def replica(site: NeuroMorpho, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replica]:
    with Replica(site) as one:
        monkeypatch.setenv("AXONET_NEUROMORPHO_URL", one.url)
        monkeypatch.setenv("NO_PROXY", "*")
        yield one


@pytest.fixture
def bulk(replica: Replica, tmp_path: Path) -> Bulk:
    """Runs the command; the log of the replica is that of this run alone afterwards."""

    def run(query: str, *flags: str, out: str = "out", code: int = 0) -> Path:
        replica.log.clear()
        assert main(["--query", query, "--out", str(tmp_path / out), *QUICK, *flags]) == code
        return tmp_path / out

    return run


MOUSE, RAT = "species:mouse", "species:rat"


def test_after_the_refresh_of_one_selection_another_asks_for_nothing_finished(bulk: Bulk, replica: Replica) -> None:
    bulk(MOUSE, "--fetch-morphometry")
    bulk(RAT, "--fetch-morphometry")
    bulk(MOUSE, "--fetch-morphometry", "--refresh")
    assert len(replica.paths("/dableFiles/")) == N
    assert len(replica.paths("/morphometry/")) == 1
    for query in (RAT, MOUSE, "species:mouse,rat"):
        bulk(query, "--fetch-morphometry")
        assert not replica.paths("/dableFiles/")
        assert not replica.paths("/morphometry/")


def test_a_file_that_fails_in_a_refresh_is_told_and_not_asked_for_without_another(
    bulk: Bulk, replica: Replica, site: NeuroMorpho, capsys: pytest.CaptureFixture[str]
) -> None:
    bulk(MOUSE)
    content = site.files.pop(site.file_path(site.records[9]))
    out = bulk(MOUSE, "--refresh")
    row = status(out)[9]
    assert (row["ok"], row["reason"], row["refresh"]) == (True, None, "not_found")
    assert "kept as they were: 1 not_found" in capsys.readouterr().err
    bulk(MOUSE)
    assert not replica.paths("/dableFiles/")
    assert "not_found" not in capsys.readouterr().err
    site.files[site.file_path(site.records[9])] = content
    bulk(MOUSE, "--refresh")
    assert status(out)[9]["refresh"] is None


def test_a_stopped_refresh_goes_on_as_a_refresh_and_never_by_a_plain_run(bulk: Bulk, replica: Replica) -> None:
    bulk(MOUSE)
    replica.faults.append(Fault("503", match="/dableFiles/", skip=8, times=None, retry_after="3600"))
    bulk(MOUSE, "--refresh", "--jobs", "1", code=2)
    replica.faults.clear()
    bulk(MOUSE, "--refresh")
    assert len(replica.paths("/dableFiles/")) == N - 8
    replica.faults.append(Fault("503", match="/dableFiles/", skip=8, times=None, retry_after="3600"))
    bulk(MOUSE, "--refresh", "--jobs", "1", code=2)
    replica.faults.clear()
    bulk(MOUSE)
    assert not replica.paths("/dableFiles/")


def test_replaced_files_are_told_by_the_run_that_replaced_them(
    bulk: Bulk, site: NeuroMorpho, capsys: pytest.CaptureFixture[str]
) -> None:
    bulk(MOUSE)
    site.files[site.file_path(site.records[9])] = made_up_swc(999)
    bulk(MOUSE, "--refresh")
    assert "1 files changed on the server and were replaced" in capsys.readouterr().err
    for flags in ([], ["--refresh"]):
        bulk(MOUSE, *flags)
        assert "changed on the server" not in capsys.readouterr().err


def test_a_neuron_that_left_the_list_is_told_and_not_cited_until_it_comes_back(
    bulk: Bulk, site: NeuroMorpho, capsys: pytest.CaptureFixture[str]
) -> None:
    site.records[5] |= {"reference_doi": ["10.9/alone"], "reference_pmid": ["77"]}
    bulk(RAT)
    out = bulk(MOUSE)
    record = site.records.pop(5)
    bulk(MOUSE)
    bulk(MOUSE, "--refresh")
    assert "1 neurons are not on the server's list any more" in capsys.readouterr().err
    assert [number for number, row in status(out).items() if row["gone"]] == [5]
    assert (out / "swc" / "cell-00005.CNG.swc").exists()
    assert "10.9/alone" not in (out / "citations.csv").read_text("utf-8")
    site.records[5] = record
    bulk(MOUSE)
    assert not status(out)[5]["gone"]
    assert "10.9/alone" in (out / "citations.csv").read_text("utf-8")


def test_a_database_that_is_lost_with_the_status_costs_no_request_for_a_file(bulk: Bulk, replica: Replica) -> None:
    out = bulk(MOUSE)
    before = stable_files(out)
    for name in (FILE_NAME, "status.jsonl"):  # as after kill -9: the status is written when a run ends
        (out / name).unlink()
    broken = out / "swc" / "cell-00004.CNG.swc"
    broken.write_bytes(broken.read_bytes()[:-30])
    bulk(MOUSE)
    assert [path.rsplit("/", 1)[-1] for path in replica.paths("/dableFiles/")] == [broken.name]
    assert stable_files(out) == before


def test_the_advice_about_a_corrupt_database_is_true(
    bulk: Bulk, replica: Replica, capsys: pytest.CaptureFixture[str]
) -> None:
    out = bulk(MOUSE)
    before = stable_files(out)
    (out / FILE_NAME).write_bytes(b"not a database at all" * 400)
    bulk(MOUSE, code=2)
    line = capsys.readouterr().err.splitlines()[-1]
    assert "delete it and run again" in line
    (out / FILE_NAME).unlink()
    bulk(MOUSE)
    assert not replica.paths("/dableFiles/")
    assert stable_files(out) == before


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def check_full_disk(capsys: pytest.CaptureFixture[str]) -> None:
    output = capsys.readouterr().err
    (line,) = [line for line in output.splitlines() if line.startswith("error: ")]
    assert "the disk is full; free some space and run the same command again" in line
    assert "delete" not in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    "where",
    [
        "axonet.sources.fetch_file.write_bytes",
        "axonet.sources.neuromorpho.download.write_metadata",
        "axonet.sources.neuromorpho.download.write_citations",
        "axonet.sources.outputs.write_lines",
        "axonet.core.provenance.write_json",
        "axonet.sources.neuromorpho.download.sweep",
    ],
)
def test_a_full_disk_is_one_line_wherever_it_shows(
    where: str, bulk: Bulk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(where, full)
        bulk(MOUSE, code=2)
    check_full_disk(capsys)
    assert stable_files(bulk(MOUSE)) == stable_files(bulk(MOUSE, out="fresh"))


def test_a_disk_that_fills_up_in_the_middle_keeps_what_is_finished(
    bulk: Bulk, replica: Replica, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[object] = []

    def fills_up(path: Path, data: bytes) -> None:
        if len(written) >= 7:
            full()
        written.append(path)
        write_bytes(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(fetching, "write_bytes", fills_up)
        out = bulk(MOUSE, code=2)
    check_full_disk(capsys)
    assert sum(row["ok"] for row in status(out).values()) <= 7
    assert (out / "citations.csv").exists()
    bulk(MOUSE)
    assert len(replica.paths("/dableFiles/")) == N - 7
    assert stable_files(out) == stable_files(bulk(MOUSE, out="fresh"))


@pytest.mark.parametrize("n_pages", [6, 8, 12])
def test_a_database_that_finds_no_space_is_a_full_disk_and_no_reason_to_delete_it(
    n_pages: int, bulk: Bulk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Small(ledgers.Ledger):
        def _open(self, schema: str, version: int) -> None:
            self._connection.execute(f"PRAGMA max_page_count={n_pages}")
            super()._open(schema, version)

    with monkeypatch.context() as patch:
        patch.setattr("axonet.sources.neuromorpho.download.Ledger", Small)
        bulk(MOUSE, code=2)
    check_full_disk(capsys)
    assert stable_files(bulk(MOUSE)) == stable_files(bulk(MOUSE, out="fresh"))


def test_citations_are_there_when_the_measurements_cannot_be_had(bulk: Bulk, replica: Replica) -> None:
    replica.faults.append(Fault("503", match="/morphometry/", times=None, retry_after=""))
    out = bulk(MOUSE, "--fetch-morphometry", code=2)
    assert "10.1234/made.up.1" in (out / "citations.csv").read_text("utf-8")
    assert "FASEB" in (out / "citations.bib").read_text("utf-8")


ODD = {
    "NaN": ({"min_age": float("nan")}, "not_a_number"),
    "infinity": ({"soma_surface": float("inf")}, "not_a_number"),
    "nested NaN": ({"brain_region": ["a", float("-inf")]}, "not_a_number"),
    "lone surrogate": ({"note": "half \ud800 a character"}, "bad_text"),
    "large id": ({"neuron_id": 2**63}, "bad_id"),
    "negative id": ({"neuron_id": -4}, "bad_id"),
    "text id": ({"neuron_id": "four"}, "bad_id"),
    "fraction": ({"neuron_id": 4.5}, "bad_id"),
    "list as a name": ({"neuron_name": ["a"]}, "no_name"),
    "no name": ({"neuron_name": None}, "no_name"),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_record_is_counted_with_its_reason_and_the_others_are_downloaded(
    odd: str, bulk: Bulk, site: NeuroMorpho, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, reason = ODD[odd]
    site.records[4] = site.records[4] | changes
    out = bulk(MOUSE, "--fetch-morphometry", "--page-size", "6")
    said = capsys.readouterr().err
    assert f"records of no use, left out: 1 {reason}" in said
    assert [row["neuron_id"] for row in strict_rows(out / "metadata.jsonl")] == [n for n in range(1, N + 1) if n != 4]
    (broken,) = [row for row in strict_rows(out / "status.jsonl") if row["neuron_id"] is None]
    assert (broken["ok"], broken["reason"]) == (False, reason)
    assert broken["message"].startswith("page ")
    strict_rows(out / "morphometry.jsonl")
    bulk(MOUSE, "--fetch-morphometry")  # its own outputs are understood again
    (out / FILE_NAME).unlink()
    bulk(MOUSE, "--fetch-morphometry")


def test_measurements_with_nan_are_left_out_and_told(
    bulk: Bulk, site: NeuroMorpho, capsys: pytest.CaptureFixture[str]
) -> None:
    site.measures[4]["volume"] = float("nan")
    out = bulk(MOUSE, "--fetch-morphometry")
    assert 4 not in [row["neuron_id"] for row in strict_rows(out / "morphometry.jsonl")]
    assert status(out)[4]["morphometry"] == "not_a_number"
    assert "measurements of no use, left out: 1 not_a_number" in capsys.readouterr().err


def test_an_error_page_behind_the_rows_is_refused(bulk: Bulk, site: NeuroMorpho) -> None:
    site.files[site.file_path(site.records[4])] = made_up_swc(4) + b"<html><body>502 Bad Gateway</body></html>\n"
    out = bulk(MOUSE)
    assert (status(out)[4]["ok"], status(out)[4]["reason"]) == (False, "html_page")
    assert not (out / "swc" / "cell-00004.CNG.swc").exists()


def test_the_earlier_neuron_keeps_the_plain_name_and_in_one_listing_the_smaller_id(
    bulk: Bulk, site: NeuroMorpho
) -> None:
    for number in (7, 9):
        site.files[f"lab {number}/CNG version/Same.CNG.swc"] = made_up_swc(number)
        site.records[number] |= {"neuron_name": "Same", "archive": f"Lab {number}"}

    def names(out: Path) -> list[str]:
        return [row["swc"] for row in rows(out / "metadata.jsonl") if row["neuron_name"] == "Same"]

    assert names(bulk(MOUSE)) == ["swc/Same.CNG.swc", "swc/Same.9.CNG.swc"]
    bulk("neuron_id:9", out="other")
    assert names(bulk(MOUSE, out="other")) == ["swc/Same.7.CNG.swc", "swc/Same.CNG.swc"]


def test_the_writers_of_outputs_leave_no_half_file_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lines(tmp_path / "a.jsonl", ["one"])
    with pytest.raises(OSError, match="No space"):
        write_lines(tmp_path / "a.jsonl", (full() or "never" for _ in range(1)))
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]
    assert (tmp_path / "a.jsonl").read_text("utf-8") == "one\n"
