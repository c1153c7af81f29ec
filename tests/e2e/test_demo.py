"""The demo as a user runs it: real neurons, the default config, every step."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import axonet
from axonet import cli
from axonet.core.files import read_json, read_table
from axonet.evaluation.schema import check

pytestmark = [pytest.mark.e2e, pytest.mark.network]


def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "axonet.cli", "demo", "--out", str(folder), "--cores", "2"]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def said(folder: Path) -> str:
    result = demo(folder)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return result.stderr


def test_it_ends_with_figures_that_have_interval_and_chance(said: str, folder: Path) -> None:
    tail = said[said.index("axonet demo: done") :]
    figures = re.findall(r"\d\.\d\d (?:\[\d\.\d\d, \d\.\d\d\]|\(no interval\)) +chance \d\.\d\d", tail)
    assert len(figures) >= 4
    for name in re.findall(r"\S+results\S+(?:txt|png)", tail):
        assert Path(name).is_file()


def test_every_neuron_of_the_table_is_measured_and_drawn(said: str, folder: Path) -> None:
    catalog = read_table(folder / "results/acquire/catalog.parquet")
    measured = [row for file in folder.glob("results/measure/*/*.parquet") for row in read_table(file).to_pylist()]
    assert {row["neuron_id"] for row in measured} == set(catalog.column("neuron_id").to_pylist())
    assert {row["status"] for row in measured} == {"ok"}


def test_the_metrics_have_their_form_and_the_report_its_words(said: str, folder: Path) -> None:
    evaluate = folder / "results/runs/main/evaluate"
    metrics = read_json(evaluate / "metrics.json")
    check(metrics)
    for row in [*metrics["tasks"], *metrics["zero_shot"]]:
        assert row["chance"] is not None
        assert row["baseline"]
    assert "prove nothing" in (evaluate / "eval_report.txt").read_text()


def test_the_pictures_show_something(said: str, folder: Path) -> None:
    for name in ("tsne_cell_type", "tsne_region", "confusion_matrix"):
        with Image.open(folder / f"results/runs/main/evaluate/{name}.png") as picture:
            assert min(picture.size) > 400
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 20


def test_the_model_opens_through_the_python_door(said: str, folder: Path) -> None:
    model = axonet.load_model(folder / "results/runs/main/stage2/best.ckpt")
    file = folder / "results/acquire/demo/SCA6_P13_C7.swc"
    shapes, words = model.embed_swc([file]), model.embed_text(["a mouse Purkinje cell", "a mouse neuron"])
    assert shapes.shape == (1, words.shape[1])
    assert (abs((words**2).sum(axis=1) - 1) < 1e-5).all()


def test_a_neuron_of_the_demo_finds_itself_by_its_file(
    said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, results = folder / "results/acquire/demo/SCA6_P13_C7.swc", folder / "results"
    assert cli.main(["search", "--swc", str(file), "--results", str(results), "--json", "-k", "3"]) == 0
    first, *others = json.loads(capsys.readouterr().out)["hits"]
    assert first["neuron_id"] == "demo:SCA6_P13_C7"
    assert first["cosine"] > 0.99
    assert len(others) == 2


def test_a_second_run_does_nothing(said: str, folder: Path) -> None:
    result = demo(folder)
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout + result.stderr
    assert "Finished jobid" not in result.stdout + result.stderr
