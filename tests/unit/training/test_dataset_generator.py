from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from axonet.core.files import read_json, read_jsonl, read_table, sha256_file, write_jsonl
from axonet.core.input_spec import InputSpec
from axonet.datasets import png_jobs
from axonet.datasets.view_store import ViewStore
from axonet.sources.catalog import index_of
from axonet.training.clip_trainer import ClipConfig
from axonet.training.dataset_generator import DatasetGeneratorConfig, main
from tests.unit.training.tiny_datasets import SMALL, TREE, tree

N_VIEWS = 4

Tree = dict[str, bytes]
Generate = Callable[..., int]


@pytest.fixture
def swc_dir(tmp_path: Path) -> Path:
    """Six neurons, a soma alone and a web page."""
    folder = tmp_path / "swc"
    folder.mkdir()
    for number in range(6):
        name = "neuron_000.CNG.swc" if number == 0 else f"neuron_{number:03d}.swc"
        (folder / name).write_text(TREE.format(fork=12 + 2 * number))
    (folder / "soma.swc").write_text("1 1 0 0 0 5 -1\n")
    (folder / "page.swc").write_text("<html><body>not found</body></html>\n")
    return folder


@pytest.fixture
def generate(swc_dir: Path, tmp_path: Path) -> Generate:
    def run(*flags: str, out: str = "data") -> int:
        return main(["--swc-dir", str(swc_dir), "--out", str(tmp_path / out), *SMALL, *flags])

    return run


def test_the_tree_and_the_manifest_are_those_of_the_guide(generate: Generate, tmp_path: Path) -> None:
    assert generate("--val-ratio", "0.3") == 0
    data = tmp_path / "data"
    assert sorted(path.name for path in data.iterdir() if not path.name.startswith(".")) == [
        *("dataset.json", "images", "manifest_train.jsonl", "manifest_train.parquet", "manifest_val.jsonl"),
        *("manifest_val.parquet", "measure.parquet", "qc.csv", "qc.jsonl", "quality.html", "run.json"),
        "splits.parquet",
    ]
    rows = [row for split in ("train", "val") for row in read_jsonl(data / f"manifest_{split}.jsonl")]
    assert {row["neuron"] for row in rows} == {f"neuron_{number:03d}" for number in range(6)}
    row = next(row for row in rows if row["neuron"] == "neuron_000" and row["view"] == 0)
    assert row["swc"] == "neuron_000.CNG.swc"
    for kind in ("mask_bw", "mask", "mask_color", "depth"):
        assert row[kind] == f"images/neuron_000/view_00_{kind}.png"
    images = {kind: np.asarray(Image.open(data / row[kind])) for kind in ("mask_bw", "mask", "depth")}
    assert {image.shape for image in images.values()} == {(24, 32)}
    assert set(np.unique(images["mask"])) <= set(range(6))
    assert (images["mask_bw"] == np.where(images["mask"] > 0, 255, 0)).all()
    assert ((images["depth"] > 0) == (images["mask"] > 0)).all()
    assert np.linalg.norm(row["direction"]) == pytest.approx(1)
    assert 0.7 <= row["qc"] <= 1
    shares = np.bincount(images["mask"].ravel(), minlength=6)[1:] / (images["mask"] > 0).sum()
    assert row["class_fractions"][1:] == pytest.approx(shares)
    assert len(list((data / "images" / "neuron_000").iterdir())) == 4 * N_VIEWS


def test_what_is_written_opens_as_a_store(generate: Generate, tmp_path: Path) -> None:
    assert generate("--depth-bits", "16", "--zoom-um", "40", "--margin", "0.2", "--seed", "7") == 0
    data = tmp_path / "data"
    store = ViewStore.from_manifest(data, data / "manifest_train.jsonl")
    assert len(store) == 6 * N_VIEWS
    mask, depth, zoom = store.read(0)
    assert mask.shape == depth.shape == (24, 32)
    assert depth.dtype == np.uint16
    assert zoom is not None
    assert set(np.unique(zoom)) == {0, 255}
    assert store.spec == InputSpec(
        width=32, height=24, supersample_factor=1, margin=0.2, canonical_views=2, biased_views=1, random_views=1,
        view_seed=7, zoom_um=40,
    )  # fmt: skip


