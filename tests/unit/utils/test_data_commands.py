from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from axonet.core.config import parse_command, to_flags
from axonet.core.files import read_json, read_table, write_jsonl
from axonet.datasets.splits import SplitSettings, assignments_digest, planned_digest, read_splits
from axonet.morphology.morphometrics import MORPHOMETRICS
from axonet.morphology.swc import read_swc
from axonet.sources.settings import AcquireSettings, DemoSettings, FolderSettings
from axonet.utils import acquire, measure, split

TREE = "1 1 0 0 0 5 -1\n2 3 20 0 0 1 1\n3 3 40 {fork} 3 0.8 2\n4 3 40 -15 -4 0.8 2\n5 2 0 -30 2 0.5 1\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with twelve neurons of four donors, and a file that is none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "swc").mkdir()
    for number in range(12):
        (tmp_path / "swc" / f"n{number:02d}.swc").write_text(TREE.format(fork=12 + 2 * number))
    (tmp_path / "swc" / "empty.swc").write_text("")
    rows = [{"id": i, "swc": f"n{i:02d}.swc", "donor": f"m{i % 4}", "archive": "lab"} for i in range(12)]
    write_jsonl(tmp_path / "metadata.jsonl", rows)
    return tmp_path


def run_acquire(*flags: str) -> int:
    folder = ["--folder.swc-dir", "swc", "--folder.metadata", "metadata.jsonl"]
    paths = ["--catalog", "catalog.parquet", "--index", "index.json"]
    return acquire.main(["--sources", "folder", *folder, "--shard-bits", "1", *paths, *flags])


def test_the_shards_of_a_catalog_together_are_the_folder(project: Path) -> None:
    assert run_acquire() == 0
    shards = [f"{shard['shard']}-{shard['digest']}" for shard in read_json(project / "index.json")["shards"]]
    rows = []
    for shard in shards:
        out = project / "measure" / f"{shard}.parquet"
        assert measure.main(["--catalog", "catalog.parquet", "--catalog-shard", shard, "--out", str(out)]) == 0
        rows += read_table(out).to_pylist()
    assert measure.main(["--swc-dir", "swc", "--out", "all.parquet", "-j", "2"]) == 0
    table = read_table(project / "all.parquet").to_pylist()
    by_file = {row["swc"]: row for row in rows}
    assert sorted(by_file) == sorted(row["swc"] for row in table)
    for row in table:
        same = by_file[row["swc"]]
        assert same["neuron_id"] == f"folder:{row['neuron_id']}"
        for name in MORPHOMETRICS:
            np.testing.assert_equal(same[name], row[name])


def test_the_table_holds_the_morphometrics_of_each_neuron(project: Path) -> None:
    assert measure.main(["--swc-dir", "swc", "--out", "all.parquet"]) == 0
    rows = {row["neuron_id"]: row for row in read_table(project / "all.parquet").to_pylist()}
    neuron = read_swc(project / "swc" / "n03.swc")
    for name, value in neuron.morphometrics().items():
        np.testing.assert_equal(rows["n03"][name], value)
    assert rows["n03"]["status"] == "ok"
    assert rows["n03"]["n_nodes"] == 5
    assert rows["n03"]["warnings"] == list(neuron.warnings)
    assert rows["empty"]["status"] == "empty_file"
    assert all(np.isnan(rows["empty"][name]) for name in MORPHOMETRICS if name != "n_nodes")


@pytest.mark.parametrize("scheme", ["neuron", "donor", "lab"])
def test_the_planned_digest_is_that_of_the_file_that_is_written(project: Path, scheme: str) -> None:
    assert run_acquire() == 0
    settings = SplitSettings(split_by=scheme, val_ratio=0.3, test_ratio=0.3)  # type: ignore[arg-type]
    out = project / "splits.parquet"
    flags = ["--catalog", "catalog.parquet", "--out", str(out), "--split-by", scheme]
    flags += ["--val-ratio", "0.3", "--test-ratio", "0.3"]
    planned = planned_digest("catalog.parquet", [out], settings)
    assert split.main(flags) == 0
    assert planned == assignments_digest(read_splits(out)) == planned_digest("catalog.parquet", [out], settings)
    before = {row["neuron_id"]: row["split"] for row in read_splits(out).to_pylist()}
    for number in range(20, 26):
        (project / "swc" / f"n{number}.swc").write_text(TREE.format(fork=12 + 2 * number))
    (project / "swc" / "n05.swc").unlink()
    assert run_acquire() == 0
    planned = planned_digest("catalog.parquet", [out], settings)
    assert split.main(flags) == 0
    assert planned == planned_digest("catalog.parquet", [out], settings)
    after = {row["neuron_id"]: row["split"] for row in read_splits(out).to_pylist()}
    assert before.items() <= after.items()
    assert len(after) == 19


def test_donors_are_kept_together(project: Path) -> None:
    assert run_acquire() == 0
    assert split.main(["--catalog", "catalog.parquet", "--out", "s.parquet", "--split-by", "donor"]) == 0
    groups = {row["neuron_id"]: row["group"] for row in read_splits("s.parquet").to_pylist()}
    assert groups["folder:n00"] == groups["folder:n04"] == groups["folder:n08"] == "folder:n00"
    assert len(set(groups.values())) == 5


def test_other_settings_do_not_change_a_split_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_acquire() == 0
    assert split.main(["--catalog", "catalog.parquet", "--out", "s.parquet"]) == 0
    assert split.main(["--catalog", "catalog.parquet", "--out", "s.parquet", "--val-ratio", "0.5"]) == 2
    assert "val_ratio 0.0, now 0.5" in capsys.readouterr().err


def test_a_source_that_is_not_there_is_one_clear_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert acquire.main(["--sources", "folder", "--folder.swc-dir", "nowhere"]) == 2
    assert acquire.main(["--sources", "neuromorpho"]) == 2
    assert acquire.main(["--sources", "folder"]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert len(errors) == 3
    assert "no such folder of SWC files" in errors[0]
    assert "neuromorpho.query" in errors[1]
    assert "folder.swc_dir" in errors[2]


def test_a_neuron_is_described_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_acquire() == 0
    first = (project / "catalog.parquet").read_bytes()
    monkeypatch.setattr("axonet.sources.found.describe_file", lambda path: pytest.fail(f"{path} was parsed again"))
    assert run_acquire() == 0
    assert (project / "catalog.parquet").read_bytes() == first


def test_the_flags_of_a_configuration_say_the_same(project: Path) -> None:
    settings = AcquireSettings(
        sources=["folder", "demo"],
        shard_bits=0,
        snapshot="again",
        demo=DemoSettings(full=True),
        folder=FolderSettings(swc_dir=Path("swc"), metadata=Path("metadata.jsonl")),
    )
    parsed = parse_command(acquire.AcquireConfig, to_flags(settings))
    assert {name: getattr(parsed, name) for name in AcquireSettings.model_fields} == dict(settings)
