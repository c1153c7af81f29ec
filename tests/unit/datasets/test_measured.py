"""Measurements of the neurons that a manifest names."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from axonet.core.files import read_table
from axonet.datasets.manifest import MANIFEST_SCHEMA
from axonet.datasets.measured import measures_of
from axonet.datasets.view_store import ViewStore

CELL = "1 1 0 0 0 5 -1\n2 2 40 0 0 1 1\n3 2 {length} 8 3 1 2\n4 3 0 30 2 1 1\n5 3 20 70 5 1 4\n6 3 -25 60 -9 1 4\n"


def named(*paths: str) -> ViewStore:
    rows = [{"swc": path, "neuron": Path(path).stem, "neuron_id": Path(path).stem, "view": 0} for path in paths]
    return ViewStore(pa.Table.from_pylist(rows, MANIFEST_SCHEMA), None, None, None, 8)  # type: ignore[arg-type]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, length in (("a", 120), ("b", 240)):
        (tmp_path / "swc").mkdir(exist_ok=True)
        (tmp_path / "swc" / f"{name}.swc").write_text(CELL.format(length=length))
    (tmp_path / "rendered").mkdir()
    return tmp_path / "rendered"


def test_neurons_are_measured_once(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = measures_of(data, [named("a.swc"), named("b.swc")])
    assert first["b"]["cable_length"] > first["a"]["cable_length"] > 100
    assert "measuring 2 neurons" in capsys.readouterr().err
    for file in (data.parent / "swc").iterdir():
        file.unlink()
    again = measures_of(data, [named("a.swc"), named("b.swc")])
    assert again["b"]["cable_length"] == first["b"]["cable_length"]
    assert capsys.readouterr().err == ""


def test_what_the_generator_measured_stays(data: Path) -> None:
    measures_of(data, [named("a.swc")])
    before = read_table(data / "measure.parquet").to_pylist()
    after = measures_of(data, [named("a.swc", "b.swc")])
    assert set(after) == {"a", "b"}
    assert read_table(data / "measure.parquet").to_pylist()[0]["cable_length"] == before[0]["cable_length"]


@pytest.mark.parametrize("where", ["inside", "told"])
def test_swc_files_are_found_where_the_manifest_and_the_generator_say(data: Path, where: str) -> None:
    folder = data if where == "inside" else data.parent / "elsewhere"
    folder.mkdir(exist_ok=True)
    (folder / "c.swc").write_text(CELL.format(length=60))
    (data / "run.json").write_text(json.dumps({"settings": {"swc_dir": str(folder)} if where == "told" else {}}))
    assert measures_of(data, [named("c.swc")])["c"]["status"] == "ok"
    assert measures_of(data, [named(str(data.parent / "swc" / "a.swc"))])["a"]["status"] == "ok"


def test_files_that_are_not_found_and_that_hold_no_neuron_are_no_obstacle(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "broken.swc").write_text("no neuron")
    found = measures_of(data, [named("a.swc", "broken.swc", "gone.swc")])
    assert set(found) == {"a", "broken"}
    assert found["broken"]["status"] != "ok"
    assert "1 neurons have no measurements" in capsys.readouterr().err
    assert measures_of(data.parent / "nowhere", [named("gone.swc")]) == {}


def test_a_folder_that_cannot_be_written_to_is_no_obstacle(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("axonet.datasets.measured.write_table", refused)
    assert set(measures_of(data, [named("a.swc")])) == {"a"}
    assert "measured again next time" in capsys.readouterr().err