def test_a_row_says_where_every_node_is_seen(generate: Generate, swc_dir: Path, tmp_path: Path) -> None:
    assert generate("--width", "96", "--height", "64", "--adaptive-framing", "--depth-bits", "16") == 0
    data = tmp_path / "data"
    for row in read_jsonl(data / "manifest_train.jsonl"):
        nodes = np.loadtxt(swc_dir / row["swc"])
        right, up, forward = np.reshape(row["basis"], (3, 3))
        assert forward == pytest.approx(row["direction"])
        assert np.cross(right, up) == pytest.approx(-forward) or np.cross(right, up) == pytest.approx(forward)
        away = nodes[:, 2:5] - row["center"]
        column = np.floor(away @ right / row["um_per_px"] + row["width"] / 2).astype(int)
        line = np.floor(-away @ up / row["um_per_px"] + row["height"] / 2).astype(int)
        mask, depth = (np.pad(np.asarray(Image.open(data / row[kind])), 1) for kind in ("mask", "depth"))
        for node, i, j, z in zip(nodes, line, column, away @ forward, strict=True):
            around = np.s_[i : i + 3, j : j + 3]  # of the padded image: the node's pixel and its neighbors
            assert mask[around].any()
            assert row["near_um"] <= z <= row["far_um"]
            # What is seen there is the node's own surface or lies before it.
            seen = row["near_um"] + (depth[around][depth[around] > 0].astype(float) - 1) / 65534 * (
                row["far_um"] - row["near_um"]
            )
            assert seen.min() <= z + node[5] + 2 * row["um_per_px"]


