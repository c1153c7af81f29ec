"""Stage 1 trained for real, on a handful of drawn neurons."""

import csv
import os
import signal
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback

from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.learning import stage1
from axonet.learning.settings import Stage1Settings
from axonet.learning.stage1 import train_stage1
from axonet.models.checkpoint import build_seg_vae, load_checkpoint

from .synthetic import drawn_store

TINY = {
    "base_channels": 4,
    "latent_channels": 4,
    "batch_size": 4,
    "lr": 3e-3,
    "max_epochs": 3,
    "levels": 3,
    "num_workers": 0,
    "accelerator": "cpu",
    "lr_scheduler": "constant",
}


def settings(**changed) -> Stage1Settings:
    return Stage1Settings(**(TINY | changed))


def train(folder: Path, resume=None, val=True, n_neurons=6, **changed):
    stores = drawn_store(n_neurons, 2), drawn_store(2, 2, first=20) if val else None
    return train_stage1(settings(**changed), *stores, save_dir=folder, log_dir=folder / "logs", resume=resume)


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    train(folder, lr_warmup_steps=2, kl_warmup_steps=6)
    return folder


def test_a_run_leaves_checkpoints_history_logs_and_pictures(whole_run):
    assert {path.name for path in whole_run.iterdir()} == {"best.ckpt", "last.ckpt", "history.csv", "logs"}
    assert list((whole_run / "logs").glob("events.*"))
    assert len(list((whole_run / "logs" / "validation").glob("epoch_*.png"))) == 3
    rows = history(whole_run)
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    documented = {"train/loss", "val/loss", "train/seg_loss", "train/depth_loss", "train/kld"}
    ours = {"val/dice_soma", "val/dice_basal_dendrite", "val/depth_mae_um", "val/kl_latent", "val/active_units"}
    assert documented | ours <= rows[0].keys()
    assert "val/dice_other" not in rows[0]  # absent from the data


def test_the_best_checkpoint_is_that_of_the_lowest_validation_loss(whole_run):
    best = min(history(whole_run), key=lambda row: float(row["val/loss"]))
    values = {float(row["val/loss"]) for row in history(whole_run)}
    assert len(values) == 3
    assert load_checkpoint(whole_run / "best.ckpt", 1)["fingerprint"]
    if best["epoch"] == "2":
        fingerprints = {load_checkpoint(whole_run / name)["fingerprint"] for name in ("best.ckpt", "last.ckpt")}
        assert len(fingerprints) == 1


def test_the_checkpoint_tells_everything_about_its_inputs(whole_run):
    checkpoint = load_checkpoint(whole_run / "best.ckpt", 1)
    spec = InputSpec.model_validate(checkpoint["input_spec"])
    assert spec.log_fov_mean is not None
    assert checkpoint["config"]["lr"] == 3e-3
    assert build_seg_vae(checkpoint).encode(torch.zeros(1, 1, 32, 32)).shape == (1, 9)


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path, whole_run):
    train(tmp_path / "same", lr_warmup_steps=2, kl_warmup_steps=6, num_workers=1)
    train(tmp_path / "other", lr_warmup_steps=2, kl_warmup_steps=6, seed=1)
    assert (tmp_path / "same" / "history.csv").read_text() == (whole_run / "history.csv").read_text()
    assert (tmp_path / "other" / "history.csv").read_text() != (whole_run / "history.csv").read_text()


class Signal(Callback):
    """Sends a signal to this very process, as a user or a scheduler would."""

    def __init__(self, signal_number: int, hook: str, step: int) -> None:
        self.number, self.step, self.sent = signal_number, step, False
        setattr(self, hook, self.send)

    def send(self, trainer, *_) -> None:
        if trainer.global_step >= self.step and not self.sent:
            self.sent = True
            os.kill(os.getpid(), self.number)


def interrupt(folder: Path, monkeypatch, callback: Callback, **changed) -> int | None:
    real_fit = stage1.fit
    with monkeypatch.context() as patch:
        patch.setattr(
            stage1, "fit", lambda *a, callbacks=(), **named: real_fit(*a, callbacks=[*callbacks, callback], **named)
        )
        with pytest.raises((KeyboardInterrupt, SystemExit)) as stopped:
            train(folder, **changed)
    return getattr(stopped.value, "code", None)


def last_losses(folder: Path) -> dict[str, str]:
    row = history(folder)[-1]
    return {name: value for name, value in row.items() if name.startswith("val/") or name in ("step", "lr")}


# Six neurons of two views in batches of four: three steps an epoch.
@pytest.mark.parametrize("step", [3, 5])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "hook", ["on_train_batch_start", "on_train_batch_end", "on_validation_start", "on_train_epoch_end"]
)
def test_a_resumed_run_ends_like_an_uninterrupted_one(tmp_path, monkeypatch, whole_run, hook, number, step):
    changed = {"lr_warmup_steps": 2, "kl_warmup_steps": 6}
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    code = interrupt(tmp_path, monkeypatch, Signal(number, hook, step), **changed)
    assert code == (None if number == signal.SIGINT else 128 + signal.SIGTERM)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert not (tmp_path / "best.ckpt").exists()
    train(tmp_path, resume=str(tmp_path / "last.ckpt"), **changed)
    assert [row["epoch"] for row in history(tmp_path)] == ["0", "1", "2"]
    assert last_losses(tmp_path) == last_losses(whole_run)
    for name in ("last.ckpt", "best.ckpt"):
        assert load_checkpoint(tmp_path / name)["fingerprint"] == load_checkpoint(whole_run / name)["fingerprint"]


