"""``--shard k/n``: processes that share the work end with what one process makes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from axonet.core.files import read_json
from axonet.datasets import build_shard, png_jobs, render_jobs
from axonet.datasets.parts import Part
from axonet.training.dataset_generator import main
from tests.unit.training import tiny_datasets
from tests.unit.training.tiny_datasets import SMALL, TREE

Generate = Callable[..., int]
FLAGS = [*SMALL, "--val-ratio", "0.3"]
LAYOUTS = {"png": ["--layout", "png"], "shards": ["--layout", "shards", "--shard-bits", "3"]}


@pytest.fixture
def swc_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "swc"
    folder.mkdir()
    for number in range(12):
        (folder / f"neuron_{number:03d}.swc").write_text(TREE.format(fork=12 + 2 * number))
    (folder / "soma.swc").write_text("1 1 0 0 0 5 -1\n")
    (folder / "page.swc").write_text("<html><body>not found</body></html>\n")
    return folder


@pytest.fixture
def generate(swc_dir: Path, tmp_path: Path) -> Generate:
    def run(*flags: str, out: str = "data") -> int:
        return main(["--swc-dir", str(swc_dir), "--out", str(tmp_path / out), *FLAGS, *flags])

    return run


def tree(folder: Path) -> dict[str, bytes]:
    """Every file but the records of the parts, which tell times."""
    return tiny_datasets.tree(folder, "run*")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_last_part_to_finish_writes_what_one_run_writes(
    generate: Generate, tmp_path: Path, layout: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate(*LAYOUTS[layout], out="whole") == 0
    for number in (2, 3, 1):
        assert not (tmp_path / "parts" / "manifest_train.jsonl").exists()
        capsys.readouterr()
        assert generate(*LAYOUTS[layout], "--shard", f"{number}/3", out="parts") == 0
        said = capsys.readouterr().err
        assert ("neurons of other parts are not finished" in said) == (number != 1)
    assert "12 of 14 neurons rendered, 48 views" in said
    assert tree(tmp_path / "parts") == tree(tmp_path / "whole")
    records = [read_json(tmp_path / "parts" / f"run-{number}-of-3.json") for number in (1, 2, 3)]
    assert records[0]["counts"]["splits"]
    assert not records[1]["counts"]["splits"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_parts_that_run_at_the_same_time_write_what_one_run_writes(
    generate: Generate, swc_dir: Path, tmp_path: Path, layout: str
) -> None:
    assert generate(*LAYOUTS[layout], out="whole") == 0
    command = [sys.executable, "-m", "axonet.training.dataset_generator", "--swc-dir", str(swc_dir)]
    command += ["--out", str(tmp_path / "parts"), *FLAGS, *LAYOUTS[layout], "--shard"]
    processes = [subprocess.Popen([*command, f"{k}/3"], stderr=subprocess.PIPE, text=True) for k in (1, 2, 3)]
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert tree(tmp_path / "parts") == tree(tmp_path / "whole")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_call_without_a_part_finishes_what_parts_began(
    generate: Generate, tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    render, calls = render_jobs.render_entry, []
    for module in (png_jobs, build_shard):
        monkeypatch.setattr(module, "render_entry", lambda *a: (calls.append(a[0].name), render(*a))[1])
    assert generate(*LAYOUTS[layout], out="whole") == 0
    everyone = sorted(calls)
    calls.clear()
    assert generate(*LAYOUTS[layout], "--shard", "1/2", out="parts") == 0
    first = list(calls)
    assert first
    assert generate(*LAYOUTS[layout], out="parts") == 0
    assert sorted(calls) == everyone  # nobody twice
    assert len(first) < len(everyone)
    assert tree(tmp_path / "parts") == tree(tmp_path / "whole")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_newcomer_is_rendered_by_its_part_alone(
    generate: Generate, swc_dir: Path, tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        assert generate(*LAYOUTS[layout], "--shard", f"{number}/2") == 0
    (swc_dir / "newcomer.swc").write_text(TREE.format(fork=70))
    render, calls = render_jobs.render_entry, {1: set[str](), 2: set[str]()}
    for number in (1, 2):
        for module in (png_jobs, build_shard):
            monkeypatch.setattr(module, "render_entry", lambda *a, k=number: (calls[k].add(a[0].name), render(*a))[1])
        assert generate(*LAYOUTS[layout], "--shard", f"{number}/2") == 0
    assert sorted(map(bool, calls.values())) == [False, True]
    assert "newcomer" in calls[1] | calls[2]
    assert layout == "shards" or len(calls[1] | calls[2]) == 1
    assert b"newcomer" in (tmp_path / "data" / "qc.jsonl").read_bytes()


def test_more_parts_than_neurons_leave_some_with_nothing_to_do(generate: Generate, tmp_path: Path) -> None:
    assert generate(out="whole") == 0
    for number in range(1, 41):
        assert generate("--shard", f"{number}/40", out="parts") == 0
    assert tree(tmp_path / "parts") == tree(tmp_path / "whole")


def test_every_neuron_is_in_one_part_and_its_name_decides_in_which() -> None:
    names = [f"cell {number}" for number in range(2000)]
    counts = [sum(Part(number, 7).has_neuron(name) for name in names) for number in range(1, 8)]
    assert sum(counts) == len(names)
    assert min(counts) > 200
    packed = [[f"{shard:02x}" for shard in range(16) if Part(k, 5).has_packed(f"{shard:02x}")] for k in range(1, 6)]
    assert sorted(shard for own in packed for shard in own) == [f"{shard:02x}" for shard in range(16)]
    assert {len(own) for own in packed} == {3, 4}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--shard", "3"], "--shard: must be k/n, such as 3/16 (got '3')"),
        (["--shard", "0/4"], "--shard: must be k/n with k from 1 to n"),
        (["--shard", "5/4"], "--shard: must be k/n with k from 1 to n"),
        (["--shard", "1/32", "--layout", "shards"], "16 packed files make work for at most 16 processes"),
        (["--shard", "1/2", "--shard-bits", "3"], "--shard-bits is for --layout shards"),
    ],
)
def test_wrong_parts_are_one_clear_line(
    generate: Generate, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    assert generate(*flags) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_part_with_other_settings_is_refused(generate: Generate, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate("--shard", "1/2") == 0
    capsys.readouterr()
    assert generate("--shard", "2/2", "--seed", "3", "--adaptive-framing") == 2
    message = capsys.readouterr().err
    assert "adaptive_framing True instead of False, seed 3 instead of 0" in message
    assert message.count("\n") == 1
