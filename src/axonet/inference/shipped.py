"""Models that come with axonet, by name: the checkpoints in its folder ``shipped``, and what else may follow them."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from axonet.core.errors import UserError

FOLDER = Path(__file__).resolve().parents[1] / "shipped"
"""``small.ckpt`` in this folder is the model ``small``."""


def shipped_models() -> dict[str, Path]:
    """Checkpoints that this installation carries, by the name that stands for each."""
    return {file.stem: file for file in sorted(FOLDER.glob("*.ckpt"))}


def checkpoint_path(model: str | PathLike[str]) -> Path:
    """The file of a model that is given by its path or by the name of one that comes with axonet.

    Raises:
        UserError: a name without a file, of which this installation has no model.
    """
    path = Path(model)
    shipped = shipped_models()
    if str(model) in shipped and not path.exists():
        return shipped[str(model)]
    if not path.suffix and path.name == str(model) and not path.exists():
        known = f"there are {', '.join(shipped)}" if shipped else "no shipped model is part of this version"
        raise UserError(f"model {str(model)!r}: no such file, and {known}; give the path of a Stage 2 checkpoint")
    return path
