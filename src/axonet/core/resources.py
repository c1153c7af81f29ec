"""Where the project's own files lie: in a checkout at its top, in an installed wheel inside the package."""

from __future__ import annotations

from pathlib import Path

from axonet.core.errors import UserError


def project_root() -> Path:
    """The folder that holds Snakefile, workflow/, config.yaml, profiles/, envs/ and data/demo/."""
    package = Path(__file__).resolve().parents[1]
    for root in (package / "project", package.parents[1]):
        if (root / "Snakefile").is_file() or (root / "data" / "demo").is_dir():
            return root
    raise UserError(f"{package}: the workflow's files are missing; reinstall axonet")


def project_file(relative: str) -> Path:
    """A file of the project, e.g. ``project_file("data/demo/neurons.jsonl")``.

    Raises:
        UserError: this installation does not carry it.
    """
    path = project_root() / relative
    if not path.exists():
        raise UserError(f"{relative}: not part of this installation of axonet; reinstall it")
    return path
