"""Run a training: the trainer's set-up, checkpoints and logs are the same for both stages."""

from __future__ import annotations

import logging
import shutil
import signal
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.exceptions import SIGTERMException

from axonet.core.progress import say
from axonet.learning.callbacks import (
    EpochLines,
    HistoryWriter,
    RunKeeper,
    SettingsAfterResume,
    StepLimit,
    StopOnInterrupt,
    copy_file,
)
from axonet.learning.processes import is_first_process
from axonet.learning.resume import WORKING_FOLDER
from axonet.learning.settings import FitSettings
from axonet.learning.views_dataset import PlannedLoader


@dataclass(frozen=True)
class Selection:
    """Which epoch is the best.

    Attributes:
        monitor: a logged value, e.g. ``val/loss``.
        mode: whether it should be small or large.
    """

    monitor: str
    mode: Literal["min", "max"] = "min"


@dataclass(frozen=True)
class FitResult:
    """What came of a run.

    Attributes:
        best: path of ``best.ckpt``.
        best_value: its value of the monitored quantity.
        best_epoch: its epoch, 0 for the first.
        steps: optimizer steps of the whole run.
        device: what it was computed on.
    """

    best: Path
    best_value: float
    best_epoch: int
    steps: int
    device: str


def fit(
    module: LightningModule,
    train: PlannedLoader,
    val: PlannedLoader | None,
    settings: FitSettings,
    *,
    save_dir: Path,
    log_dir: Path,
    selection: Selection,
    resume: Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> FitResult:
    """Train a module and leave ``best.ckpt``, ``last.ckpt`` and ``history.csv`` in ``save_dir``.

    While training goes on, checkpoints lie in ``save_dir/.training``; ``best.ckpt`` is written as the last act. A run
    that is interrupted leaves ``last.ckpt`` alone, from which it can be resumed.

    Args:
        module: has ``checkpoint()``, which returns the checkpoint dictionary of its model.
        train: training batches.
        val: validation batches, None for none.
        settings: what was set.
        save_dir: output folder.
        log_dir: folder of the TensorBoard logs.
        selection: which epoch is the best.
        resume: a ``last.ckpt`` to go on from.
        callbacks: further callbacks of the stage.

    Raises:
        UserError: the loss is no longer a number.
        KeyboardInterrupt: the user stopped it; ``last.ckpt`` was written.
    """
    quiet_lightning()
    working = _working_folder(save_dir, resume)
    keeper = RunKeeper(working, selection.monitor, selection.mode, on_validation=val is not None)
    stop = StopOnInterrupt()
    trainer = _trainer(settings, keeper, save_dir, log_dir, val is not None, resume, [*callbacks, stop])
    train.position = lambda: (trainer.current_epoch, trainer.fit_loop.epoch_loop.batch_progress.current.ready)
    for loader in (train, val):
        if loader is not None:
            loader.rank, loader.world_size = trainer.global_rank, trainer.world_size
            loader.pin_memory = _on_cuda(trainer)
    try:
        with without_known_warnings(), stop.listening(trainer):
            trainer.fit(module, train, val, ckpt_path=resume, weights_only=True)
    except SystemExit as stopped:
        # Lightning ends the process when the user interrupts it; the command has its own way of saying so.
        if isinstance(stopped.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from stopped
        if isinstance(stopped, SIGTERMException):
            say("terminated; --resume auto goes on from here")
            raise SystemExit(128 + signal.SIGTERM) from stopped
        raise
    finally:
        if trainer.is_global_zero and keeper.last_path.is_file():
            copy_file(keeper.last_path, save_dir / "last.ckpt")
    assert keeper.best_value is not None
    assert keeper.best_epoch is not None
    if trainer.is_global_zero:
        copy_file(keeper.best_path, save_dir / "best.ckpt")
        shutil.rmtree(working)
    device = trainer.strategy.root_device.type
    return FitResult(save_dir / "best.ckpt", keeper.best_value, keeper.best_epoch, trainer.global_step, device)


def quiet_lightning() -> None:
    """Keep Lightning's advertisements and hardware listings out of the log; its warnings stay."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def without_known_warnings() -> Iterator[None]:
    """Hide what only Lightning's authors can act on, and what we say in our own words."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"You defined a `validation_step` but have no `val_dataloader`")
        warnings.filterwarnings("ignore", r".*isinstance\(treespec, LeafSpec\)", FutureWarning)
        yield


def choose_precision(precision: str, accelerator: str) -> Any:
    """Lightning's name of a precision; ``auto`` looks at the hardware."""
    cuda = accelerator in ("auto", "gpu") and torch.cuda.is_available()
    if precision == "auto":
        precision = "32" if not cuda else "bf16" if torch.cuda.get_device_capability() >= (8, 0) else "16"
    return {"32": "32-true", "16": "16-mixed", "bf16": "bf16-mixed"}[precision]


def _working_folder(save_dir: Path, resume: Path | None) -> Path:
    """Make ``save_dir/.training``: empty for a fresh start, with the resumed run's best and last otherwise."""
    working = save_dir / WORKING_FOLDER
    if not is_first_process():
        return working
    if resume is None:
        shutil.rmtree(working, ignore_errors=True)
    working.mkdir(parents=True, exist_ok=True)
    if resume is not None and resume.resolve().parent != working.resolve():
        copy_file(resume, working / "last.ckpt")
        beside = [resume.parent / WORKING_FOLDER / "best.ckpt", resume.parent / "best.ckpt"]
        for best in beside:
            if best.is_file():
                if best.resolve() != (working / "best.ckpt").resolve():
                    copy_file(best, working / "best.ckpt")
                break
    return working


def _trainer(
    settings: FitSettings,
    keeper: RunKeeper,
    save_dir: Path,
    log_dir: Path,
    validates: bool,
    resume: Path | None,
    callbacks: Sequence[Callback],
) -> Trainer:
    own: list[Callback] = [
        StepLimit(),
        HistoryWriter(save_dir / "history.csv"),
        EpochLines(keeper.monitor),
        keeper,
    ]
    if resume is not None:
        own.append(SettingsAfterResume())
    if settings.early_stopping:
        own.append(
            EarlyStopping(
                keeper.monitor, mode=keeper.mode, patience=settings.patience, check_on_train_epoch_end=not validates
            )
        )
    if settings.accelerator != "cpu" and torch.cuda.is_available():
        torch.set_float32_matmul_precision("high")
    return Trainer(
        accelerator=settings.accelerator,
        devices="auto" if settings.devices is None else settings.devices,
        # A job of a cluster is one task that starts its own processes, however many the cluster's variables name.
        plugins=[LightningEnvironment()],
        precision=choose_precision(settings.precision, settings.accelerator),
        max_epochs=settings.max_epochs if settings.max_steps is None else -1,
        max_steps=-1 if settings.max_steps is None else settings.max_steps,
        accumulate_grad_batches=settings.gradient_accumulation_steps,
        gradient_clip_val=settings.gradient_clip_val or None,
        logger=TensorBoardLogger(log_dir, name="", version=""),
        callbacks=[*callbacks, *own],
        default_root_dir=save_dir,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=1.0 if validates else 0,
        log_every_n_steps=1,  # nothing is logged per step, and this keeps short epochs from being warned of
        use_distributed_sampler=False,
        benchmark=True,
    )


def _on_cuda(trainer: Trainer) -> bool:
    return trainer.strategy.root_device.type == "cuda"


def describe_result(result: FitResult, selection: Selection) -> None:
    """Say what came of a run."""
    if not is_first_process():
        return
    say(
        f"{result.best}: best epoch {result.best_epoch + 1} with {selection.monitor} {result.best_value:.4g}, "
        f"{result.steps:,} steps"
    )