def test_every_file_has_a_row_with_a_reason(
    generate: Generate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate() == 0
    status = {row["swc"]: row["status"] for row in read_jsonl(tmp_path / "data" / "qc.jsonl")}
    assert status.pop("page.swc") == "html_page"
    assert status.pop("soma.swc") == "no_neurites"
    assert set(status.values()) == {"ok"}
    assert len(status) == 6
    assert "6 of 8 neurons rendered, 24 views" in capsys.readouterr().err
    assert (tmp_path / "data" / "qc.csv").read_text().count("\n") == 9
    measures = read_table(tmp_path / "data" / "measure.parquet")
    measured = dict(zip(measures["swc"].to_pylist(), measures["status"].to_pylist(), strict=True))
    assert measured["page.swc"] == "html_page"
    assert measured["neuron_001.swc"] == "ok"


@pytest.mark.parametrize("layout", ["png", "shards"])
def test_the_bytes_do_not_depend_on_the_number_of_jobs(generate: Generate, tmp_path: Path, layout: str) -> None:
    flags = ["--layout", layout, "--val-ratio", "0.3"]
    assert generate(*flags, out="one") == 0
    assert generate(*flags, "-j", "2", out="two") == 0
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_both_layouts_hold_the_same_views(generate: Generate, tmp_path: Path) -> None:
    assert generate(out="png") == 0
    assert generate("--layout", "shards", "--shard-bits", "1", out="packed") == 0
    stores = [ViewStore.from_manifest(tmp_path / n, tmp_path / n / "manifest_train.jsonl") for n in ("png", "packed")]
    paths = ["mask_bw", "mask", "mask_color", "depth", "shard"]
    assert stores[0].rows.drop_columns(paths).equals(stores[1].rows.drop_columns(paths))
    for index in range(len(stores[0])):
        for one, other in zip(stores[0].read(index)[:2], stores[1].read(index)[:2], strict=True):
            assert (one == other).all()


def test_a_killed_run_goes_on_to_the_same_result(
    generate: Generate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert generate("--val-ratio", "0.3", out="whole") == 0
    render, calls = png_jobs.render_entry, []

    def killed(entry: Any, settings: Any) -> Any:
        calls.append(entry.name)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return render(entry, settings)

    monkeypatch.setattr(png_jobs, "render_entry", killed)
    assert generate("--val-ratio", "0.3", out="killed") == 130
    monkeypatch.setattr(png_jobs, "render_entry", lambda *a: (calls.append(a[0].name), render(*a))[1])
    calls.clear()
    assert generate("--val-ratio", "0.3", out="killed") == 0
    assert len(calls) == 5
    assert tree(tmp_path / "killed") == tree(tmp_path / "whole")


def test_only_what_is_new_changed_or_damaged_is_rendered_again(
    generate: Generate, swc_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert generate() == 0
    before = {row["neuron_id"]: row["split"] for row in read_table(tmp_path / "data" / "splits.parquet").to_pylist()}
    (swc_dir / "newcomer.swc").write_text(TREE.format(fork=50))
    (swc_dir / "neuron_001.swc").write_text(TREE.format(fork=51))
    (tmp_path / "data" / "images" / "neuron_002" / "view_01_mask.png").unlink()
    (tmp_path / "data" / ".finished" / "neuron_003.json.gz").write_bytes(b"{")
    render, calls = png_jobs.render_entry, []
    monkeypatch.setattr(png_jobs, "render_entry", lambda *a: (calls.append(a[0].name), render(*a))[1])
    assert generate() == 0
    assert calls == ["neuron_001", "neuron_002", "neuron_003", "newcomer"]
    after = {row["neuron_id"]: row["split"] for row in read_table(tmp_path / "data" / "splits.parquet").to_pylist()}
    assert before.items() <= after.items()


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n"])
def test_empty_and_cut_images_are_rendered_again(generate: Generate, tmp_path: Path, content: bytes) -> None:
    assert generate() == 0
    before = tree(tmp_path / "data")
    (tmp_path / "data" / "images" / "neuron_002" / "view_01_mask.png").write_bytes(content)
    assert generate() == 0
    assert tree(tmp_path / "data") == before


@pytest.mark.parametrize("layout", ["png", "shards"])
def test_a_file_that_cannot_be_read_is_a_row_with_a_reason(
    generate: Generate, swc_dir: Path, tmp_path: Path, layout: str
) -> None:
    target = tmp_path / "away.swc"
    (swc_dir / "link.swc").symlink_to(target)
    assert generate("--layout", layout) == 0
    row = next(row for row in read_jsonl(tmp_path / "data" / "qc.jsonl") if row["swc"] == "link.swc")
    assert (row["status"], row["detail"]) == ("unreadable_file", "link.swc: cannot be read (No such file or directory)")
    target.write_text(TREE.format(fork=70))
    assert generate("--layout", layout) == 0
    assert {row["status"] for row in read_jsonl(tmp_path / "data" / "qc.jsonl") if row["swc"] == "link.swc"} == {"ok"}


def test_a_new_division_leaves_no_manifest_of_the_former_one(generate: Generate, tmp_path: Path) -> None:
    assert generate("--test-ratio", "0.4") == 0
    data = tmp_path / "data"
    assert (data / "manifest_test.jsonl").is_file()
    (data / "splits.parquet").unlink()
    assert generate("--val-ratio", "0.3") == 0
    assert sorted(path.name for path in data.glob("manifest_*")) == [
        f"manifest_{split}.{ending}" for split in ("train", "val") for ending in ("jsonl", "parquet")
    ]
    shown = [{row["neuron_id"] for row in read_jsonl(path)} for path in sorted(data.glob("manifest_*.jsonl"))]
    assert not shown[0] & shown[1]


def test_a_division_that_does_not_fit_is_refused_before_anything_is_done(
    generate: Generate, swc_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert generate() == 0
    before = tree(tmp_path / "data")
    (swc_dir / "newcomer.swc").write_text(TREE.format(fork=50))
    monkeypatch.setattr(png_jobs, "render_entry", lambda *a: pytest.fail("rendered"))
    assert generate("--val-ratio", "0.5") == 2
    assert tree(tmp_path / "data") == before


def test_donors_of_files_with_one_name_are_told_apart_or_refused(
    generate: Generate, swc_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, name in enumerate("ab"):
        (swc_dir / name).mkdir()
        (swc_dir / name / "cell.swc").write_text(TREE.format(fork=60 + 30 * number))
    rows = [{"id": i, "swc": f"neuron_{i:03d}.swc", "donor": f"m{i}"} for i in range(1, 3)]
    cells = [{"id": 10, "swc": "a/cell.swc", "donor": "m1"}, {"id": 11, "swc": "b/cell.swc", "donor": "m2"}]
    write_jsonl(tmp_path / "metadata.jsonl", [*rows, *cells])
    flags = ["--metadata", str(tmp_path / "metadata.jsonl"), "--source", "table", "--split-by", "donor"]
    assert generate(*flags) == 0
    table = read_table(tmp_path / "data" / "splits.parquet").to_pylist()
    group = {row["neuron_id"]: row["group"] for row in table}
    swc = read_table(tmp_path / "data" / "measure.parquet", ["neuron_id", "swc"]).to_pylist()
    name = {row["swc"]: row["neuron_id"] for row in swc}
    assert group[name["a/cell.swc"]] == group["neuron_001"] != group["neuron_002"] == group[name["b/cell.swc"]]
    write_jsonl(tmp_path / "metadata.jsonl", [*rows, {"id": 10, "swc": "cell.swc", "donor": "m1"}])
    capsys.readouterr()
    assert generate(*flags, out="other") == 2
    assert "2 SWC files have no row that is surely theirs" in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_one_clear_line(
    generate: Generate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    assert generate(out="file") == 2
    message = "error: {}: cannot be made a folder ({}); give --out another place\n"
    assert capsys.readouterr().err == message.format(tmp_path / "file", "File exists")
    assert (tmp_path / "file").read_text() == "mine"
    assert generate(out="file/below") == 2
    assert capsys.readouterr().err == message.format(tmp_path / "file" / "below", "Not a directory")

    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device", "view.png")

    monkeypatch.setattr(png_jobs, "write_png_views", full)
    assert generate() == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == "error: view.png: No space left on device; make room, then run again"
    monkeypatch.setenv("AXONET_DEBUG", "1")
    with pytest.raises(OSError, match="No space left"):
        generate()


def test_the_dialect_of_metadata_is_that_of_the_other_commands() -> None:
    defaults = {model.model_fields["source"].default for model in (DatasetGeneratorConfig, ClipConfig)}
    assert defaults == {"neuromorpho"}


def test_a_folder_holds_views_of_one_setting(generate: Generate, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate() == 0
    assert generate("--no-cache", "--backend", "cpu", "-j", "2") == 0  # these change no image
    capsys.readouterr()
    assert generate("--margin", "0.1") == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "margin 0.1 instead of 0.4" in message
    assert generate("--val-ratio", "0.5") == 2
    assert "val_ratio 0.0, now 0.5" in capsys.readouterr().err
    assert generate("--layout", "shards") == 2
    message = capsys.readouterr().err
    assert "this call asks for layout shards instead of png: use another --out" in message
    assert "None" not in message
    assert "shard_bits" not in message


def test_donors_are_kept_together(generate: Generate, swc_dir: Path, tmp_path: Path) -> None:
    rows = [{"id": i, "swc": f"neuron_{i:03d}.swc", "donor": f"m{i % 2}"} for i in range(1, 6)]
    write_jsonl(tmp_path / "metadata.jsonl", rows)
    flags = ["--metadata", str(tmp_path / "metadata.jsonl"), "--source", "table"]
    flags += ["--split-by", "donor", "--test-ratio", "0.5"]
    assert generate(*flags) == 0
    table = read_table(tmp_path / "data" / "splits.parquet").to_pylist()
    group = {row["neuron_id"]: row["group"] for row in table}
    assert group["neuron_001"] == group["neuron_003"] == group["neuron_005"] == "neuron_001"
    assert group["neuron_002"] == group["neuron_004"] == "neuron_002"
    assert group["neuron_000"] == "neuron_000"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--split-by", "lab"], "--split-by lab needs --metadata"),
        (["--shard-bits", "2"], "--shard-bits is for --layout shards"),
        (["--catalog", "c.parquet"], "neurons are named by --swc-dir, or by --catalog"),
        (["--val-ratio", "0.6", "--test-ratio", "0.4"], "nothing would be left to train on"),
        (["--widht", "9"], "did you mean --width?"),
    ],
)
def test_wrong_arguments_are_one_clear_line(
    generate: Generate, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    assert generate(*flags) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_folder_without_swc_files_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["--swc-dir", str(tmp_path / "empty"), "--out", str(tmp_path / "data")]) == 2
    assert capsys.readouterr().err == f"error: {tmp_path / 'empty'}: no SWC file in it or its sub-folders\n"
    assert not (tmp_path / "data").exists()


def test_a_folder_without_a_neuron_is_refused_with_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.swc").write_text("")
    assert main(["--swc-dir", str(tmp_path), "--out", str(tmp_path / "data"), *SMALL]) == 2
    assert "none of the 1 SWC files could be rendered (empty_file 1)" in capsys.readouterr().err


def test_a_shard_of_a_catalog_is_rendered_as_the_digest_says(
    swc_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["neuron_001", "neuron_002", "page"]
    columns = {
        "neuron_id": [f"folder:{name}" for name in names],
        "name": [f"folder_{name}" for name in names],
        "shard": ["00"] * 3,
        "swc": [str(swc_dir / f"{name}.swc") for name in names],
        "sha256": [sha256_file(swc_dir / f"{name}.swc") for name in names],
        "scale": [1.0, 0.5, 1.0],
    }
    table = pa.table(columns)
    pa.parquet.write_table(table, tmp_path / "catalog.parquet")
    shard = "00-" + index_of(table, "")["shards"][0]["digest"]
    flags = ["--catalog", str(tmp_path / "catalog.parquet"), "--catalog-shard", shard, *SMALL]
    assert main([*flags, "--out", str(tmp_path / "one")]) == 0
    assert main([*flags, "--out", str(tmp_path / "two"), "-j", "2"]) == 0
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert sorted(tree(tmp_path / "one")) == [f"{shard}.arrow", f"{shard}.qc.parquet"]
    store = ViewStore.from_shards([tmp_path / "one" / f"{shard}.arrow"])
    assert store.neuron_ids == ["folder:neuron_001"] * N_VIEWS + ["folder:neuron_002"] * N_VIEWS
    assert store.rows.column("swc").to_pylist()[0] == "neuron_001.swc"
    scales = np.array(store.rows.column("um_per_px").to_pylist()).reshape(2, N_VIEWS)
    assert scales[1] == pytest.approx(scales[0] / 2, rel=0.1)  # half the size, a slightly other shape
    qc = {row["neuron_id"]: row["status"] for row in read_table(tmp_path / "one" / f"{shard}.qc.parquet").to_pylist()}
    assert qc == {"folder:neuron_001": "ok", "folder:neuron_002": "ok", "folder:page": "html_page"}
    (swc_dir / "neuron_002.swc").write_text(TREE.format(fork=99))
    capsys.readouterr()
    assert main([*flags, "--out", str(tmp_path / "three")]) == 2
    assert "neuron_002.swc: changed since the catalog was made; run acquire again" in capsys.readouterr().err
    assert not list((tmp_path / "three").glob("*.arrow"))
    assert main([*flags, "--out", str(tmp_path / "four"), "--val-ratio", "0.1"]) == 2
    assert "a shard of a catalog is not split here: leave out val_ratio" in capsys.readouterr().err


def test_the_run_is_recorded(generate: Generate, tmp_path: Path) -> None:
    assert generate() == 0
    record = read_json(tmp_path / "data" / "run.json")
    assert record["counts"]["rendered"] == 6
    assert record["counts"]["skipped"] == {"html_page": 1, "no_neurites": 1}


def test_help_needs_no_heavy_package() -> None:
    code = (
        "import sys, json\nfrom axonet.training.dataset_generator import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(json.dumps([m for m in ('torch', 'numba', 'pandas', 'sklearn', 'pyarrow') if m in sys.modules]))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout.splitlines()[-1]) == []