@pytest.mark.parametrize("val", [True, False])
def test_a_run_that_a_step_limit_ended_within_an_epoch_goes_on_there(tmp_path, val):
    train(tmp_path / "whole", max_steps=9, val=val)
    train(tmp_path / "halves", max_steps=4, val=val)
    assert history(tmp_path / "halves")[-1]["step"] == "4"
    train(tmp_path / "halves", max_steps=9, val=val, resume=str(tmp_path / "halves" / "last.ckpt"))
    whole, halves = (load_checkpoint(tmp_path / f / "last.ckpt")["fingerprint"] for f in ("whole", "halves"))
    assert whole == halves


def test_a_resume_without_improvement_keeps_the_best_model(tmp_path, capsys):
    train(tmp_path, max_epochs=2)
    before = load_checkpoint(tmp_path / "best.ckpt")["fingerprint"]
    # A rate of almost nothing with a ruinous KL weight cannot improve the validation loss.
    train(tmp_path, max_epochs=3, resume=str(tmp_path / "last.ckpt"), lr=1e-12, kld_weight=1e3)
    assert load_checkpoint(tmp_path / "best.ckpt")["fingerprint"] == before
    assert "kld-weight 0.1 -> 1000.0" in capsys.readouterr().err


def test_a_changed_learning_rate_takes_effect_on_resume(tmp_path):
    train(tmp_path, max_epochs=1)
    train(tmp_path, max_epochs=2, resume=str(tmp_path / "last.ckpt"), lr=1e-4)
    assert [float(row["lr"]) for row in history(tmp_path)] == pytest.approx([3e-3, 1e-4])


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"base_channels": 8}, "base-channels 4 -> 8"), ({"seed": 5}, "seed 0 -> 5"), ({"n_neurons": 5}, "train data")],
)
def test_another_architecture_seed_or_data_is_refused_on_resume(tmp_path, whole_run, changed, named):
    with pytest.raises(UserError, match=named):
        train(tmp_path, resume=str(whole_run / "last.ckpt"), **changed)


def test_a_model_without_its_training_state_cannot_be_resumed(tmp_path, whole_run):
    with pytest.raises(UserError, match=r"resume from last\.ckpt"):
        train(tmp_path, resume=str(whole_run / "best.ckpt"))


def test_auto_resumes_what_fits_and_starts_afresh_otherwise(tmp_path, capsys):
    train(tmp_path, resume="auto", max_epochs=1)
    train(tmp_path, resume="auto", max_epochs=2)
    assert "resuming from" in capsys.readouterr().err
    train(tmp_path, resume="auto", max_epochs=1, latent_channels=5)
    assert "starting afresh" in capsys.readouterr().err
    assert len(history(tmp_path)) == 1


def test_without_validation_the_training_loss_selects_and_a_line_says_so(tmp_path, capsys):
    train(tmp_path, val=False, max_epochs=1)
    assert "chosen by train/loss" in capsys.readouterr().err
    assert (tmp_path / "best.ckpt").is_file()


def test_a_warm_up_of_the_kl_weight_does_not_change_the_logged_loss(tmp_path):
    train(tmp_path / "warm", max_steps=1, kl_warmup_steps=100)
    train(tmp_path / "full", max_steps=1)
    first = [history(tmp_path / run)[0]["train/loss"] for run in ("warm", "full")]
    assert first[0] == first[1]


def test_early_stopping_ends_a_run_that_does_not_improve(tmp_path):
    train(tmp_path, max_epochs=20, early_stopping=True, patience=2, lr=1e-30)
    assert len(history(tmp_path)) == 3


def test_a_loss_that_is_no_number_is_one_clear_line(tmp_path):
    with pytest.raises(UserError, match="diverged in epoch 1"):
        train(tmp_path, lr=1e30, max_epochs=5)
    assert not (tmp_path / "best.ckpt").exists()


def test_accumulated_batches_make_one_step(tmp_path):
    train(tmp_path, max_epochs=2, gradient_accumulation_steps=2)
    assert [row["step"] for row in history(tmp_path)] == ["2", "4"]


def test_views_can_be_resized_and_the_levels_follow(tmp_path):
    train(tmp_path, max_steps=1, width=16, levels=None)
    checkpoint = load_checkpoint(tmp_path / "best.ckpt")
    assert checkpoint["input_spec"]["image_size"] == [16, 16]
    assert checkpoint["architecture"]["levels"] == 2


def test_validation_views_of_another_kind_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"rendered otherwise.*width 64 instead of 32"):
        train_stage1(settings(), drawn_store(2, 1), drawn_store(2, 1, size=64), save_dir=tmp_path, log_dir=tmp_path)


def test_an_empty_split_is_refused(tmp_path):
    with pytest.raises(UserError, match="no training views"):
        train_stage1(settings(), drawn_store(2, 1).subset([]), None, save_dir=tmp_path, log_dir=tmp_path)


@pytest.mark.parametrize(("skip_mode", "seg_loss"), [("variational", "ce"), ("deterministic", "focal")])
def test_four_views_are_learned_by_heart(tmp_path, skip_mode, seg_loss):
    views = drawn_store(4, 1)
    often = views.subset([0, 1, 2, 3] * 30)  # an epoch of many steps costs less than many epochs
    chosen = settings(
        max_epochs=2, base_channels=8, lr=1e-2, skip_mode=skip_mode, seg_loss=seg_loss, kld_weight=1e-4, flips=False
    )
    train_stage1(chosen, often, views, save_dir=tmp_path, log_dir=tmp_path / "logs")
    last = history(tmp_path)[-1]
    for compartment in ("soma", "axon", "basal_dendrite", "apical_dendrite"):
        assert float(last[f"val/dice_{compartment}"]) > 0.95
