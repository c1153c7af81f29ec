from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from axonet.core.errors import UserError
from axonet.datasets.manifest import MANIFEST_SCHEMA, parquet_beside, read_manifest, write_manifest
from tests.unit.datasets.view_examples import view_row


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "manifest_train.jsonl"
    write_manifest(path, [view_row("a", 0), view_row("a", 1), view_row("b", 0)])
    return path


def test_json_lines_and_parquet_hold_the_same_rows(manifest: Path) -> None:
    from_parquet = read_manifest(parquet_beside(manifest))
    parquet_beside(manifest).unlink()
    assert read_manifest(manifest).equals(from_parquet)
    assert from_parquet.schema.equals(MANIFEST_SCHEMA)


def test_a_line_begins_with_the_fields_that_every_reader_needs(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    write_manifest(path, [{**view_row("a", 0), "mask_bw": "w", "mask": "m", "depth": "d"}])
    assert list(json.loads(path.read_text()))[:6] == ["swc", "mask_bw", "mask", "depth", "direction", "qc"]


def test_edited_json_lines_count_more_than_the_parquet_beside(manifest: Path) -> None:
    manifest.write_text("".join(manifest.read_text().splitlines(keepends=True)[:1]))
    assert len(read_manifest(manifest)) == 1


def test_an_empty_manifest_is_a_manifest(tmp_path: Path) -> None:
    write_manifest(tmp_path / "m.jsonl", [])
    assert len(read_manifest(tmp_path / "m.jsonl")) == 0


def test_a_row_without_a_neuron_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"swc": "a.swc", "neuron": "a", "neuron_id": "a", "view": 0}\n{"swc": "b.swc", "view": 1}\n')
    with pytest.raises(UserError, match=r"row 2: missing neuron, neuron_id"):
        read_manifest(path)


def test_a_value_of_the_wrong_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"swc": "a.swc", "neuron": "a", "neuron_id": "a", "view": "first"}\n')
    with pytest.raises(UserError, match=r"row 1, view"):
        read_manifest(path)


def test_a_missing_manifest_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_manifest(tmp_path / "nothing.jsonl")


def test_neuron_and_view_are_read_off_the_paths_of_the_images(tmp_path: Path) -> None:
    row = {"swc": "x/a.swc", "mask_bw": None, "mask": "images/a b/view_07_mask.png", "depth": "d", "qc": 1.0}
    (tmp_path / "m.jsonl").write_text(json.dumps(row) + "\n")
    table = read_manifest(tmp_path / "m.jsonl")
    assert table.select(["neuron", "neuron_id", "view"]).to_pylist() == [
        {"neuron": "a b", "neuron_id": "a b", "view": 7}
    ]
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "other.parquet")
    assert read_manifest(tmp_path / "other.parquet").equals(table)


def test_a_path_that_tells_no_neuron_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text(json.dumps({"swc": "a.swc", "mask": "a_mask.png"}) + "\n")
    with pytest.raises(UserError, match=r"row 1: missing neuron, neuron_id, view; 'a_mask\.png' does not tell it"):
        read_manifest(tmp_path / "m.jsonl")
