"""Lines and warnings of a run, with a clock that the test moves."""

import re
from types import SimpleNamespace

import pytest
import torch

from axonet.core import progress
from axonet.core.input_spec import InputSpec
from axonet.learning import epoch_lines
from axonet.learning.epoch_lines import EpochLines
from axonet.learning.loader_watch import LoaderWatch
from axonet.learning.stage1_module import Stage1Module
from axonet.learning.stage1_watch import Stage1Watch

from .stage1_runs import settings, train


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run_batches(watch: LoaderWatch, clock: Clock, n: int, wait: float, step: float) -> None:
    trainer = SimpleNamespace(is_global_zero=True)
    watch.on_train_epoch_start(trainer, None)
    for _ in range(n):
        clock.now += wait
        watch.on_train_batch_start(trainer, None, None, 0)
        clock.now += step
        watch.on_train_batch_end(trainer, None, None, None, 0)


def test_waiting_for_images_is_said_once_with_its_share_and_what_to_do(capsys):
    clock = Clock()
    watch = LoaderWatch(2, clock)
    run_batches(watch, clock, 60, wait=0.75, step=0.25)
    run_batches(watch, clock, 60, wait=0.75, step=0.25)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("warning: training waits for images during 75% of its time: raise --num-workers (now 2)")


@pytest.mark.parametrize(
    ("n", "wait", "step"),
    [(200, 0.1, 0.9), (20, 3.0, 1.0), (1000, 0.01, 0.001)],
    ids=["a wait that hardly counts", "too few batches to tell", "too short to matter"],
)
def test_nothing_is_said_where_waiting_does_not_matter(capsys, n, wait, step):
    clock = Clock()
    run_batches(LoaderWatch(2, clock), clock, n, wait, step)
    assert capsys.readouterr().err == ""


def test_the_start_of_reading_processes_and_validation_are_no_waits(capsys):
    clock = Clock()
    watch = LoaderWatch(2, clock)
    for _ in range(4):
        clock.now += 300.0  # validation, then new processes
        run_batches(watch, clock, 20, wait=0.0, step=2.0)
    assert capsys.readouterr().err == ""


def trainer_at(batch: int, epoch: int = 0, max_steps: int = -1) -> SimpleNamespace:
    progress = SimpleNamespace(current=SimpleNamespace(ready=batch))
    return SimpleNamespace(
        is_global_zero=True,
        current_epoch=epoch,
        global_step=epoch * 100 + batch,
        max_epochs=4 if max_steps < 0 else -1,
        max_steps=max_steps,
        accumulate_grad_batches=1,
        num_training_batches=100,
        fit_loop=SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress)),
        callback_metrics={"train/loss": torch.tensor(1.25), "val/loss": torch.tensor(2.0)},
    )


@pytest.mark.parametrize(("max_steps", "name"), [(-1, "epoch 1 of 4"), (400, "epoch 1, step 5 of 400")])
def test_a_long_epoch_says_how_far_it_is_with_loss_and_time_left(capsys, max_steps, name):
    clock = Clock()
    lines = EpochLines(["train/loss", "val/loss", "val/dice"], clock)
    lines.on_train_start(trainer_at(0), None)
    for batch in range(1, 6):
        clock.now += 3.0
        lines.on_train_batch_end(trainer_at(batch, max_steps=max_steps), None, {"loss": torch.tensor(batch)}, None, 0)
    # After twelve seconds: four batches of three seconds, 396 to go.
    expected = name.replace("step 5", "step 4")
    assert capsys.readouterr().err == f"{expected}: batch 4 of 100, loss 2.5, 19 min 48 s left\n"


def test_an_epoch_ends_with_a_line(capsys):
    clock = Clock()
    lines = EpochLines(["train/loss", "val/loss", "val/dice", "val/loss"], clock)
    lines.on_train_start(trainer_at(0), None)
    for batch in range(1, 101):
        clock.now += 0.05
        lines.on_train_batch_end(trainer_at(batch), None, {"loss": torch.tensor(0.0)}, None, 0)
    clock.now += 1.0
    lines.on_train_epoch_end(trainer_at(100), None)
    assert capsys.readouterr().err == "epoch 1 of 4: train/loss 1.25, val/loss 2 (6.0 s, 18.0 s left)\n"


