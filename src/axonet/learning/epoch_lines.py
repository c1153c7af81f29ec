"""What a training says while it goes on: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from axonet.core.progress import Bar, duration, on_terminal, say

FIRST_LINE_AFTER = 10.0
SECONDS_BETWEEN_LINES = 60.0


class EpochLines(Callback):
    """A line per epoch with the time that is left; within long epochs a bar, or a line now and then.

    Args:
        shown: logged values that a line names, as far as there are.
        clock: seconds that only rise.
    """

    def __init__(self, shown: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.shown = tuple(dict.fromkeys(shown))
        self._clock = clock
        self._bar: Bar | None = None
        self._run_started = self._started = self._next_line = 0.0
        self._run_batches = self._batches = 0
        self._loss: Tensor | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clocks; a resumed epoch has no other start."""
        self._run_started, self._run_batches = self._clock(), 0
        self._start_epoch()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the epoch's clock."""
        self._start_epoch()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count, and say how far a long epoch is."""
        self._run_batches += 1
        self._batches += 1
        if outputs is not None:
            # Summed where it is: reading it here would make every step wait for the device.
            loss = outputs["loss"].detach().float()
            self._loss = loss if self._loss is None else self._loss + loss
        if not trainer.is_global_zero:
            return
        if on_terminal():
            self._show_bar(trainer)
        elif self._clock() >= self._next_line:
            self._next_line = self._clock() + SECONDS_BETWEEN_LINES
            done, of = _done(trainer), trainer.num_training_batches
            say(f"{self._epoch(trainer)}: batch {done:,} of {of:,}, {self._loss_text()}, {self._left(trainer)}")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say what the epoch brought."""
        self._close_bar()
        metrics = trainer.callback_metrics
        if not trainer.is_global_zero or not metrics:
            return  # without metrics, this is an epoch that had ended before the run was resumed
        values = [f"{name} {float(metrics[name]):.4g}" for name in self.shown if name in metrics]
        seconds = self._clock() - self._started
        say(f"{self._epoch(trainer)}: {', '.join(values)} ({duration(seconds)}, {self._left(trainer)})")

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leave the terminal in order."""
        self._close_bar()

    def _start_epoch(self) -> None:
        self._started = self._clock()
        self._next_line = self._started + FIRST_LINE_AFTER
        self._batches, self._loss = 0, None

    def _show_bar(self, trainer: Trainer) -> None:
        if self._bar is None:
            self._bar = Bar(self._epoch(trainer), int(trainer.num_training_batches))
        # Several times a second would make a GPU wait for nothing that an eye can read.
        text = None
        if self._clock() >= self._next_line - FIRST_LINE_AFTER + 1:
            self._next_line = self._clock() + FIRST_LINE_AFTER
            text = f"{self._loss_text()}, {self._left(trainer)}"
        self._bar.show(_done(trainer), text)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _loss_text(self) -> str:
        if self._loss is None:
            return "loss unknown"
        return f"loss {float(self._loss / self._batches):.4g}"

    def _epoch(self, trainer: Trainer) -> str:
        if (trainer.max_epochs or -1) > 0:
            return f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}"
        return f"epoch {trainer.current_epoch + 1}, step {trainer.global_step:,} of {trainer.max_steps:,}"

    def _left(self, trainer: Trainer) -> str:
        """Time until the last step at the pace so far, validation included."""
        per_epoch = int(trainer.num_training_batches)
        if trainer.max_steps > 0:
            batches = (trainer.max_steps - trainer.global_step) * trainer.accumulate_grad_batches
        else:
            batches = ((trainer.max_epochs or 0) - trainer.current_epoch) * per_epoch - _done(trainer)
        pace = (self._clock() - self._run_started) / max(1, self._run_batches)
        return f"{duration(max(0, batches) * pace)} left"


def _done(trainer: Trainer) -> int:
    return int(trainer.fit_loop.epoch_loop.batch_progress.current.ready)
