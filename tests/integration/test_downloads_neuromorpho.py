"""Downloads from NeuroMorpho.Org against the replica: what is there afterwards, and what the server saw of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from axonet.metadata.adapters import load_records
from axonet.sources.downloaded import find_neuromorpho_neurons
from axonet.sources.ledger import FILE_NAME
from axonet.sources.neuromorpho.settings import NeuroMorphoSettings
from axonet.utils.neuromorpho_bulk import main
from tests.fakes.folders import rows, stable_files, status
from tests.fakes.neuromorpho import NeuroMorpho, made_up_record
from tests.fakes.neurons import made_up_swc
from tests.fakes.server import Fault, Replica

QUICK = ["--rate", "0", "--backoff", "0.01", "--timeout", "2"]
Bulk = Callable[..., Path]


@pytest.fixture
def site() -> NeuroMorpho:
    return NeuroMorpho.made_up(60)


@pytest.fixture
def replica(site: NeuroMorpho, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replica]:
    with Replica(site) as one:
        monkeypatch.setenv("AXONET_NEUROMORPHO_URL", one.url)
        monkeypatch.setenv("NO_PROXY", "*")
        yield one


@pytest.fixture
def bulk(replica: Replica, tmp_path: Path) -> Bulk:
    """Runs the command; returns its output folder."""

    def run(*flags: str, out: str = "out", code: int = 0, query: str | None = "species:mouse") -> Path:
        chosen = [] if query is None else ["--query", query]
        assert main([*chosen, "--out", str(tmp_path / out), *QUICK, *flags]) == code
        return tmp_path / out

    return run


def test_a_download_has_every_neuron_once_with_its_file_record_and_measurements(bulk: Bulk, site: NeuroMorpho) -> None:
    out = bulk("--fetch-morphometry", "--page-size", "7")
    metadata = rows(out / "metadata.jsonl")
    assert [row["neuron_id"] for row in metadata] == list(range(1, 61))
    for row in metadata:
        expected = {key: value for key, value in site.records[row["neuron_id"]].items() if key != "_links"}
        assert row == expected | {"swc": f"swc/cell-{row['neuron_id']:05d}.CNG.swc"}
        assert (out / row["swc"]).read_bytes() == made_up_swc(row["neuron_id"])
    assert len(list((out / "swc").iterdir())) == 60
    measured = rows(out / "morphometry.jsonl")
    assert measured == [site.measures[number] for number in sorted(site.measures)]
    assert {(row["ok"], row["reason"], row["attempts"]) for row in status(out).values()} == {(True, None, 1)}


def test_the_metadata_are_what_the_dialect_neuromorpho_reads(bulk: Bulk) -> None:
    records = load_records(bulk() / "metadata.jsonl", "neuromorpho")
    assert {record.swc for record in records} == {f"cell-{number:05d}.CNG.swc" for number in range(1, 61)}
    assert {record.species for record in records} == {"mouse"}


def test_the_server_is_treated_politely(bulk: Bulk, replica: Replica) -> None:
    bulk("--fetch-morphometry", "--find", "--jobs", "3", "--contact", "me@lab.example", "--page-size", "20")
    assert not replica.paths(".jsp")
    assert replica.most_in_flight() <= 3
    assert all("me@lab.example" in entry.user_agent for entry in replica.log)
    assert len(replica.paths("/morphometry/")) <= 60 / 50 + 3
    assert len(replica.paths("/neuron/select")) == 3
    files = replica.paths("/dableFiles/")
    assert len(files) == len(set(files)) == 60
    assert len(replica.log) == 60 + 2 + 3 + 1  # files, measurements, pages, fields


def test_the_rate_holds_over_all_kinds_of_requests(bulk: Bulk, replica: Replica) -> None:
    bulk("--rate", "40", "--jobs", "8", "--page-size", "10")
    assert replica.busiest_second() <= 40
    assert replica.most_in_flight() <= 8


def test_a_rerun_asks_for_the_list_and_for_nothing_that_is_finished(bulk: Bulk, replica: Replica) -> None:
    out = bulk("--fetch-morphometry")
    before, times = stable_files(out), {path: path.stat().st_mtime_ns for path in out.rglob("*.jsonl")}
    replica.log.clear()
    bulk("--fetch-morphometry")
    assert stable_files(out) == before
    assert [entry.path for entry in replica.log] == ["/api/neuron/fields", "/api/neuron/select"]
    unchanged = [out / "metadata.jsonl", out / "morphometry.jsonl"]
    assert all(path.stat().st_mtime_ns == times[path] for path in unchanged)


def test_new_neurons_and_changed_records_are_taken_up_by_a_rerun(
    bulk: Bulk, replica: Replica, site: NeuroMorpho
) -> None:
    bulk()
    site.add(made_up_record(61, "newcomer", "Made_Up"), made_up_swc(61))
    site.records[5]["strain"] = "BALB/c"
    replica.log.clear()
    out = bulk()
    assert len(replica.paths("/dableFiles/")) == 1
    assert [row["strain"] for row in rows(out / "metadata.jsonl") if row["neuron_id"] == 5] == ["BALB/c"]
    assert stable_files(out) == stable_files(bulk(out="fresh"))


@pytest.mark.parametrize("etags", [True, False])
def test_a_refresh_replaces_what_changed_on_the_server_and_sends_nothing_twice(
    etags: bool, bulk: Bulk, replica: Replica, site: NeuroMorpho
) -> None:
    site.etags = etags
    bulk()
    changed = site.file_path(site.records[9])
    site.files[changed] = made_up_swc(999)
    bulk()
    replica.log.clear()
    out = bulk("--refresh")
    assert (out / "swc" / "cell-00009.CNG.swc").read_bytes() == made_up_swc(999)
    assert [number for number, row in status(out).items() if row["changed"]] == [9]
    assert len(replica.paths("/dableFiles/")) == 60


def test_a_file_that_vanished_from_the_server_is_kept(bulk: Bulk, site: NeuroMorpho) -> None:
    bulk()
    del site.files[site.file_path(site.records[9])]
    out = bulk("--refresh")
    assert (out / "swc" / "cell-00009.CNG.swc").read_bytes() == made_up_swc(9)
    row = status(out)[9]
    assert (row["ok"], row["reason"], row["refresh"]) == (True, None, "not_found")


def test_a_damaged_or_deleted_file_is_fetched_again(bulk: Bulk, replica: Replica) -> None:
    out = bulk()
    before = stable_files(out)
    (out / "swc" / "cell-00003.CNG.swc").unlink()
    (out / "swc" / "cell-00004.CNG.swc").write_bytes(b"")
    replica.log.clear()
    bulk()
    assert stable_files(out) == before
    assert len(replica.paths("/dableFiles/")) == 2


def test_without_its_database_a_folder_is_understood_from_its_outputs(bulk: Bulk, replica: Replica) -> None:
    out = bulk("--fetch-morphometry")
    before = stable_files(out)
    (out / FILE_NAME).unlink()
    replica.log.clear()
    bulk("--fetch-morphometry")
    assert stable_files(out) == before
    assert not replica.paths("/dableFiles/")


def test_files_that_lay_there_before_are_not_believed(bulk: Bulk, tmp_path: Path) -> None:
    swc = tmp_path / "out" / "swc"
    swc.mkdir(parents=True)
    (swc / "cell-00001.CNG.swc").write_bytes(made_up_swc(77))
    assert (bulk() / "swc" / "cell-00001.CNG.swc").read_bytes() == made_up_swc(1)


def test_a_second_selection_adds_to_the_folder(bulk: Bulk, site: NeuroMorpho) -> None:
    site.add(made_up_record(70, "rat-1", "Other", "rat"), made_up_swc(70))
    bulk()
    out = bulk(query="species:rat")
    assert [row["neuron_id"] for row in rows(out / "metadata.jsonl")] == [*range(1, 61), 70]


def test_filters_with_commas_are_sent_as_they_are(bulk: Bulk, replica: Replica) -> None:
    filters = '{"domain": ["Dendrites, Soma, Axon"], "attributes": ["Diameter, 3D, Angles"], "species": ["mouse"]}'
    out = bulk("--filters", filters, query=None)
    assert len(rows(out / "metadata.jsonl")) == 60
    assert {entry.method for entry in replica.log if "/select" in entry.path} == {"POST"}


def test_counting_prints_a_number_and_writes_nothing(
    bulk: Bulk, replica: Replica, capsys: pytest.CaptureFixture[str]
) -> None:
    out = bulk("--count-only")
    assert capsys.readouterr().out == "60\n"
    assert not out.exists()
    assert len(replica.log) == 2


def test_max_pages_lists_so_many_pages_and_a_full_run_completes_them(bulk: Bulk) -> None:
    out = bulk("--page-size", "10", "--max-pages", "2")
    assert [row["neuron_id"] for row in rows(out / "metadata.jsonl")] == [1, 2, *range(10, 28)]  # as text
    assert stable_files(bulk("--page-size", "10")) == stable_files(bulk(out="fresh"))


def test_a_missing_file_is_a_row_with_a_reason_and_find_looks_elsewhere(
    bulk: Bulk, replica: Replica, site: NeuroMorpho
) -> None:
    def move(number: int, path: str | None) -> None:
        content = site.files.pop(site.file_path(site.records[number]))
        if path is not None:
            site.files[path] = content

    move(1, None)
    move(2, "Made_Up/CNG version/cell-00002.CNG.swc")  # the archive keeps its case
    move(3, "made up/CNG version/cell-00003.CNG.swc")
    move(4, "previous/v6.1/made_up/cell-00004.CNG.swc")
    site.records[4]["note"] = (
        'The pre-6.1 version is <a href=" dableFiles/previous/v6.1/made_up/cell-00004.CNG.swc ">here</a>.'
    )
    plain = status(bulk())
    assert [number for number, row in plain.items() if row["reason"] == "not_found"] == [1, 2, 3, 4]
    replica.log.clear()
    found = status(bulk("--find"))
    assert [found[number]["found_by"] for number in (2, 3, 4)] == ["variant", "variant", "previous_version"]
    assert (found[1]["ok"], found[1]["reason"]) == (False, "not_found")
    assert not replica.paths(".jsp")
    assert len(replica.paths("/neuron/id/")) == 4


def test_find_takes_the_present_name_of_a_neuron_that_was_renamed(bulk: Bulk, site: NeuroMorpho) -> None:
    content = site.files.pop(site.file_path(site.records[6]))
    site.files["new_lab/CNG version/renamed.CNG.swc"] = content
    present = dict(site.records[6]) | {"archive": "New_Lab", "neuron_name": "renamed"}
    listed = site.respond

    def respond(request):  # type: ignore[no-untyped-def]
        if request.path == "/api/neuron/id/6":
            site.records[6] = present
        return listed(request)

    site.respond = respond  # type: ignore[method-assign]
    out = bulk("--find")
    assert status(out)[6]["found_by"] == "record"
    assert (out / "swc" / "cell-00006.CNG.swc").read_bytes() == content


def test_awkward_names_get_right_urls_and_safe_files(
    bulk: Bulk, replica: Replica, site: NeuroMorpho, tmp_path: Path
) -> None:
    names = ["a b", "a#b", "a+b", "it's", "a/b", "..", "x" * 300, "Twin", "twin", "TWIN", "naïve", "100%", "a?b"]
    for number, name in enumerate(names, start=101):
        site.add(made_up_record(number, name, f"Lab {name[:20]}"), made_up_swc(number))
    out = bulk(query="neuron_id:[101 TO 200]")
    metadata = rows(out / "metadata.jsonl")
    assert [row["neuron_name"] for row in metadata] == names
    for row in metadata:
        assert (out / row["swc"]).read_bytes() == made_up_swc(row["neuron_id"])
    files = [path.name for path in (out / "swc").iterdir()]
    assert len({name.casefold() for name in files}) == len(names)
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*.swc")} == {"out"}
    assert [row["swc"] for row in metadata[7:10]] == [
        "swc/Twin.CNG.swc",
        "swc/twin.109.CNG.swc",
        "swc/TWIN.110.CNG.swc",
    ]
    records = load_records(out / "metadata.jsonl", "neuromorpho")
    assert sorted(record.swc for record in records) == sorted(files)


def test_what_the_reader_rejects_is_kept_and_the_status_says_so(bulk: Bulk, site: NeuroMorpho) -> None:
    two_somata = b"1 1 0 0 0 5 -1\n2 3 0 9 0 1 1\n3 1 500 0 0 5 -1\n4 3 500 9 0 1 3\n"
    site.files[site.file_path(site.records[8])] = two_somata
    out = bulk()
    assert (status(out)[8]["ok"], status(out)[8]["reader"]) == (True, "multiple_somata")
    assert (out / "swc" / "cell-00008.CNG.swc").read_bytes() == two_somata


def test_the_citations_are_those_of_the_neurons_whose_files_are_there(bulk: Bulk, site: NeuroMorpho) -> None:
    for number in range(3, 61, 4):
        del site.files[site.file_path(site.records[number])]
    lines = (bulk() / "citations.csv").read_text("utf-8").splitlines()
    assert not any("10.1234/made.up.3" in line for line in lines)
    assert sum("10.1234/made.up.1" in line for line in lines) == 1
    assert "10.1096/fba.2024-00048" in lines[1]


def test_when_every_file_is_missing_the_command_fails_in_one_line(
    bulk: Bulk, site: NeuroMorpho, capsys: pytest.CaptureFixture[str]
) -> None:
    site.files.clear()
    bulk(code=2)
    error = capsys.readouterr().err.splitlines()[-1]
    assert "60 not_found" in error
    assert "--base-url" in error


def test_a_log_has_a_line_per_tenth_and_a_summary(bulk: Bulk, capsys: pytest.CaptureFixture[str]) -> None:
    bulk("--fetch-morphometry")
    lines = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("files: ") for line in lines) == 10
    assert any("files of 60 of 60 neurons" in line for line in lines)


def test_the_catalog_gets_the_neurons_of_the_present_selection(
    replica: Replica, site: NeuroMorpho, tmp_path: Path
) -> None:
    site.add(made_up_record(70, "rat-1", "Other", "rat"), made_up_swc(70))
    del site.files[site.file_path(site.records[2])]
    settings = NeuroMorphoSettings(query="species:mouse,rat", rate=0)
    found = find_neuromorpho_neurons(settings, tmp_path / "download")
    assert {neuron.record.neuron_id for neuron in found} == {f"neuromorpho:{n}" for n in (1, *range(3, 61), 70)}
    assert all(neuron.path.is_file() for neuron in found)
    rats = find_neuromorpho_neurons(NeuroMorphoSettings(query="species:rat", rate=0), tmp_path / "download")
    assert [neuron.record.neuron_id for neuron in rats] == ["neuromorpho:70"]


def test_one_bad_neuron_among_many_is_a_row_and_not_the_end(bulk: Bulk, replica: Replica) -> None:
    replica.faults.append(Fault("500", match="cell-00030", times=None, retry_after=""))
    out = bulk("--retries", "2")
    assert (status(out)[30]["reason"], status(out)[30]["attempts"]) == ("http_500", 3)
    assert sum(row["ok"] for row in status(out).values()) == 59