def test_on_a_terminal_a_bar_goes_on_and_the_epoch_s_line_stays(capsys, monkeypatch):
    monkeypatch.setattr(epoch_lines, "on_terminal", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then draws as on a terminal
    clock = Clock()
    lines = EpochLines(["train/loss"], clock)
    lines.on_train_start(trainer_at(0), None)
    for batch in range(1, 101):
        clock.now += 1.0
        lines.on_train_batch_end(trainer_at(batch), None, {"loss": torch.tensor(0.5)}, None, 0)
    lines.on_train_epoch_end(trainer_at(100), None)
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    assert "100/100" in said
    assert "loss 0.5" in said
    assert "epoch 1 of 4: train/loss 1.25 (1 min 40 s, 5 min left)" in said


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (60, "1 min"), (250, "4 min 10 s"), (12000, "3 h 20 min"), (187200, "2 d 4 h")],
)
def test_a_time_span_reads_as_people_say_it(seconds, words):
    assert progress.duration(seconds) == words


def watched(metrics: list[dict[str, float]], missing: list[list[str]] | None = None, **changed) -> None:
    """Lets the watch look at epochs with these metrics and these classes never predicted."""
    module = Stage1Module(settings(**changed), InputSpec(width=32, height=32, log_fov_mean=0.0, log_fov_std=1.0), 3)
    watch = Stage1Watch()
    for epoch, values in enumerate(metrics):
        module.measures.never_predicted = [] if missing is None else missing[epoch]
        trainer = SimpleNamespace(
            is_global_zero=True,
            loggers=[],
            callback_metrics={name: torch.tensor(value) for name, value in values.items()},
            global_step=3 * (epoch + 1),
            current_epoch=epoch,
            max_epochs=10,
            should_stop=False,
        )
        watch.on_train_epoch_end(trainer, module)


# Four latent channels, 1,024 pixels: 0.01 nats per channel are 0.04 / 1024 nats per pixel.
UNUSED, USED = {"val/kl_latent": 0.03 / 1024}, {"val/kl_latent": 0.05 / 1024}


def test_a_latent_space_that_is_not_used_is_said_once_with_the_flags_to_turn(capsys):
    watched([USED, UNUSED, USED, UNUSED])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "the KL divergence has collapsed: a latent channel carries 0.0075 nats" in lines[0]
    assert "raise --free-nats (now 0, try 0.1), lower --kld-weight (now 0.1)" in lines[0]


def test_without_validation_the_training_value_tells_of_a_collapse(capsys):
    watched([{"train/kl_latent": 0.0}])
    assert "collapsed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("metrics", "changed"),
    [([USED] * 3, {}), ([UNUSED] * 3, {"beta": 0.0}), ([UNUSED] * 3, {"kl_warmup_steps": 10})],
    ids=["used", "costs nothing", "still warming up"],
)
def test_no_collapse_is_said_where_there_is_none(capsys, metrics, changed):
    watched(metrics, **changed)
    assert capsys.readouterr().err == ""


def test_a_class_that_is_never_predicted_for_three_epochs_is_said_once(capsys):
    missing = [["axon", "soma"], ["axon"], ["axon", "soma"], ["axon", "soma"], ["axon"]]
    watched([USED] * 5, missing)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("warning: no validation pixel is ever predicted as axon, though there are such pixels")


def test_at_the_end_of_a_run_one_epoch_without_a_class_is_enough(capsys):
    watched([USED] * 10, [[]] * 9 + [["soma"]])
    assert "predicted as soma" in capsys.readouterr().err


def test_warnings_are_also_in_the_logs(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("axonet.learning.stage1_watch.ACTIVE_NATS", 1e9)
    train(tmp_path, max_epochs=1)
    assert "collapsed" in capsys.readouterr().err
    events = b"".join(path.read_bytes() for path in (tmp_path / "logs").glob("events.*"))
    assert b"the KL divergence has collapsed" in events
