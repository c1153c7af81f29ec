"""Taking up a run again: from where, and whether what was changed meanwhile allows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from axonet.core.config import resume_safe_names, setting_values
from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.core.progress import say
from axonet.learning.processes import is_first_process
from axonet.learning.run_folder import WORKING_FOLDER
from axonet.learning.settings import FitSettings
from axonet.models.checkpoint import Checkpoint, load_checkpoint, read_torch_file
from axonet.version import __version__

# These follow from the data and the settings.
_COMPLETED_BY_TRAINING = {
    *("image_size", "inputs", "zoom", "merge_dendrites", "log_fov_mean", "log_fov_std", "fov_um_range"),
    "morphometrics",
}


def find_last(resume: str, save_dir: Path) -> Path | None:
    """The file that ``--resume`` means.

    Args:
        resume: a path, or ``auto`` for what a stopped run left in ``save_dir``; a run that ended left nothing to go
            on with.
        save_dir: the run's folder.

    Returns:
        The file; None when ``auto`` finds nothing.
    """
    if resume != "auto":
        return Path(resume)
    path = save_dir / WORKING_FOLDER / "last.ckpt"
    return path if path.is_file() else None


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


def data_changes(checkpoint: Checkpoint, data: dict[str, str], spec: InputSpec) -> list[str]:
    """What differs between the data of a checkpoint and those of now: one phrase for each.

    Args:
        checkpoint: of the run that is to be resumed.
        data: digests of the data of now.
        spec: how the views of now were rendered.
    """
    before, now = checkpoint["input_spec"], spec.model_dump(mode="json")
    rendering = [
        f"rendering {name.replace('_', '-')} {before.get(name)} -> {now.get(name)}"
        for name in sorted((before.keys() | now.keys()) - _COMPLETED_BY_TRAINING)
        if before.get(name) != now.get(name)
    ]
    digests = checkpoint.get("data", {})
    return rendering + [
        f"{name} data {digests.get(name)} -> {data.get(name)}"
        for name in sorted(digests.keys() | data.keys())
        if digests.get(name) != data.get(name)
    ]


def prepare_resume(
    resume: str | None, save_dir: Path, stage: int, settings: FitSettings, data: dict[str, str], spec: InputSpec
) -> Path | None:
    """Decide what to resume from; says what changed since.

    ``auto`` is for schedulers, which run the same command again: it goes on only with the very run that was stopped,
    and starts afresh when anything was changed. Whoever names a file may change what is safe to change.

    Args:
        resume: a path, ``auto``, or None for a fresh start.
        save_dir: the run's folder.
        stage: 1 or 2.
        settings: the settings of now.
        data: digests of the data of now.
        spec: how the views of now were rendered.

    Returns:
        The checkpoint to go on from, or None for a fresh start.

    Raises:
        UserError: the file that was named cannot be resumed, or a setting or the data that decide what is learned
            have changed.
    """
    path = None if resume is None else find_last(resume, save_dir)
    if path is None:
        return None
    if resume == "auto":
        return _same_run(path, stage, settings, data, spec)
    checkpoint = _stopped_run(path, stage)
    safe, unsafe = resume_changes(checkpoint["config"], settings)
    unsafe += data_changes(checkpoint, data, spec)
    if unsafe:
        raise UserError(f"{path}: cannot be resumed, it was trained otherwise: {'; '.join(unsafe)}")
    _tell(f"resuming from {path}" + (f"; changed: {'; '.join(safe)}" if safe else ""))
    return path


def _same_run(path: Path, stage: int, settings: FitSettings, data: dict[str, str], spec: InputSpec) -> Path | None:
    try:
        checkpoint = _stopped_run(path, stage)
    except UserError as error:
        _tell(f"not resuming: {error}")
        return None
    safe, unsafe = resume_changes(checkpoint["config"], settings)
    changes = unsafe + safe + data_changes(checkpoint, data, spec)
    if checkpoint["axonet"] != __version__:
        changes.append(f"axonet {checkpoint['axonet']} -> {__version__}")
    if changes:
        _tell(f"not resuming, because {path} was trained otherwise: {'; '.join(changes)}")
        return None
    _tell(f"resuming from {path}")
    return path


def _stopped_run(path: Path, stage: int) -> Checkpoint:
    checkpoint = load_checkpoint(path, stage)
    if "optimizer_states" not in read_torch_file(path):
        raise UserError(f"{path}: holds a model but not the state of its training; resume from last.ckpt")
    return checkpoint


def _tell(text: str) -> None:
    if is_first_process():
        say(text)
