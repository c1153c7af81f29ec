"""Which files of a results folder an export is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from axonet.core.errors import UserError
from axonet.core.files import read_json

COMMAND = "axonet.training.clip_evaluator"


@dataclass(frozen=True)
class Origin:
    """The files, relative to the folder that the workflow runs in or absolute.

    Attributes:
        checkpoint: Stage 2 checkpoint.
        splits: split file.
        shards: index of the catalog's shards.
        metadata: the catalog.
        render_dir: folder of the packed views.
        measure_dir: folder of the measurements.
        encode_dir: folder of the vectors.
    """

    checkpoint: str
    splits: str
    shards: str
    metadata: str
    render_dir: str
    measure_dir: str
    encode_dir: str

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From a mapping that may hold more.

        Raises:
            KeyError: one is missing or null.
        """
        found = {field.name: values[field.name] for field in fields(cls)}
        missing = [name for name, value in found.items() if value is None]
        if missing:
            raise KeyError(missing[0])
        return cls(**{name: str(value) for name, value in found.items()})

    def below(self, root: Path) -> dict[str, Path]:
        """Where the files are, from here."""
        return {name: root / value for name, value in asdict(self).items()}


def find_origin(results: Path, run: str | None) -> tuple[Origin, str]:
    """The files that the evaluation of a run judged, as its ``run.json`` tells.

    Args:
        results: the workflow's ``results`` folder.
        run: name of the run; the only one by default, or ``main``.

    Returns:
        The files and the name of the run.

    Raises:
        UserError: no finished run, several to choose from, or one that was not made by the workflow.
    """
    if not results.is_dir():
        raise UserError(f"{results}: no such folder; give the workflow's results folder")
    there = sorted(file.parts[-3] for file in results.glob("runs/*/evaluate/run.json"))
    if not there:
        raise UserError(f"{results}: no finished run in it (runs/*/evaluate/run.json); run the workflow to its end")
    chosen = run or ("main" if "main" in there else there[0] if len(there) == 1 else None)
    if chosen not in there:
        what = f"no finished run {chosen!r}" if chosen else "several runs"
        raise UserError(f"{results}: {what}; choose with --run: {', '.join(there)}")
    record = results / "runs" / chosen / "evaluate" / "run.json"
    try:
        return Origin.of(read_json(record)["settings"]), chosen
    except (KeyError, TypeError):
        raise UserError(f"{record}: tells no files of the workflow; was it made by another command?") from None
