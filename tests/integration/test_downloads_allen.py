"""Downloads from the Allen Institute against the replica."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from axonet.metadata.adapters import load_records
from axonet.sources.allen.settings import AllenSettings
from axonet.sources.downloaded import find_allen_neurons
from axonet.utils.allen_bulk import main
from tests.fakes.allen import FOLDERS, Allen
from tests.fakes.folders import rows, stable_files, status
from tests.fakes.neurons import made_up_swc
from tests.fakes.server import Fault, Replica

QUICK = ["--rate", "0", "--backoff", "0.01", "--timeout", "0.5", "--retries", "2"]
DATABASE = [300_000 + number for number in range(6)]
MOUSE = [601_000 + number for number in range(4)]
HUMAN = [541_000, 541_001]
Bulk = Callable[..., Path]


@pytest.fixture
def site() -> Allen:
    return Allen.made_up()


@pytest.fixture
def replica(site: Allen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replica]:
    with Replica(site) as one:
        for name in ("AXONET_ALLEN_URL", "AXONET_BIL_URL"):
            monkeypatch.setenv(name, one.url)
        monkeypatch.setenv("NO_PROXY", "*")
        monkeypatch.setenv("AXONET_CACHE", str(site.write_package(tmp_path / "cache")))
        yield one


@pytest.fixture
def bulk(replica: Replica, tmp_path: Path) -> Bulk:
    def run(*flags: str, out: str = "out", code: int = 0) -> Path:
        assert main(["--out", str(tmp_path / out), *QUICK, *flags]) == code
        return tmp_path / out

    return run


def test_every_cell_is_there_once_with_its_file_and_metadata(bulk: Bulk) -> None:
    out = bulk("--include-metadata")
    cells = sorted([*DATABASE, *MOUSE, *HUMAN])
    assert [int(row["id"]) for row in rows(out / "metadata.jsonl")] == cells
    assert [int(row["id"]) for row in rows(out / "records.jsonl")] == cells
    for cell in cells:
        number = cell if cell in DATABASE else cell + 500_000
        assert (out / "swc" / f"{cell}.swc").read_bytes() == made_up_swc(number)
    records = load_records(out / "metadata.jsonl", "table")
    assert {record.neuron_id for record in records} == {f"allen:{cell}" for cell in cells}
    assert {record.species for record in records} == {"mouse", "human"}


def test_the_seeds_flag_without_metadata_writes_files_alone(bulk: Bulk) -> None:
    out = bulk()
    assert not (out / "metadata.jsonl").exists()
    assert len(list((out / "swc").iterdir())) == 12


def test_raw_and_transformed_files_are_never_mixed(bulk: Bulk, replica: Replica) -> None:
    bulk()
    assert not replica.paths("_raw.swc")
    replica.log.clear()
    out = bulk("--reconstruction", "raw")
    assert len(replica.paths("_raw.swc")) == 6
    assert not replica.paths("_transformed.swc")
    assert len(list((out / "swc").iterdir())) == 12
    assert all((out / "swc" / f"{cell}.swc").read_bytes() == made_up_swc(cell) for cell in [*MOUSE, *HUMAN])


def test_markers_are_never_asked_for(bulk: Bulk, replica: Replica) -> None:
    bulk()
    assert not replica.paths(".marker")


def test_a_rerun_asks_for_the_cells_and_for_no_file(bulk: Bulk, replica: Replica) -> None:
    before = stable_files(bulk("--include-metadata"))
    replica.log.clear()
    assert stable_files(bulk("--include-metadata")) == before
    assert [entry.path for entry in replica.log] == ["/api/v2/data/query.json"]


@pytest.mark.parametrize("dataset", [["cell-types"], ["patch-seq-mouse"], ["patch-seq-human", "cell-types"]])
def test_data_sets_can_be_chosen(dataset: list[str], bulk: Bulk) -> None:
    cells = {"cell-types": DATABASE, "patch-seq-mouse": MOUSE, "patch-seq-human": HUMAN}
    out = bulk("--include-metadata", *(word for name in dataset for word in ("--dataset", name)))
    expected = sorted(cell for name in dataset for cell in cells[name])
    assert [int(row["id"]) for row in rows(out / "metadata.jsonl")] == expected


def test_more_cells_than_a_page_holds_are_all_listed(bulk: Bulk, site: Allen, replica: Replica) -> None:
    from tests.fakes.allen import made_up_specimen

    for number in range(1100):
        site.add_specimen(made_up_specimen(400_000 + number))
    out = bulk("--include-metadata", "--dataset", "cell-types")
    assert [int(row["id"]) for row in rows(out / "metadata.jsonl")] == DATABASE
    assert len(replica.paths("query.json")) == 3


def test_a_file_that_is_not_the_manifests_is_refused(bulk: Bulk, replica: Replica) -> None:
    replica.faults.append(Fault("other_bytes", match="601001_transformed", times=None))
    out = bulk()
    row = status(out)[601_001]
    assert (row["ok"], row["reason"], row["attempts"]) == (False, "wrong_checksum", 2)
    assert not (out / "swc" / "601001.swc").exists()


@pytest.mark.parametrize("kind", ["503", "429", "reset", "timeout", "cut", "html", "empty"])
@pytest.mark.parametrize("where", ["query.json", "download/9001", "601002_transformed"])
def test_a_fault_that_passes_leaves_no_trace(kind: str, where: str, bulk: Bulk, replica: Replica) -> None:
    before = stable_files(bulk("--include-metadata", out="undisturbed"))
    replica.faults.append(Fault(kind, match=where, seconds=0.7, retry_after=""))
    assert stable_files(bulk("--include-metadata")) == before


def test_tables_without_a_manifest_are_completed_by_the_servers_directory(
    bulk: Bulk, replica: Replica, site: Allen, tmp_path: Path
) -> None:
    before = stable_files(bulk("--include-metadata", out="manifest"))
    folder = site.write_tables(tmp_path / "tables")
    for path in folder.glob("*manifest*"):
        path.unlink()
    replica.log.clear()
    assert stable_files(bulk("--include-metadata", "--tables", str(folder))) == before
    assert sorted(replica.paths("/200526/")[:2]) == sorted(f"/{folder}/" for folder in FOLDERS.values())


def test_the_publications_are_counted_by_what_is_there(bulk: Bulk) -> None:
    with (bulk() / "citations.csv").open(encoding="utf-8", newline="") as file:
        counts = {row["doi"]: int(row["n_neurons"]) for row in csv.DictReader(file)}
    assert counts == {"10.1038/s41593-019-0417-0": 6, "10.1016/j.cell.2020.09.057": 4, "10.1038/s41586-021-03813-8": 2}


def test_an_error_that_comes_with_status_200_is_one_line(
    bulk: Bulk, site: Allen, capsys: pytest.CaptureFixture[str]
) -> None:
    site.says_error = "You have an error in your SQL syntax"
    bulk(code=2)
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ")
    assert "You have an error in your SQL syntax" in line


def test_missing_tables_are_one_line_that_names_the_flags(
    bulk: Bulk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bulk("--tables", str(tmp_path / "nowhere"), code=2)
    assert "--tables" in capsys.readouterr().err.splitlines()[-1]


def test_counting_prints_a_number_and_writes_nothing(bulk: Bulk, capsys: pytest.CaptureFixture[str]) -> None:
    out = bulk("--count-only")
    assert capsys.readouterr().out == "12\n"
    assert not out.exists()


def test_a_deleted_database_costs_no_request_for_a_file(bulk: Bulk, replica: Replica) -> None:
    out = bulk("--include-metadata")
    before = stable_files(out)
    (out / ".download.sqlite").unlink()
    replica.log.clear()
    assert stable_files(bulk("--include-metadata")) == before
    assert len(replica.log) == 1


def test_the_catalog_gets_the_cells(replica: Replica, tmp_path: Path) -> None:
    found = find_allen_neurons(AllenSettings(rate=0), tmp_path / "download")
    assert [neuron.record.neuron_id for neuron in found] == [
        f"allen:{cell}" for cell in sorted([*DATABASE, *MOUSE, *HUMAN])
    ]
    assert all(neuron.path.is_file() for neuron in found)
