"""What happens beside the steps of a training run: history, lines for the reader, signals."""

from __future__ import annotations

import csv
import io
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from axonet.core.files import write_text
from axonet.core.progress import say
from axonet.learning.optimizer import apply_settings_after_resume

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
