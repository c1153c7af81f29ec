"""The folder of a run: where its checkpoints lie while it goes on, and what becomes of a former run's files."""

from __future__ import annotations

import shutil
from pathlib import Path

from axonet.core.files import atomic_path
from axonet.core.progress import say
from axonet.learning.processes import is_first_process

WORKING_FOLDER = ".training"
FORMER_FOLDER = "former"
_BEST = "best.ckpt"
# The model first: a kill while they are moved must not leave it beside another run's files.
_OF_A_RUN = (_BEST, "last.ckpt", "run.json", "history.csv", WORKING_FOLDER)


def prepare_folder(save_dir: Path, resume: Path | None) -> Path:
    """Make ``save_dir/.training``: empty for a fresh start, with the resumed run's best and last otherwise.

    Args:
        save_dir: the run's folder.
        resume: the checkpoint to go on from, None for a fresh start.

    Returns:
        The working folder.
    """
    working = save_dir / WORKING_FOLDER
    if not is_first_process():
        return working
    if resume is None or not resume.resolve().is_relative_to(save_dir.resolve()):
        set_aside(save_dir)
    working.mkdir(parents=True, exist_ok=True)
    if resume is not None and resume.resolve().parent != working.resolve():
        copy_file(resume, working / "last.ckpt")
        beside = [resume.parent / WORKING_FOLDER / _BEST, resume.parent / _BEST]
        for best in beside:
            if best.is_file():
                if best.resolve() != (working / _BEST).resolve():
                    copy_file(best, working / _BEST)
                break
    return working


def set_aside(save_dir: Path) -> None:
    """Clear a folder of a former run's files, so that no mixture of two runs can arise; a line says so.

    They are moved to ``save_dir/former``, one run at most; a run that did not end does not displace one that did.
    """
    found = [save_dir / name for name in _OF_A_RUN if _is_something(save_dir / name)]
    former = save_dir / FORMER_FOLDER
    names = ", ".join(path.name for path in found if path.name != WORKING_FOLDER) or "checkpoints"
    if found and (former / _BEST).is_file() and not (save_dir / _BEST).is_file():
        say(f"{save_dir}: starting afresh; {names} of a run that did not end are removed")
    elif found:
        say(f"{save_dir}: starting afresh; {names} of the former run are moved to {former}")
        shutil.rmtree(former, ignore_errors=True)
        former.mkdir()
        for path in found:
            path.replace(former / path.name)
    for path in found:
        if path.name != WORKING_FOLDER:
            path.unlink(missing_ok=True)
    remove_working_folder(save_dir)


def remove_working_folder(save_dir: Path) -> None:
    """Remove ``save_dir/.training``; what could be resumed goes first, so that half of it is never taken up."""
    working = save_dir / WORKING_FOLDER
    (working / "last.ckpt").unlink(missing_ok=True)
    shutil.rmtree(working, ignore_errors=True)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file atomically."""
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)


def _is_something(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and any(path.iterdir()))
