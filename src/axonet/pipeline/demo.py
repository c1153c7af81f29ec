"""``axonet demo``: the whole workflow on real neurons, and a summary that a person can read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from axonet.core.config import CommandSettings, run_command
from axonet.core.errors import UserError
from axonet.core.files import read_json
from axonet.core.progress import say
from axonet.core.resources import project_root
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
    code = subprocess.run(command, env={**os.environ, "PATH": path_with_this_python()}, check=False).returncode
    if code:
        raise UserError(
            f"the workflow stopped (exit code {code}); its messages are above, logs in {folder}/results/logs"
        )
    if not config.dry_run:
        for line in summary(config.out, time.monotonic() - started):
            say(line)


def summary(folder: Path, seconds: float) -> list[str]:
    """The lines that close the demo: the folder, the headline figures with chance and interval, what to open."""
    from axonet.evaluation.headline import describe, headline

    evaluate = folder / "results" / "runs" / "main" / "evaluate"
    rows = headline(read_json(evaluate / "metrics.json"))
    width = max((len(describe(row)) for row in rows), default=0)
    return [
        "",
        f"axonet demo: done in {seconds / 60:.1f} min, everything is in {folder / 'results'}",
        "",
        *(f"  {describe(row):<{width}}  {_figure(row)}" for row in rows),
        "",
        "  So few neurons prove nothing, whatever the intervals say; the demo shows that every step works.",
        "",
        f"  Read next: {evaluate / 'eval_report.txt'}",
        f"  Look at:   {evaluate / 'tsne_cell_type.png'}, {evaluate / 'confusion_matrix.png'}",
    ]


def _figure(row: Mapping[str, Any]) -> str:
    interval = row.get("interval")
    text = f"{row['value']:.2f}" + (f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else " (no interval)")
    return f"{text:<19} chance {row['chance']:.2f}" + (f"   n = {row['n']}" if row["n"] else "")


def main(argv: Sequence[str] | None = None) -> int:
    """Command-line entry."""
    return run_command(DemoConfig, run, argv, program="axonet demo")
