"""What happens beside the steps of a training run: history, lines for the reader, checkpoints."""

from __future__ import annotations

import csv
import io
import math
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint as CheckpointCallback
from lightning.pytorch.utilities.exceptions import SIGTERMException

from axonet.core.errors import UserError
from axonet.core.files import atomic_path, write_text
from axonet.core.progress import say
from axonet.learning.optimizer import apply_settings_after_resume
from axonet.models.checkpoint import save_checkpoint

SECONDS_BETWEEN_LINES = 60.0


class StepLimit(Callback):
    """Lets the last step of ``max_steps`` be followed by a validation, also in the middle of an epoch."""

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Stop after this batch when the limit is reached."""
        if 0 <= trainer.max_steps <= trainer.global_step:
            trainer.should_stop = True


class StopOnInterrupt(Callback):
    """Lets an interrupt (Ctrl-C) take effect between two batches, where a run can be taken up without loss.

    A second interrupt takes effect at once.
    """

    def __init__(self) -> None:
        self._asked = False

    @contextmanager
    def listening(self, trainer: Trainer) -> Iterator[None]:
        """Listen for interrupts while the block runs, and leave things as they were."""
        # Several processes would stop at different batches and wait for each other; other threads get no signals.
        if trainer.world_size > 1 or threading.current_thread() is not threading.main_thread():
            yield
            return
        former = signal.signal(signal.SIGINT, self._hear)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, former)

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        """Stop before the next batch."""
        if self._asked:
            raise KeyboardInterrupt

    def _hear(self, *_: Any) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        say("stopping after this batch or validation; interrupt again to stop at once")


class SettingsAfterResume(Callback):
    """Gives a changed learning rate or decay its effect when a run is resumed."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Called once the optimizer was restored."""
        apply_settings_after_resume(trainer, pl_module)


class HistoryWriter(Callback):
    """``history.csv``: one row per epoch with everything that was logged; a resumed run continues it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[int, dict[str, float]] = {}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add the epoch's row and write the table."""
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        rate = float(trainer.optimizers[0].param_groups[0]["lr"])
        self.rows[trainer.current_epoch] = {"step": trainer.global_step, "lr": rate, **metrics}
        if trainer.is_global_zero:
            write_text(self.path, history_csv(self.rows))

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the rows of the run that is resumed."""
        self.rows = {int(epoch): dict(row) for epoch, row in state_dict["rows"].items()}


def history_csv(rows: dict[int, dict[str, float]]) -> str:
    """The table as CSV: epoch, step and learning rate first, then the metrics by name; blank where not logged."""
    first = ["step", "lr"]
    names = first + sorted({name for row in rows.values() for name in row} - set(first))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["epoch", *names])
    for epoch in sorted(rows):
        table.writerow([epoch, *(f"{rows[epoch][name]:.7g}" if name in rows[epoch] else "" for name in names)])
    return text.getvalue()


class EpochLines(Callback):
    """A line per epoch, and one a minute within long epochs."""

    def __init__(self, monitor: str) -> None:
        self.monitor = monitor
        self._started = self._last = 0.0
        self._batches = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock; a resumed epoch has no other start."""
        self.on_train_epoch_start(trainer, pl_module)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._started = self._last = time.monotonic()
        self._batches = 0

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Say how far a long epoch is."""
        self._batches += 1
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN_LINES and trainer.is_global_zero:
            self._last = now
            done = trainer.fit_loop.epoch_loop.batch_progress.current.ready
            rate, n_batches = self._batches / (now - self._started), trainer.num_training_batches
            say(f"epoch {trainer.current_epoch + 1}: batch {done:,} of {n_batches:,}, {rate:.3g} per second")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say what the epoch brought."""
        if not trainer.is_global_zero:
            return
        names = dict.fromkeys(["train/loss", "val/loss", self.monitor])
        values = [
            f"{name} {float(trainer.callback_metrics[name]):.4g}" for name in names if name in trainer.callback_metrics
        ]
        seconds = time.monotonic() - self._started
        of = f" of {trainer.max_epochs}" if (trainer.max_epochs or -1) > 0 else f", step {trainer.global_step:,}"
        say(f"epoch {trainer.current_epoch + 1}{of}: {', '.join(values)} ({seconds:.1f} s)")


