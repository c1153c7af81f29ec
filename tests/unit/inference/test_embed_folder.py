"""A folder of one's own neurons to vectors: the same as one by one, resumable, bad neurons as rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from axonet.core.files import read_table
from axonet.core.input_spec import InputSpec, MorphometricInput
from axonet.datasets.quality_table import read_quality_csv, write_quality_csv
from axonet.inference.embed import load_model
from axonet.inference.vectors import read_vectors
from axonet.models.checkpoint import Checkpoint, make_checkpoint, save_checkpoint
from axonet.models.clip import ClipModel
from axonet.utils.embed import main
from tests.fakes.neurons import made_up_swc

N = 5

# Runs the command, notes who is drawn, and is killed when the n-th neuron is begun.
DRIVER = """
import os, signal, sys
from axonet.inference import folder
from axonet.utils.embed import main

log, last = sys.argv[1], int(sys.argv[2])
render, calls = folder.render_entry, []

def noted(entry, settings):
    calls.append(entry.name)
    if len(calls) > last:
        os.kill(os.getpid(), signal.SIGKILL)
    with open(log, "a") as file:
        file.write(entry.name + "\\n")
    return render(entry, settings)

folder.render_entry = noted
sys.exit(main(sys.argv[3:]))
"""


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    folder = tmp_path / "cells"
    folder.mkdir()
    for number in range(N):
        (folder / f"cell_{number}.swc").write_bytes(made_up_swc(number))
    (folder / "page.swc").write_text("<html><body>not found</body></html>\n")
    return folder


@pytest.fixture
def model(stage2: Checkpoint, tmp_path: Path) -> Path:
    save_checkpoint(tmp_path / "best.ckpt", stage2)
    return tmp_path / "best.ckpt"


@pytest.fixture
def embed(cells: Path, model: Path, tmp_path: Path) -> Callable[..., Path]:
    def run(name: str = "vectors", code: int = 0, **flags: str) -> Path:
        out = tmp_path / f"{name}.parquet"
        more = [text for key, value in flags.items() for text in (f"--{key}", value)]
        assert main([str(cells), "--model", str(model), "--out", str(out), "--accelerator", "cpu", *more]) == code
        return out

    return run


def test_a_folder_has_the_vectors_of_its_neurons_one_by_one(
    embed: Callable[..., Path], cells: Path, model: Path
) -> None:
    views = read_vectors(embed())
    table = read_table(embed().with_name("vectors.neurons.parquet"))
    assert views.neuron_id == [f"cell_{n}" for n in range(N) for _ in range(3)]
    alone = load_model(model).embed([cells / f"cell_{n}.swc" for n in range(N)])
    rows = dict(zip(table["neuron_id"].to_pylist(), table["vector"].to_pylist(), strict=True))
    assert rows.pop("page") is None
    np.testing.assert_allclose(np.array([rows[f"cell_{n}"] for n in range(N)]), alone, atol=1e-6)


def test_a_bad_neuron_is_a_row_with_its_reason(embed: Callable[..., Path]) -> None:
    out = embed()
    qc = {row["neuron_id"]: row for row in read_quality_csv(out.with_name("vectors.qc.csv"))}
    assert len(qc) == N + 1
    assert qc["page"]["status"] == "html_page"
    assert "page.swc" in qc["page"]["detail"]
    table = read_table(out.with_name("vectors.neurons.parquet")).to_pylist()
    assert {row["neuron_id"]: row["status"] for row in table} == {name: row["status"] for name, row in qc.items()}


def test_killed_and_called_again_it_draws_nobody_twice_and_ends_with_the_same_bytes(
    embed: Callable[..., Path], cells: Path, model: Path, tmp_path: Path
) -> None:
    log, out, drawn = tmp_path / "drawn.txt", tmp_path / "killed.parquet", []
    for last in (2, 3, 99):
        log.unlink(missing_ok=True)
        flags = [str(cells), "--model", str(model), "--out", str(out), "--accelerator", "cpu"]
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, str(log), str(last), *flags], capture_output=True, text=True, check=False
        )
        assert done.returncode == (0 if last == 99 else -9), done.stderr
        drawn += log.read_text().split()
    assert drawn == [*(f"cell_{n}" for n in range(N)), "page"]
    whole = embed("whole")
    for end in (".parquet", ".neurons.parquet", ".qc.csv"):
        assert (tmp_path / f"killed{end}").read_bytes() == (tmp_path / f"{whole.stem}{end}").read_bytes(), end
    assert not list(tmp_path.glob(".*unfinished*"))


def test_only_new_and_changed_files_are_drawn_again(
    embed: Callable[..., Path], cells: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from axonet.inference import folder

    embed()
    (cells / "cell_1.swc").write_bytes(made_up_swc(31))
    (cells / "new.swc").write_bytes(made_up_swc(32))
    (cells / "cell_0.swc").unlink()
    drawn: list[str] = []
    render = folder.render_entry
    monkeypatch.setattr(folder, "render_entry", lambda e, settings: drawn.append(e.name) or render(e, settings))
    found = read_vectors(embed())
    assert drawn == ["cell_1", "new"]
    monkeypatch.undo()
    anew = read_vectors(embed("anew"))
    assert found.neuron_id == anew.neuron_id
    np.testing.assert_array_equal(found.vector, anew.vector)


def test_another_model_embeds_all_anew(embed: Callable[..., Path], stage2: Checkpoint, model: Path) -> None:
    first = read_vectors(embed())
    state = {name: value + 0.01 if value.is_floating_point() else value for name, value in stage2["state"].items()}
    spec = InputSpec.model_validate(stage2["input_spec"])
    parts = {name: stage2[name] for name in ("captions", "text_encoder", "stage1")}
    other = make_checkpoint(2, stage2["architecture"], state, {}, spec, **parts)
    save_checkpoint(model, other)
    second = read_vectors(embed())
    assert second.checkpoint == other["fingerprint"] != first.checkpoint
    assert not np.allclose(first.vector, second.vector, atol=1e-4)


def test_a_model_that_joins_morphometrics_gets_them(
    embed: Callable[..., Path], stage2: Checkpoint, model: Path, cells: Path
) -> None:
    spec = InputSpec.model_validate(stage2["input_spec"]).model_copy(
        update={"morphometrics": (MorphometricInput(name="cable_length", log=True, mean=5.0, deviation=1.0),)}
    )
    clip = ClipModel(image_dim=9, text_dim=64, embed_dim=16, hidden=8, n_morphometrics=1)
    parts = {name: stage2[name] for name in ("captions", "text_encoder", "stage1")}
    save_checkpoint(model, make_checkpoint(2, clip.architecture, clip.state_dict(), {}, spec, **parts))
    out = embed()
    views = read_vectors(out)
    assert views.joined is not None
    assert not np.allclose(views.joined, views.vector, atol=1e-4)
    row = read_table(out.with_name("vectors.neurons.parquet")).to_pylist()[0]
    np.testing.assert_allclose(row["vector"], load_model(model).embed([cells / "cell_0.swc"])[0], atol=1e-6)
    np.testing.assert_array_equal(read_vectors(embed()).joined, views.joined)  # and keeps them when nothing is new


def test_several_processes_write_the_same_bytes(embed: Callable[..., Path]) -> None:
    assert embed("one").read_bytes() == embed("two", jobs="2").read_bytes()


def test_nothing_usable_is_one_line_and_leaves_the_reasons(
    embed: Callable[..., Path], cells: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(N):
        (cells / f"cell_{number}.swc").write_text("")
    out = embed(code=2)
    assert "none of the 6 SWC files could be embedded (empty_file 5, html_page 1)" in capsys.readouterr().err
    assert not out.exists()
    assert len(read_quality_csv(out.with_name("vectors.qc.csv"))) == 6


def test_a_quality_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    row = {"neuron_id": "a,b", "neuron": "a_b", "swc": 'x/"a".swc', "view": None, "status": "ok", "detail": None}
    row |= {"warnings": ["flat_z", "no_soma"], "n_nodes": 12, "qc": 0.1 + 0.2, "drawn_px": 7}
    write_quality_csv(tmp_path / "qc.csv", [row])
    assert read_quality_csv(tmp_path / "qc.csv") == [row]
