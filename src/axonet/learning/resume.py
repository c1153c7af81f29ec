"""Taking up a run again: from where, and whether what was changed meanwhile allows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from axonet.core.config import resume_safe_names, setting_values
from axonet.core.errors import UserError
from axonet.core.progress import say
from axonet.learning.processes import is_first_process
from axonet.learning.settings import FitSettings
from axonet.models.checkpoint import load_checkpoint, read_torch_file

WORKING_FOLDER = ".training"


def find_last(resume: str, save_dir: Path) -> Path | None:
    """The file that ``--resume`` means.

    Args:
        resume: a path, or ``auto`` for what a stopped run left in ``save_dir``.
        save_dir: the run's folder.

    Returns:
        The file; None when ``auto`` finds nothing.
    """
    if resume != "auto":
        return Path(resume)
    candidates = (save_dir / WORKING_FOLDER / "last.ckpt", save_dir / "last.ckpt")
    return next((path for path in candidates if path.is_file()), None)


def resume_changes(config: dict[str, Any], settings: FitSettings) -> tuple[list[str], list[str]]:
    """What differs between the settings of a checkpoint and those of now.

    Args:
        config: the checkpoint's settings.
        settings: the settings of now.

    Returns:
        Phrases for the changes that are safe, and for those that make it another run.
    """
    safe_names = resume_safe_names(type(settings))
    now = setting_values(settings)
    safe: list[str] = []
    unsafe: list[str] = []
    for name in sorted(config.keys() | now.keys()):
        before, after = config.get(name), now.get(name)
        if before != after:
            (safe if name in safe_names else unsafe).append(f"{name.replace('_', '-')} {before} -> {after}")
    return safe, unsafe


def _tell(text: str) -> None:
    if is_first_process():
        say(text)


def prepare_resume(
    resume: str | None, save_dir: Path, stage: int, settings: FitSettings, data: dict[str, str]
) -> Path | None:
    """Decide what to resume from; says what changed since.

    Args:
        resume: a path, ``auto``, or None for a fresh start.
        save_dir: the run's folder.
        stage: 1 or 2.
        settings: the settings of now.
        data: digests of the data of now.

    Returns:
        The checkpoint to go on from, or None for a fresh start.

    Raises:
        UserError: the file cannot be resumed, or a setting or the data that decide what is learned have changed
            (with ``auto`` this is a fresh start, and a line says so).
    """
    path = None if resume is None else find_last(resume, save_dir)
    if path is None:
        return None
    checkpoint = load_checkpoint(path, stage)
    if "optimizer_states" not in read_torch_file(path):
        raise UserError(f"{path}: holds a model but not the state of its training; resume from last.ckpt")
    safe, unsafe = resume_changes(checkpoint["config"], settings)
    unsafe += [
        f"{name} data {before} -> {data.get(name)}"
        for name, before in checkpoint.get("data", {}).items()
        if before != data.get(name)
    ]
    if unsafe and resume == "auto":
        _tell(f"starting afresh, because {path} was trained otherwise: {'; '.join(unsafe)}")
        return None
    if unsafe:
        raise UserError(f"{path}: cannot be resumed, it was trained otherwise: {'; '.join(unsafe)}")
    _tell(f"resuming from {path}" + (f"; changed: {'; '.join(safe)}" if safe else ""))
    return path
