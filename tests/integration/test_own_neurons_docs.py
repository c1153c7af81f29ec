"""The page about neurons of one's own: its example runs, and it names all columns."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from axonet.metadata.adapters.table import COLUMNS
from axonet.pipeline.root_config import load_config
from axonet.sources.folder import find_folder_neurons
from tests.fakes.neurons import made_up_swc

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "your-own-neurons.md"
TEXT = PAGE.read_text(encoding="utf-8")


def block(language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table = tmp_path / "my" / "neurons.csv"
    for number, path in enumerate(("a/cell1.swc", "a/cell2.swc", "b/cell1.swc", "cell4.swc")):
        file = tmp_path / "my" / "swc" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(made_up_swc(number))
    table.write_text(block("csv"), encoding="utf-8")
    return tmp_path


def test_the_command_of_the_page_runs_and_says_what_it_promises(folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", block("bash").replace("axonet ", f"{sys.executable} -m axonet.cli ", 1)],
        cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "metadata for 4 of 4 SWC files" in done.stderr
    assert "cell_type: wobbly" in done.stderr
    assert "not used" not in done.stderr
    assert "wobbly neuron from the stratum oriens of hippocampal area CA1" in done.stdout
    assert done.stdout.count("←") >= 8


def test_the_section_of_the_config_reads_the_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    config = load_config(yaml.safe_load(block("yaml")))
    found = {neuron.record.id: neuron.record for neuron in find_folder_neurons(config.acquire.folder)}
    assert len(found) == 4
    cell = next(record for record in found.values() if record.cell_type == "pyramidal")
    assert (cell.species, cell.layer, cell.sex, cell.stage, cell.donor) == ("mouse", "5", "female", "adult", "m01")
    assert (cell.region, cell.modifiers, cell.traced) == (
        ("neocortex", "VISp"),
        ("spiny",),
        ("soma", "axon", "dendrites"),
    )


def test_the_page_names_every_field_with_all_its_columns() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", TEXT, re.MULTILINE))
    assert {field: tuple(re.findall(r"`(\w+)`", columns)) for field, columns in rows.items()} == COLUMNS
