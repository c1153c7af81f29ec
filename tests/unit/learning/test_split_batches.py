"""One step over several batches or processes is the step over the large batch."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from axonet.core.errors import UserError
from axonet.learning.stage1 import train_stage1
from axonet.models import seg_vae
from axonet.models.checkpoint import load_checkpoint, read_torch_file

from .ddp_run import posterior_mean, train_without_noise
from .stage1_runs import history, settings
from .synthetic import drawn_store

ROOT = Path(__file__).parents[3]
# Fourteen views: the last step of an epoch is smaller, and two processes need a batch to fill up their turns.
COMMON = {"n_neurons": 7, "max_epochs": 2, "ema_decay": 0.5, "gradient_clip_val": 1.0, "kl_warmup_steps": 3}
# Batches that are accumulated one after the other are not compared with each other.
COMMON["lambda_contrast"] = 0.0


@pytest.fixture(scope="module")
def large_batches(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    real = seg_vae.draw
    train_without_noise(folder, batch_size=4, **COMMON)
    seg_vae.draw = real
    return folder


def assert_same_run(folder: Path, other: Path) -> None:
    for one, two in zip(history(folder), history(other), strict=True):
        assert one.keys() == two.keys()
        for name, value in one.items():
            assert float(value) == pytest.approx(float(two[name]), rel=2e-3, abs=1e-5), name
    states = [load_checkpoint(run / "last.ckpt")["state"] for run in (folder, other)]
    for name, value in states[0].items():
        np.testing.assert_allclose(value.numpy(), states[1][name].numpy(), atol=2e-4, err_msg=name)


def test_accumulated_batches_are_the_large_batch(tmp_path, monkeypatch, large_batches):
    monkeypatch.setattr(seg_vae, "draw", posterior_mean)
    train_without_noise(tmp_path, batch_size=2, gradient_accumulation_steps=2, **COMMON)
    assert_same_run(tmp_path, large_batches)


def test_batches_that_are_not_accumulated_are_another_run(tmp_path, monkeypatch, large_batches):
    monkeypatch.setattr(seg_vae, "draw", posterior_mean)
    train_without_noise(tmp_path, batch_size=2, **COMMON)
    with pytest.raises(AssertionError):
        assert_same_run(tmp_path, large_batches)


def two_processes(folder: Path, changed: dict, *interruption: str, code: int = 0) -> str:
    """Train in two processes; what they say."""
    chosen = json.dumps(changed | {"devices": 2})
    done = subprocess.run(
        [sys.executable, "-m", f"{__package__}.ddp_run", str(folder), chosen, *interruption],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "divided",
    [{"batch_size": 2}, pytest.param({"batch_size": 1, "gradient_accumulation_steps": 2}, marks=pytest.mark.slow)],
)
def test_two_processes_are_one_with_the_same_global_batch(tmp_path, large_batches, divided):
    said = two_processes(tmp_path, COMMON | divided)
    assert said.count("best epoch") == 1  # one of the two speaks
    assert_same_run(tmp_path, large_batches)


# Five neurons of two views: the large batches hold four neurons and one, those of each process two, two and one.
COMPARED = {"n_neurons": 5, "max_epochs": 2, "lambda_contrast": 1.0, "val": False}


def test_views_are_compared_with_those_of_the_other_process(tmp_path, monkeypatch):
    monkeypatch.setattr(seg_vae, "draw", posterior_mean)
    train_without_noise(tmp_path / "one", batch_size=8, **COMPARED)
    two_processes(tmp_path / "two", COMPARED | {"batch_size": 4})
    assert_same_run(tmp_path / "two", tmp_path / "one")
    train_without_noise(tmp_path / "small", batch_size=4, **COMPARED)
    contrast = [float(history(tmp_path / run)[0]["train/contrast_loss"]) for run in ("one", "small")]
    assert contrast[0] > 1.2 * contrast[1]  # fewer wrong answers


@pytest.mark.parametrize(
    ("name", "rank", "code"),
    [("SIGTERM", "0", 128 + signal.SIGTERM), ("SIGUSR1", "1", 128 + signal.SIGUSR1)],
)
def test_two_processes_stop_together_when_one_hears_a_signal(tmp_path, name, rank, code):
    # Four batches of each process: two steps an epoch. The signal comes within the second step, is told to the other
    # before the third and obeyed before the fourth, in the middle of an epoch.
    changed = {"n_neurons": 4, "batch_size": 1, "gradient_accumulation_steps": 2, "max_epochs": 2}
    two_processes(tmp_path / "whole", changed)
    said = two_processes(tmp_path / "run", changed, name, rank, "1", code=code)
    assert "terminated; --resume auto goes on from here" in said
    stopped = read_torch_file(tmp_path / "run" / "last.ckpt")["global_step"]
    assert stopped == 3
    two_processes(tmp_path / "run", changed | {"resume": "auto"})
    ends = [load_checkpoint(tmp_path / run / "last.ckpt")["fingerprint"] for run in ("run", "whole")]
    assert ends[0] == ends[1]
    assert (tmp_path / "run" / "history.csv").read_text() == (tmp_path / "whole" / "history.csv").read_text()


def test_fewer_validation_batches_than_processes_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UserError, match=r"--devices 2: the validation views make 1 batch"):
        train_stage1(
            settings(devices=2),
            drawn_store(4, 2),
            drawn_store(1, 2, first=20),
            save_dir=tmp_path / "run",
            log_dir=tmp_path / "run",
        )
    assert not (tmp_path / "run").exists()
