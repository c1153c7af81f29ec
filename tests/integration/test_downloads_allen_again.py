"""Further runs for the cells of the Allen Institute: lost databases, odd rows, cells that left the list."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from axonet.sources.ledger import FILE_NAME
from axonet.utils import allen_bulk
from tests.fakes.allen import Allen, made_up_specimen
from tests.fakes.folders import stable_files, strict_rows
from tests.fakes.server import Replica

QUICK = ["--rate", "0", "--backoff", "0.01", "--timeout", "2", "--retries", "1"]


@pytest.fixture
def allen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replica]:
    site = Allen.made_up()
    with Replica(site) as one:
        for name in ("AXONET_ALLEN_URL", "AXONET_BIL_URL"):
            monkeypatch.setenv(name, one.url)
        monkeypatch.setenv("NO_PROXY", "*")
        monkeypatch.setenv("AXONET_CACHE", str(site.write_package(tmp_path / "cache")))
        yield one


def allen_bulk_main(out: Path, *flags: str) -> int:
    return allen_bulk.main(["--out", str(out), *QUICK, *flags])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"specimen__id": "x12"}, "bad_id"),
        ({"nrwkf__id": "none"}, "bad_file_id"),
        ({"csl__x": float("nan")}, "not_a_number"),
        ({"donor__name": "\udc00"}, "bad_text"),
        ({"specimen__id": 2**70}, "bad_id"),
    ],
)
def test_an_odd_row_of_the_cell_types_database_is_counted_and_the_others_are_downloaded(
    changes: dict[str, Any], reason: str, allen: Replica, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = allen.app
    assert isinstance(site, Allen)
    site.specimens.append(made_up_specimen(399_999, file_id=9_999) | changes)
    out = tmp_path / "out"
    assert allen_bulk_main(out, "--include-metadata") == 0
    assert f"records of no use, left out: 1 {reason}" in capsys.readouterr().err
    assert len(strict_rows(out / "metadata.jsonl")) == len(strict_rows(out / "records.jsonl")) == 12


@pytest.mark.parametrize("flags", [["--include-metadata"], []])
def test_a_lost_database_of_cells_costs_no_request_where_the_status_knows_the_files(
    flags: list[str], allen: Replica, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert allen_bulk_main(out, *flags) == 0
    before = stable_files(out)
    (out / FILE_NAME).unlink()
    allen.log.clear()
    assert allen_bulk_main(out, *flags) == 0
    assert [entry.path for entry in allen.log] == ["/api/v2/data/query.json"]
    assert stable_files(out) == before


def test_without_database_and_status_a_file_of_another_form_is_never_adopted(allen: Replica, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert allen_bulk_main(out, "--include-metadata", "--reconstruction", "raw") == 0
    for name in (FILE_NAME, "status.jsonl"):
        (out / name).unlink()
    assert allen_bulk_main(out, "--include-metadata") == 0
    assert allen_bulk_main(tmp_path / "fresh", "--include-metadata") == 0
    assert stable_files(out) == stable_files(tmp_path / "fresh")


def test_a_cell_that_left_the_list_is_told_and_not_cited(
    allen: Replica, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = allen.app
    assert isinstance(site, Allen)
    assert allen_bulk_main(tmp_path / "out") == 0
    site.specimens = [row for row in site.specimens if row["specimen__id"] != 300_002]
    assert allen_bulk_main(tmp_path / "out", "--refresh") == 0
    assert "1 neurons are not on the server's list any more" in capsys.readouterr().err
    with (tmp_path / "out" / "citations.csv").open(encoding="utf-8", newline="") as file:
        assert {row["doi"]: row["n_neurons"] for row in csv.DictReader(file)}["10.1038/s41593-019-0417-0"] == "5"


def test_a_missing_folder_of_tables_is_noticed_before_any_request(
    allen: Replica, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for flags in (["--count-only"], []):
        assert allen_bulk_main(tmp_path / "out", "--tables", str(tmp_path / "nowhere"), *flags) == 2
        assert "--tables" in capsys.readouterr().err
    assert not allen.log
    assert not (tmp_path / "out").exists()
