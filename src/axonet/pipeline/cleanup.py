"""``axonet clean``: results that no index names any more."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from axonet.core.config import CommandSettings, run_command
from axonet.core.progress import say
from axonet.pipeline.folder import plan_of
from axonet.pipeline.plan import Plan


class CleanConfig(CommandSettings):
    """List the shards of results that config.yaml and the present index no longer name; remove them with --remove.

    Files of a former setting or of a shard that has changed are kept until then: going back finds them again.
    """

    directory: Path = Field(Path(), description="the workflow's working directory")
    remove: bool = Field(False, description="remove the files instead of listing them")


def stale_files(directory: Path, plan: Plan) -> list[Path]:
    """Files of measurements, views, vectors and splits that the plan does not name."""
    named = {*plan.measures(), *plan.views()}
    for run in plan.config.runs:
        # All versions of a split file are kept: they remember where neurons belong that may come back.
        named.update(f"{plan.split_folder(run)}/{path.name}" for path in (directory / plan.split_folder(run)).glob("*"))
        for stage in ("stage1", "stage2"):
            named.update(plan.vectors(run, stage))
    kept = {directory / name for name in named}
    kept |= {path.with_name(f"{path.stem}.qc.parquet") for path in kept if path.suffix == ".arrow"}
    folders = [directory / "results" / name for name in ("measure", "render", "encode", "splits")]
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file() and path not in kept)


def run(config: CleanConfig) -> None:
    """List or remove the files."""
    plan = plan_of(config.directory)
    files = stale_files(config.directory, plan)
    size = sum(path.stat().st_size for path in files)
    for path in files:
        say(str(path))
        if config.remove:
            path.unlink()
    done = "removed" if config.remove else "could be removed with --remove"
    say(f"{len(files)} files, {size / 1e6:.1f} MB {done}")


def main(argv: Sequence[str] | None = None) -> int:
    """Command-line entry."""
    return run_command(CleanConfig, run, argv, program="axonet clean")


if __name__ == "__main__":
    sys.exit(main())
