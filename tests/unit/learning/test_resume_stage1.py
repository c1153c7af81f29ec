"""Stage 1 stopped, killed and taken up again."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pyarrow.compute as pc
import pytest
from lightning.pytorch import Callback

from axonet.core.errors import UserError
from axonet.learning import stage1
from axonet.learning.selection import RunKeeper, Selection
from axonet.learning.stage1 import train_stage1
from axonet.models.checkpoint import load_checkpoint, read_torch_file

from .stage1_runs import WARM, history, settings, train
from .synthetic import drawn_store

ROOT = Path(__file__).parents[3]


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


# Six neurons of two views in batches of four: three steps an epoch.
@pytest.mark.parametrize(
    ("number", "step"), [(signal.SIGINT, 3), (signal.SIGTERM, 3), (signal.SIGTERM, 5), (signal.SIGUSR1, 5)]
)
@pytest.mark.parametrize(
    "hook", ["on_train_batch_start", "on_train_batch_end", "on_validation_start", "on_train_epoch_end"]
)
def test_a_resumed_run_ends_like_an_uninterrupted_one(tmp_path, monkeypatch, whole_run, hook, number, step):
    handlers = [signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)]
    code = interrupt(tmp_path, monkeypatch, Signal(number, hook, step), **WARM)
    assert code == (None if number == signal.SIGINT else 128 + number)
    assert [signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)] == handlers
    assert not (tmp_path / "best.ckpt").exists()
    train(tmp_path, resume=str(tmp_path / "last.ckpt"), **WARM)
    # Means of an epoch that was stopped are of all of it.
    assert (tmp_path / "history.csv").read_text() == (whole_run / "history.csv").read_text()
    for name in ("last.ckpt", "best.ckpt"):
        assert load_checkpoint(tmp_path / name)["fingerprint"] == load_checkpoint(whole_run / name)["fingerprint"]


@pytest.mark.parametrize(
    ("number", "hook"), [(signal.SIGTERM, "on_train_batch_start"), (signal.SIGUSR1, "on_before_backward")]
)
def test_a_signal_waits_for_the_end_of_an_accumulated_step(tmp_path, monkeypatch, hook, number):
    # Four steps of two batches and one of a single batch; the second batch of the third step hears the signal.
    changed = {"gradient_accumulation_steps": 2, "batch_size": 2, "n_neurons": 9, "max_epochs": 2, "ema_decay": 0.9}
    train(tmp_path / "whole", **changed)
    seen: list[int] = []

    class InTheMiddle(Callback):
        def send(self, trainer, *_) -> None:
            seen.append(trainer.global_step)
            if len(seen) == 6:
                os.kill(os.getpid(), number)

    callback = InTheMiddle()
    setattr(callback, hook, callback.send)
    interrupt(tmp_path / "run", monkeypatch, callback, **changed)
    assert seen.count(2) == 2
    train(tmp_path / "run", resume="auto", **changed)
    for name in ("last.ckpt", "best.ckpt"):
        of_run, of_whole = (load_checkpoint(tmp_path / run / name)["fingerprint"] for run in ("run", "whole"))
        assert of_run == of_whole


@pytest.mark.parametrize(
    ("array", "answer", "line"),
    [
        ({}, 0, "job 17 is queued again"),
        ({"SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "3"}, 0, "job 12_3 is queued again"),
        ({}, 1, "job 17 could not be queued again (no such job); submit it again with --resume auto"),
    ],
)
def test_a_job_whose_time_is_over_is_queued_again_once_its_state_is_saved(
    tmp_path, monkeypatch, capsys, array, answer, line
):
    fake = tmp_path / "bin" / "scontrol"
    fake.parent.mkdir()
    saved, called = tmp_path / "run" / "last.ckpt", tmp_path / "called"
    fake.write_text(f'#!/bin/sh\ntest -f {saved} && echo "$@" > {called}\necho no such job >&2\nexit {answer}\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=os.pathsep)
    for name, value in ({"SLURM_JOB_ID": "17"} | array).items():
        monkeypatch.setenv(name, value)
    interrupt(tmp_path / "run", monkeypatch, Signal(signal.SIGUSR1, "on_train_batch_end", 2))
    assert called.read_text().split()[0] == "requeue"
    assert line in capsys.readouterr().err


def test_a_signal_that_comes_too_late_queues_nothing_again(tmp_path, monkeypatch, capsys, with_callback):
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    with_callback(Signal(signal.SIGUSR1, "on_fit_end", 9))
    train(tmp_path)
    assert (tmp_path / "best.ckpt").is_file()
    assert "queued again" not in capsys.readouterr().err


@pytest.mark.parametrize("val", [True, False])
def test_a_run_that_a_step_limit_ended_within_an_epoch_goes_on_there(tmp_path, val):
    train(tmp_path / "whole", max_steps=9, val=val)
    train(tmp_path / "halves", max_steps=4, val=val)
    assert history(tmp_path / "halves")[-1]["step"] == "4"
    train(tmp_path / "halves", max_steps=9, val=val, resume=str(tmp_path / "halves" / "last.ckpt"))
    whole, halves = (load_checkpoint(tmp_path / f / "last.ckpt")["fingerprint"] for f in ("whole", "halves"))
    assert whole == halves


@pytest.mark.parametrize("val", [True, False])
def test_a_run_that_a_step_limit_ended_with_an_epoch_goes_on_with_the_next(tmp_path, capsys, val):
    train(tmp_path / "whole", max_steps=9, val=val, early_stopping=True)
    train(tmp_path / "parts", max_steps=6, val=val, early_stopping=True)
    capsys.readouterr()
    train(tmp_path / "parts", max_steps=9, val=val, early_stopping=True, resume=str(tmp_path / "parts" / "last.ckpt"))
    assert "epoch 2" not in capsys.readouterr().err
    assert (tmp_path / "parts" / "history.csv").read_text() == (tmp_path / "whole" / "history.csv").read_text()
    whole, parts = (load_checkpoint(tmp_path / run / "best.ckpt")["fingerprint"] for run in ("whole", "parts"))
    assert whole == parts


def test_a_resume_without_improvement_keeps_the_best_model(tmp_path, capsys):
    train(tmp_path, max_epochs=2)
    before = load_checkpoint(tmp_path / "best.ckpt")["fingerprint"]
    train(tmp_path, max_epochs=3, resume=str(tmp_path / "last.ckpt"), lr=0.5)
    assert float(history(tmp_path)[2]["val/loss"]) > float(history(tmp_path)[1]["val/loss"])
    assert load_checkpoint(tmp_path / "best.ckpt")["fingerprint"] == before
    assert "lr 0.003 -> 0.5" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("val", "changed", "line"),
    [
        (True, {"beta": 1e4}, "by val/loss: beta 1.0 -> 10000.0"),
        (True, {"free_nats": 0.0, "lambda_seg": 50.0}, "by val/loss: lambda-seg 1.0 -> 50.0"),
        (False, {"lambda_depth": 1e3}, "by train/loss: lambda-depth 1.0 -> 1000.0"),
        (False, {"flips": False, "kld_weight": 1e3}, "by train/loss: flips True -> False; kld-weight 0.1 -> 1000.0"),
    ],
)
def test_a_changed_loss_does_not_compete_with_values_of_the_former_one(tmp_path, capsys, val, changed, line):
    train(tmp_path, val=val, max_epochs=2)
    capsys.readouterr()
    result = train(tmp_path, val=val, max_epochs=3, resume=str(tmp_path / "last.ckpt"), **changed)
    assert line in capsys.readouterr().err
    monitor = "val/loss" if val else "train/loss"
    values = [float(row[monitor]) for row in history(tmp_path)]
    assert values[2] > max(values[:2])  # it would never win against the former values
    assert (result.best_epoch, result.best_value) == (2, pytest.approx(values[2]))
    best, last = (load_checkpoint(tmp_path / name) for name in ("best.ckpt", "last.ckpt"))
    assert best["fingerprint"] == last["fingerprint"]
    assert best["config"] == last["config"]


def test_what_does_not_enter_the_validation_loss_leaves_the_best_epoch(tmp_path, capsys):
    train(tmp_path, max_epochs=1)
    train(tmp_path, max_epochs=2, resume=str(tmp_path / "last.ckpt"), flips=False, rotation=5.0, batch_size=3)
    assert "chosen anew" not in capsys.readouterr().err


def test_a_changed_loss_with_no_epoch_left_is_refused_and_harms_nothing(tmp_path):
    train(tmp_path, max_epochs=1)
    before = (tmp_path / "best.ckpt").read_bytes()
    with pytest.raises(UserError, match="raise --max-epochs"):
        train(tmp_path, max_epochs=1, resume=str(tmp_path / "last.ckpt"), beta=2.0)
    assert (tmp_path / "best.ckpt").read_bytes() == before
    assert not (tmp_path / ".training").exists()


def test_patience_counts_from_anew_when_the_loss_changes(tmp_path):
    stuck = {"early_stopping": True, "lr": 1e-30, "max_epochs": 20, "lr_scheduler": "constant"}
    train(tmp_path, patience=2, **stuck)
    assert len(history(tmp_path)) == 3
    train(tmp_path, patience=3, resume=str(tmp_path / "last.ckpt"), beta=1e4, **stuck)
    assert len(history(tmp_path)) == 3 + 4


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


@pytest.fixture
def other_rendering():
    """Stores of the same views with one property changed: how they were rendered, or what a row tells of a shape."""

    def make(kind: str):
        stores = drawn_store(6, 2), drawn_store(2, 2, first=20)
        for store in stores if kind == "margin" else stores[:1]:
            if kind == "margin":
                store.spec = store.spec.model_copy(update={"margin": 0.1})
            else:
                place = store.rows.schema.get_field_index(kind)
                values = pc.add(store.rows.column(kind), 0.5)
                store.rows = store.rows.set_column(place, store.rows.schema.field(kind), values)
        return stores

    return make


@pytest.mark.parametrize(
    ("kind", "named"),
    [("margin", "rendering margin 0.4 -> 0.1"), ("um_per_px", "train data"), ("far_um", "train data")],
)
def test_views_of_another_content_are_refused_on_resume(tmp_path, whole_run, other_rendering, kind, named):
    with pytest.raises(UserError, match=named):
        train_stage1(
            settings(),
            *other_rendering(kind),
            save_dir=tmp_path,
            log_dir=tmp_path,
            resume=str(whole_run / "last.ckpt"),
        )
    assert not list(tmp_path.iterdir())


def test_validation_that_was_not_there_before_is_refused_on_resume(tmp_path):
    train(tmp_path, val=False, max_epochs=1)
    with pytest.raises(UserError, match="val data None -> "):
        train(tmp_path, max_epochs=2, resume=str(tmp_path / "last.ckpt"))


OFTEN = {"save_minutes": 1e-9}


def kill_in_the_middle(folder: Path, step: int, **changed) -> None:
    """Train and kill this process as a machine that loses its power does; runs in a process of its own."""
    real_fit, callback = stage1.fit, Signal(signal.SIGKILL, "on_train_batch_end", step)
    stage1.fit = lambda *a, callbacks=(), **named: real_fit(*a, callbacks=[*callbacks, callback], **named)
    train(folder, **(WARM | changed))


def killed(folder: Path, **changed) -> Path:
    code = f"from {__name__} import *; kill_in_the_middle(Path({str(folder)!r}), 8, **{changed!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (folder / "best.ckpt").exists()
    return folder


@pytest.fixture(scope="module")
def killed_run(tmp_path_factory) -> Path:
    return killed(tmp_path_factory.mktemp("killed"))


def steps_kept(folder: Path) -> int:
    return read_torch_file(folder / ".training" / "last.ckpt")["global_step"]


def test_a_killed_run_is_taken_up_by_auto_and_ends_like_an_unbroken_one(tmp_path, killed_run, whole_run, capsys):
    shutil.copytree(killed_run, tmp_path / "run")
    assert steps_kept(tmp_path / "run") == 6  # the end of the second epoch
    train(tmp_path / "run", resume="auto", **WARM)
    assert f"resuming from {tmp_path / 'run' / '.training' / 'last.ckpt'}" in capsys.readouterr().err
    assert (tmp_path / "run" / "history.csv").read_text() == (whole_run / "history.csv").read_text()
    assert (tmp_path / "run" / "best.ckpt").read_bytes() == (whole_run / "best.ckpt").read_bytes()


@pytest.mark.parametrize(("changed", "kept"), [({}, 7), ({"gradient_accumulation_steps": 2, "batch_size": 2}, 7)])
def test_a_kill_within_an_epoch_loses_what_came_after_the_last_save(tmp_path, changed, kept):
    train(tmp_path / "whole", **(WARM | OFTEN | changed))
    run = killed(tmp_path / "run", **(OFTEN | changed))
    assert steps_kept(run) == kept
    train(run, resume="auto", **(WARM | OFTEN | changed))
    for name in ("history.csv", "best.ckpt"):
        assert (run / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    ends = [load_checkpoint(tmp_path / name / "last.ckpt")["fingerprint"] for name in ("run", "whole")]
    assert ends[0] == ends[1]


def test_a_run_is_saved_every_so_many_minutes_at_the_ends_of_steps(tmp_path):
    now, saved = [0.0], []
    keeper = RunKeeper(tmp_path, Selection("val/loss"), on_validation=True, minutes=2, clock=lambda: now[0])
    keeper._save_alone = lambda trainer: saved.append(now[0])
    progress = SimpleNamespace(current=SimpleNamespace(processed=1))
    trainer = SimpleNamespace(
        fit_loop=SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress)),
        **{"num_training_batches": 100, "should_stop": False, "accumulate_grad_batches": 2},
    )
    for batch in range(8):
        now[0] += 50.0
        keeper.on_train_batch_end(trainer, None, None, None, batch)
    assert saved == [200.0, 300.0, 400.0]  # nothing resets the clock here but a real save


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"lr": 1e-3}, "lr 0.003 -> 0.001"),
        ({"beta": 2.0}, "beta 1.0 -> 2.0"),
        ({"latent_channels": 5}, "latent-channels 4 -> 5"),
        ({"n_neurons": 5}, "train data"),
    ],
)
def test_auto_starts_afresh_when_anything_was_changed(tmp_path, killed_run, capsys, changed, reason):
    shutil.copytree(killed_run, tmp_path / "run")
    train(tmp_path / "run", resume="auto", **(WARM | changed))
    lines = [line for line in capsys.readouterr().err.splitlines() if "trained otherwise" in line]
    assert len(lines) == 1
    assert reason in lines[0]
    train(tmp_path / "fresh", **(WARM | changed))
    assert (tmp_path / "run" / "best.ckpt").read_bytes() == (tmp_path / "fresh" / "best.ckpt").read_bytes()


def test_auto_trains_where_a_run_has_ended(tmp_path, whole_run, capsys):
    shutil.copytree(whole_run, tmp_path / "run")
    (tmp_path / "run" / "best.ckpt").unlink()  # as a workflow does before it runs a job again
    train(tmp_path / "run", resume="auto", **WARM)
    assert "epoch 1 of 3" in capsys.readouterr().err
    assert (tmp_path / "run" / "best.ckpt").read_bytes() == (whole_run / "best.ckpt").read_bytes()


def test_auto_starts_afresh_where_the_stopped_run_s_file_is_damaged(tmp_path, capsys):
    (tmp_path / ".training").mkdir()
    (tmp_path / ".training" / "last.ckpt").write_bytes(b"no checkpoint")
    train(tmp_path, resume="auto", max_epochs=1)
    assert "not resuming: " in capsys.readouterr().err
    assert (tmp_path / "best.ckpt").is_file()


def test_a_fresh_start_sets_the_former_run_aside_first(tmp_path, monkeypatch, capsys):
    train(tmp_path, max_epochs=1)
    former = {name: (tmp_path / name).read_bytes() for name in ("best.ckpt", "last.ckpt", "history.csv")}
    capsys.readouterr()
    interrupt(tmp_path, monkeypatch, Signal(signal.SIGINT, "on_train_batch_start", 1), seed=1)
    lines = [line for line in capsys.readouterr().err.splitlines() if "starting afresh" in line]
    assert lines == [
        f"{tmp_path}: starting afresh; best.ckpt, last.ckpt, history.csv of the former run are moved to "
        f"{tmp_path / 'former'}"
    ]
    assert not (tmp_path / "best.ckpt").exists()
    assert not (tmp_path / "history.csv").exists()
    assert load_checkpoint(tmp_path / "last.ckpt")["config"]["seed"] == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "former").iterdir()} == former
    # What did not end does not displace what did.
    train(tmp_path, max_epochs=1, seed=2)
    assert "of a run that did not end are removed" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "former").iterdir()} == former
