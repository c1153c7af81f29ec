"""What happens beside the steps of a training run: its end, settings after a resume, history."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from axonet.core.files import write_text
from axonet.learning.optimizer import apply_settings_after_resume


class StepLimit(Callback):
    """Lets the last step of ``max_steps`` be followed by a validation, also in the middle of an epoch."""

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Stop after this batch when the limit is reached."""
        if 0 <= trainer.max_steps <= trainer.global_step:
            trainer.should_stop = True


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
