"""A training that is killed at random moments ends with the very weights of an undisturbed one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from axonet.models.checkpoint import load_checkpoint, read_torch_file

ROOT = Path(__file__).parents[3]
EVERYTHING = {"ema_decay": 0.9, "gradient_accumulation_steps": 2, "max_epochs": 8, "batch_size": 2, "rotation": 20.0}
EVERYTHING["save_minutes"] = 1e-4  # after about every step


def kill(folder: Path, changed: dict, n_runs: int, seed: int) -> int:
    """Kill so many runs again and again until each has ended; how often it was done."""
    command = [sys.executable, "-m", f"{__package__}.kill_runs", str(folder), json.dumps(changed), str(n_runs)]
    done = subprocess.run([*command, str(seed)], capture_output=True, text=True, cwd=ROOT, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def assert_same_end(killed: Path, whole: Path) -> None:
    # A kill in the moment after a run's last act makes another run of it, which sets the former one aside.
    left = {path.name for path in killed.iterdir()} - {"former"}
    assert left == {"best.ckpt", "last.ckpt", "history.csv", "logs"}
    assert (killed / "best.ckpt").read_bytes() == (whole / "best.ckpt").read_bytes()
    assert load_checkpoint(killed / "last.ckpt")["fingerprint"] == load_checkpoint(whole / "last.ckpt")["fingerprint"]
    of_killed, of_whole = (read_torch_file(run / "last.ckpt") for run in (killed, whole))
    for name, value in of_whole["state_dict"].items():  # the weights and, apart, their average
        assert of_killed["state_dict"][name].equal(value), name
    assert (killed / "history.csv").read_text() == (whole / "history.csv").read_text()


def test_kills_leave_no_trace(tmp_path):
    assert kill(tmp_path, EVERYTHING, n_runs=1, seed=1) >= 1
    assert_same_end(tmp_path / "killed_0", tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed", [EVERYTHING, {"max_epochs": 12, "val": False}, {"max_steps": 20, "num_workers": 1, "save_minutes": 1e-4}]
)
def test_many_kills_leave_no_trace(tmp_path, changed):
    assert kill(tmp_path, changed, n_runs=5, seed=2) >= 5
    for run in range(5):
        assert_same_end(tmp_path / f"killed_{run}", tmp_path / "whole")