class RunKeeper(CheckpointCallback):
    """Keeps ``best.ckpt`` and the resumable ``last.ckpt`` in a working folder while training goes on.

    Args:
        folder: the working folder.
        monitor: the logged value that selects the best epoch.
        mode: whether it should be small or large.
        on_validation: whether it comes from validation; otherwise from the end of the training epoch.
    """

    def __init__(self, folder: Path, monitor: str, mode: Literal["min", "max"], on_validation: bool) -> None:
        self.folder = folder
        self.monitor = monitor
        self.mode = mode
        self.on_validation = on_validation
        self.best_value: float | None = None
        self.best_epoch: int | None = None
        self._diverged = False

    @property
    def best_path(self) -> Path:
        """The best model so far."""
        return self.folder / "best.ckpt"

    @property
    def last_path(self) -> Path:
        """Where the run can be taken up again."""
        return self.folder / "last.ckpt"

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A best value whose model is not here is of no use."""
        if not self.best_path.exists():
            self.best_value = self.best_epoch = None

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Save where a step limit ends the run within an epoch and no validation follows."""
        if trainer.should_stop and not self.on_validation and not _epoch_is_over(trainer):
            self._save_last(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Judge by validation."""
        if self.on_validation and not trainer.sanity_checking:
            self._judge(trainer, pl_module)
            if not _epoch_is_over(trainer):
                self._save_last(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Judge by training where there is no validation, and save."""
        if not self.on_validation:
            self._judge(trainer, pl_module)
        # A run that stopped within an epoch was saved there, so that it goes on with the rest of the epoch.
        if _epoch_is_over(trainer):
            self._save_last(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Save what was learned so far when the run is interrupted or fails."""
        # One process that fails alone must not wait for the others, which do not save.
        together = isinstance(exception, KeyboardInterrupt | SIGTERMException) or trainer.world_size == 1
        # After the last batch of an epoch comes validation, which cannot be resumed halfway: the former file holds.
        if together and trainer.global_step > 0 and not self._diverged and not _epoch_is_over(trainer):
            self._save_last(trainer)

    def state_dict(self) -> dict[str, Any]:
        """The best value and its epoch."""
        return {"best_value": self.best_value, "best_epoch": self.best_epoch, "monitor": self.monitor}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the best of the run that is resumed, if it was judged by the same value."""
        if state_dict["monitor"] == self.monitor:
            self.best_value, self.best_epoch = state_dict["best_value"], state_dict["best_epoch"]

    def _judge(self, trainer: Trainer, module: LightningModule) -> None:
        value = float(trainer.callback_metrics[self.monitor])
        if not math.isfinite(value):
            self._diverged = True
            raise UserError(
                f"training diverged in epoch {trainer.current_epoch + 1}: {self.monitor} is {value}; lower --lr, set "
                "--gradient-clip-val 1 or add --lr-warmup-steps"
            )
        if self.best_value is None or (value < self.best_value if self.mode == "min" else value > self.best_value):
            self.best_value, self.best_epoch = value, trainer.current_epoch
            if trainer.is_global_zero:
                save_checkpoint(self.best_path, module.checkpoint())  # type: ignore[operator]

    def _save_last(self, trainer: Trainer) -> None:
        temporary = self.last_path.with_suffix(".part")
        trainer.save_checkpoint(temporary)
        if trainer.is_global_zero:
            temporary.replace(self.last_path)


def _epoch_is_over(trainer: Trainer) -> bool:
    progress = trainer.fit_loop.epoch_loop.batch_progress
    return progress.is_last_batch or progress.current.ready >= trainer.num_training_batches


def copy_file(source: Path, target: Path) -> None:
    """Copy a file atomically."""
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
