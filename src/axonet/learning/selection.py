"""Which epoch is the best, and the checkpoints that are kept while training goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint as CheckpointCallback
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.utilities.exceptions import SIGTERMException

from axonet.core.config import setting_values
from axonet.core.errors import UserError
from axonet.core.files import naming_full_disk
from axonet.core.progress import say
from axonet.learning.finite import NotFiniteError
from axonet.learning.processes import is_first_process
from axonet.learning.settings import FitSettings
from axonet.models.checkpoint import save_checkpoint


@dataclass(frozen=True)
class Selection:
    """Which epoch is the best.

    Attributes:
        monitor: a logged value, e.g. ``val/loss``.
        mode: whether it should be small or large.
        depends_on: the settings that enter this value: values under other settings cannot be compared.
    """

    monitor: str
    mode: Literal["min", "max"] = "min"
    depends_on: Mapping[str, Any] = field(default_factory=dict)

    def prefers(self, value: float, other: float) -> bool:
        """Whether a value is better than another."""
        return value < other if self.mode == "min" else value > other

    def state(self) -> dict[str, Any]:
        """As plain data."""
        return {"monitor": self.monitor, "depends_on": dict(self.depends_on)}

    def changes_since(self, state: Mapping[str, Any]) -> list[str]:
        """What keeps values that were selected by a former :meth:`state` from being compared with those of now."""
        if state["monitor"] != self.monitor:
            return [f"it was {state['monitor']}"]
        before = state.get("depends_on", {})
        return [
            f"{name.replace('_', '-')} {before.get(name)} -> {self.depends_on.get(name)}"
            for name in sorted(before.keys() | self.depends_on.keys())
            if before.get(name) != self.depends_on.get(name)
        ]


def selection_by(
    monitor: str, settings: FitSettings, depends_on: tuple[str, ...], mode: Literal["min", "max"] = "min"
) -> Selection:
    """A selection by a value that some of the settings enter."""
    return Selection(monitor, mode, setting_values(settings, depends_on))


class RunKeeper(CheckpointCallback):
    """Keeps ``best.ckpt`` and the resumable ``last.ckpt`` in a working folder while training goes on.

    Args:
        folder: the working folder.
        selection: which epoch is the best.
        on_validation: whether its value comes from validation; otherwise from the end of the training epoch.
        minutes: within an epoch, ``last.ckpt`` is at most so old; infinite for the ends of epochs alone.
        clock: seconds that only rise.
    """

    def __init__(
        self,
        folder: Path,
        selection: Selection,
        on_validation: bool,
        minutes: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.selection = selection
        self.monitor = selection.monitor
        self.on_validation = on_validation
        self.best_value: float | None = None
        self.best_epoch: int | None = None
        self._diverged = False
        self._seconds, self._clock = 60 * minutes, clock
        self._saved = clock()

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
        self._saved = self._clock()
        if not self.best_path.exists():
            self.best_value = self.best_epoch = None

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, i: int) -> None:
        """Save now and then, and where a step limit ends the run within an epoch and no validation follows."""
        if _epoch_is_over(trainer):
            return
        if trainer.should_stop:
            if not self.on_validation:
                self._save_last(trainer)
        elif (i + 1) % trainer.accumulate_grad_batches == 0 and self._clock() - self._saved >= self._seconds:
            self._save_alone(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Judge by validation."""
        if self.on_validation and not trainer.sanity_checking:
            self._judge(trainer, pl_module)
            if not _epoch_is_over(trainer):
                self._save_last(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Judge by training where there is no validation, and save."""
        # A run that is resumed where an epoch had ended ends that epoch once more, with nothing to judge.
        if not self.on_validation and self.monitor in trainer.callback_metrics:
            self._judge(trainer, pl_module)
        # A run that stopped within an epoch was saved there, so that it goes on with the rest of the epoch.
        if _epoch_is_over(trainer):
            self._save_last(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Save what was learned so far when the run is interrupted or fails."""
        # One process that fails alone must not wait for the others, which do not save.
        together = isinstance(exception, KeyboardInterrupt | SIGTERMException) or trainer.world_size == 1
        # After the last batch of an epoch comes validation, which cannot be resumed halfway: the former file holds.
        whole = not (self._diverged or isinstance(exception, NotFiniteError))
        if together and trainer.global_step > 0 and whole and not _epoch_is_over(trainer):
            self._save_last(trainer)

    def state_dict(self) -> dict[str, Any]:
        """The best value and its epoch, and by what it was judged."""
        return {"best_value": self.best_value, "best_epoch": self.best_epoch, **self.selection.state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the best of the run that is resumed, if it was judged alike; otherwise judge anew."""
        changes = self.selection.changes_since(state_dict)
        if not changes:
            self.best_value, self.best_epoch = state_dict["best_value"], state_dict["best_epoch"]
        elif is_first_process():
            say(f"the best epoch is chosen anew, among those from now on, by {self.monitor}: {'; '.join(changes)}")

    def _judge(self, trainer: Trainer, module: LightningModule) -> None:
        value = float(trainer.callback_metrics[self.monitor])
        if not math.isfinite(value):
            self._diverged = True
            raise UserError(
                f"training diverged in epoch {trainer.current_epoch + 1}: {self.monitor} is {value}; lower --lr, set "
                "--gradient-clip-val 1 or add --lr-warmup-steps"
            )
        if self.best_value is None or self.selection.prefers(value, self.best_value):
            self.best_value, self.best_epoch = value, trainer.current_epoch
            if trainer.is_global_zero:
                save_checkpoint(self.best_path, module.checkpoint())  # type: ignore[operator]

    def _save_last(self, trainer: Trainer) -> None:
        trainer.lightning_module.means.level(trainer.strategy)  # type: ignore[union-attr, operator]
        with self._taking_its_place(trainer) as temporary:
            trainer.save_checkpoint(temporary)
        self._saved = self._clock()

    def _save_alone(self, trainer: Trainer) -> None:
        """Save without the other processes, whose clocks differ: the first has everything that it takes."""
        self._saved = self._clock()
        if trainer.is_global_zero:
            with self._taking_its_place(trainer) as temporary:
                checkpoint = trainer._checkpoint_connector.dump_checkpoint(weights_only=False)
                trainer.strategy.save_checkpoint(checkpoint, temporary)

    @contextmanager
    def _taking_its_place(self, trainer: Trainer) -> Iterator[Path]:
        """A temporary path for all processes, which the first lets take the place of ``last.ckpt``."""
        temporary = self.last_path.with_suffix(".part")
        try:
            with naming_full_disk(self.last_path):
                yield temporary
            if trainer.is_global_zero:
                temporary.replace(self.last_path)
        finally:
            if trainer.is_global_zero:
                temporary.unlink(missing_ok=True)


class Patience(EarlyStopping):
    """Early stopping that counts from anew when the value it watches means something else after a resume.

    Args:
        selection: the value it watches.
        patience: epochs without improvement.
        on_validation: whether the value comes from validation.
    """

    def __init__(self, selection: Selection, patience: int, on_validation: bool) -> None:
        super().__init__(
            selection.monitor, mode=selection.mode, patience=patience, check_on_train_epoch_end=not on_validation
        )
        self.selection = selection

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count where there is no validation; not for an epoch that had ended before the run was resumed."""
        if self.monitor in trainer.callback_metrics:
            super().on_train_epoch_end(trainer, pl_module)

    def state_dict(self) -> dict[str, Any]:
        """The count so far, and by what it was judged."""
        return {**super().state_dict(), **self.selection.state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the count, but not the patience, which may have been changed."""
        if not self.selection.changes_since(state_dict):
            super().load_state_dict({**state_dict, "patience": self.patience})


def _epoch_is_over(trainer: Trainer) -> bool:
    done: int = trainer.fit_loop.epoch_loop.batch_progress.current.processed  # type: ignore[attr-defined]
    return done >= trainer.num_training_batches
