"""What happens beside the steps of a training run: history, lines for the reader, signals."""

from __future__ import annotations

import csv
import io
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities.exceptions import SIGTERMException

from axonet.core.files import write_text
from axonet.core.progress import say
from axonet.learning.optimizer import apply_settings_after_resume


class StepLimit(Callback):
    """Lets the last step of ``max_steps`` be followed by a validation, also in the middle of an epoch."""

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Stop after this batch when the limit is reached."""
        if 0 <= trainer.max_steps <= trainer.global_step:
            trainer.should_stop = True


class StopBetweenSteps(Callback):
    """Lets Ctrl-C and a scheduler's signals take effect between two steps, where a run can be taken up without loss.

    SIGTERM comes with a preemption or a cancelled job, SIGUSR1 by convention some time before a job's time is over
    (``sbatch --signal=USR1@120``). A second Ctrl-C takes effect at once.

    Attributes:
        asked: the signal that was heard.
    """

    def __init__(self) -> None:
        self.asked: signal.Signals | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Leave the handling of signals as it was before the block."""
        # Other threads get no signals.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
        former = [signal.getsignal(number) for number in numbers]
        signal.signal(signal.SIGINT, self._hear)
        signal.signal(signal.SIGUSR1, self._hear)
        try:
            yield
        finally:
            for number, handler in zip(numbers, former, strict=True):
                signal.signal(number, handler)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take over from Lightning, which would stop within a step of several batches."""
        if threading.current_thread() is not threading.main_thread():
            return
        if trainer.world_size == 1:
            signal.signal(signal.SIGTERM, self._hear)
        else:
            # Several processes would stop at different steps and wait for each other: Lightning lets the first decide.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGUSR1, self._pass_on)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Stop before the next step."""
        if self.asked is None or batch_idx % trainer.accumulate_grad_batches:
            return
        if self.asked is signal.SIGINT:
            raise KeyboardInterrupt
        raise SIGTERMException

    def _hear(self, number: int, _: Any) -> None:
        if number == signal.SIGINT and self.asked is not None:
            raise KeyboardInterrupt
        self.asked = signal.Signals(number)
        if number == signal.SIGINT:
            say("stopping after this batch or validation; interrupt again to stop at once")
        else:
            say(f"{self.asked.name}: stopping after this batch or validation")

    def _pass_on(self, number: int, _: Any) -> None:
        self.asked = signal.Signals(number)
        os.kill(os.getpid(), signal.SIGTERM)


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
        if not metrics:
            return  # a run that was resumed where an epoch had ended ends that epoch once more
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
