"""``axonet demo``: the whole workflow on real neurons, and a summary that a person can read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from axonet.core.config import CommandSettings, run_command
from axonet.core.errors import UserError
from axonet.core.progress import say
from axonet.core.resources import project_root
from axonet.pipeline.closing import SAID_BY_CALLER, closing_lines
from axonet.pipeline.folder import plan_of
from axonet.pipeline.interpreter import path_with_this_python


class DemoConfig(CommandSettings):
    """Run the whole workflow on the demo neurons: real reconstructions that ordinary Python packages ship."""

    out: Path = Field(Path("axonet-demo"), description="folder to work in; its config.yaml, if there, is used")
    cores: int | None = Field(None, ge=1, description="CPU cores to use; default: all")
    dry_run: bool = Field(False, description="only show what would run")


def run(config: DemoConfig) -> None:
    """Run Snakemake in the folder, then print what came out."""
    if shutil.which("snakemake", path=path_with_this_python()) is None:
        raise UserError("snakemake is not installed; install axonet with its extra: pip install 'axonet[demo]'")
    root, folder = project_root(), config.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "config.yaml").exists():
        shutil.copyfile(root / "config.yaml", folder / "config.yaml")
    started = time.monotonic()
    cores = "all" if config.cores is None else str(config.cores)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile")]
    command += ["--quiet", "host", "reason", "--directory", str(folder), "--cores", cores]
    command += ["--dry-run"] if config.dry_run else []
    environment = {**os.environ, "PATH": path_with_this_python(), SAID_BY_CALLER: "1"}
    code = subprocess.run(command, env=environment, check=False).returncode
    if code:
        raise UserError(
            f"the workflow stopped (exit code {code}); its messages are above, logs in {folder}/results/logs"
        )
    if not config.dry_run:
        _tell(config.out, time.monotonic() - started)


def _tell(folder: Path, seconds: float) -> None:
    """Say what came out; a run that had nothing to do says it too."""
    plan = plan_of(folder)
    say(f"\naxonet demo: done in {seconds / 60:.1f} min, everything is in {folder / 'results'}\n")
    for line in closing_lines(plan):
        say(line)
    say("\n  So few neurons prove nothing, whatever the intervals say; the demo shows that every step works.")


def main(argv: Sequence[str] | None = None) -> int:
    """Command-line entry."""
    return run_command(DemoConfig, run, argv, program="axonet demo")
