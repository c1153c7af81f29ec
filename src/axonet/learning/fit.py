"""Run a training: the trainer's set-up, checkpoints and logs are the same for both stages."""

from __future__ import annotations

import logging
import math
import signal
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.exceptions import SIGTERMException

from axonet.core.errors import UserError
from axonet.core.progress import how_many, say
from axonet.inference.device import torch_device
from axonet.learning.callbacks import HistoryWriter, SettingsAfterResume, StepLimit
from axonet.learning.epoch_lines import EpochLines
from axonet.learning.loader_watch import LoaderWatch
from axonet.learning.machine_errors import full_disk_told_once, plain_machine_errors
from axonet.learning.processes import is_first_process
from axonet.learning.requeue import requeue_job
from axonet.learning.run_folder import WORKING_FOLDER, copy_file, prepare_folder, remove_working_folder
from axonet.learning.running_means import EpochMeans
from axonet.learning.selection import Patience, RunKeeper, Selection
from axonet.learning.settings import FitSettings
from axonet.learning.stopping import StopBetweenSteps
from axonet.learning.views_dataset import PlannedLoader


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
    memory_advice: str = "lower --batch-size",
) -> FitResult:
    """Train a module and leave ``best.ckpt``, ``last.ckpt`` and ``history.csv`` in ``save_dir``.

    While training goes on, checkpoints lie in ``save_dir/.training``; ``best.ckpt`` is written as the last act. A run
    that is interrupted leaves ``last.ckpt`` alone, from which it can be resumed.

    Args:
        module: has ``checkpoint()``, which returns the checkpoint dictionary of its model, and ``means``, which are
            logged for every training epoch.
        train: training batches.
        val: validation batches, None for none.
        settings: what was set.
        save_dir: output folder.
        log_dir: folder of the TensorBoard logs.
        selection: which epoch is the best.
        resume: a ``last.ckpt`` to go on from.
        callbacks: further callbacks of the stage.
        memory_advice: what to say when memory runs out.

    Raises:
        UserError: the machine cannot do what the settings ask for, an image cannot be read, the loss is no longer a
            number, or nothing was left to train.
        KeyboardInterrupt: the user stopped it; ``last.ckpt`` was written.
    """
    quiet_lightning()
    minutes = settings.save_minutes or math.inf
    keeper = RunKeeper(save_dir / WORKING_FOLDER, selection, on_validation=val is not None, minutes=minutes)
    stop = StopBetweenSteps()
    beside = [EpochMeans(module.means), *callbacks, LoaderWatch(train.num_workers), stop]  # type: ignore[arg-type]
    with without_known_warnings():
        trainer = _trainer(settings, keeper, save_dir, log_dir, val is not None, resume, beside)
    if val is not None and len(val.plan) < trainer.world_size:
        raise UserError(
            f"--devices {trainer.world_size}: the validation views make "
            f"{how_many(len(val.plan), 'batch', 'batches')}, so some processes would have none; lower --devices or "
            "--batch-size"
        )
    prepare_folder(save_dir, resume)
    train.position = lambda: (trainer.current_epoch, trainer.fit_loop.epoch_loop.batch_progress.current.ready)
    for loader in (train, val):
        if loader is not None:
            loader.rank, loader.world_size = trainer.global_rank, trainer.world_size
            loader.pin_memory = _on_cuda(trainer)
    stopped_early = False
    try:
        told = plain_machine_errors(memory_advice), full_disk_told_once(log_dir)
        with without_known_warnings(), stop.listening(), told[0], told[1]:
            trainer.fit(module, train, val, ckpt_path=resume, weights_only=True)
    except SystemExit as stopped:
        stopped_early = True
        # Lightning ends the process when the user interrupts it; the command has its own way of saying so.
        if isinstance(stopped.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from stopped
        if isinstance(stopped, SIGTERMException):
            if trainer.is_global_zero:
                say("terminated; --resume auto goes on from here")
            raise SystemExit(128 + (stop.asked or signal.SIGTERM)) from stopped
        raise
    finally:
        for loader in (train, val):
            if loader is not None:
                loader.close()
        if trainer.is_global_zero and keeper.last_path.is_file():
            copy_file(keeper.last_path, save_dir / "last.ckpt")
        if trainer.is_global_zero and stopped_early and stop.asked is signal.SIGUSR1:
            requeue_job()
    if keeper.best_value is None or keeper.best_epoch is None:
        remove_working_folder(save_dir)
        raise UserError(f"{resume}: no epoch is left from which a best one could be chosen; raise --max-epochs")
    if trainer.is_global_zero:
        copy_file(keeper.best_path, save_dir / "best.ckpt")
        remove_working_folder(save_dir)
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
        warnings.filterwarnings("ignore", r"The `srun` command is available on your system but is not used")
        yield


def choose_precision(precision: str, accelerator: str) -> Any:
    """Lightning's name of a precision; ``auto`` looks at the hardware.

    Raises:
        UserError: the hardware does not compute in it.
    """
    device = torch_device(accelerator)
    cuda = device == "cuda"
    if precision == "16" and device == "cpu":
        raise UserError("--precision 16: needs a GPU; a CPU computes in bf16 or 32")
    if precision == "auto":
        precision = "32" if not cuda else "bf16" if torch.cuda.get_device_capability() >= (8, 0) else "16"
    return {"32": "32-true", "16": "16-mixed", "bf16": "bf16-mixed"}[precision]


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
        EpochLines(["train/loss", "val/loss", "val/dice", keeper.monitor]),
        keeper,
    ]
    if resume is not None:
        own.append(SettingsAfterResume())
    if settings.early_stopping:
        own.append(Patience(keeper.selection, settings.patience, on_validation=validates))
    if settings.accelerator != "cpu" and torch.cuda.is_available():
        torch.set_float32_matmul_precision("high")
    precision = choose_precision(settings.precision, settings.accelerator)
    try:
        return Trainer(
            accelerator=settings.accelerator,
            devices="auto" if settings.devices is None else settings.devices,
            # A job of a cluster is one task that starts its own processes, however many the cluster's variables name.
            plugins=[LightningEnvironment()],
            precision=precision,
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
    except MisconfigurationException as error:
        asked = f"--accelerator {settings.accelerator}, --devices {settings.devices or 'auto'}, --precision {precision}"
        raise UserError(f"{asked}: not on this machine ({' '.join(str(error).split())})") from error


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
