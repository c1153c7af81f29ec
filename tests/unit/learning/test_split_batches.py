"""One step over several batches or processes is the step over the large batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from axonet.core.errors import UserError
from axonet.learning.stage1 import train_stage1
from axonet.models import seg_vae
from axonet.models.checkpoint import load_checkpoint

from .ddp_run import posterior_mean, train_without_noise
from .stage1_runs import history, settings
from .synthetic import drawn_store

ROOT = Path(__file__).parents[3]
# Fourteen views: the last step of an epoch is smaller, and two processes need a batch to fill up their turns.
COMMON = {"n_neurons": 7, "max_epochs": 2, "ema_decay": 0.5, "gradient_clip_val": 1.0, "kl_warmup_steps": 3}
# Views are compared within a batch, so this one loss is another when batches are divided.
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


@pytest.mark.parametrize(
    "divided",
    [{"batch_size": 2}, pytest.param({"batch_size": 1, "gradient_accumulation_steps": 2}, marks=pytest.mark.slow)],
)
def test_two_processes_are_one_with_the_same_global_batch(tmp_path, large_batches, divided):
    chosen = json.dumps(COMMON | divided | {"devices": 2})
    done = subprocess.run(
        [sys.executable, "-m", f"{__package__}.ddp_run", str(tmp_path), chosen],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("best epoch") == 1  # one of the two speaks
    assert_same_run(tmp_path, large_batches)


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
