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


class DemoConfig(CommandSettings):
    """Run the whole workflow on the demo neurons: real reconstructions that ordinary Python packages ship."""

    out: Path = Field(Path("axonet-demo"), description="folder to work in; its config.yaml, if there, is used")
    cores: int | None = Field(None, ge=1, description="CPU cores to use; default: all")
    dry_run: bool = Field(False, description="only show what would run")


def run(config: DemoConfig) -> None:
    """Run Snakemake in the folder, then print what came out."""
    if shutil.which("snakemake", path=_path()) is None:
        raise UserError("snakemake is not installed; install axonet with its extra: pip install 'axonet[demo]'")
    root, folder = project_root(), config.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "config.yaml").exists():
        shutil.copyfile(root / "config.yaml", folder / "config.yaml")
    started = time.monotonic()
    cores = "all" if config.cores is None else str(config.cores)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile")]
    command += ["--directory", str(folder), "--cores", cores, *(["--dry-run"] if config.dry_run else [])]
    code = subprocess.run(command, env={**os.environ, "PATH": _path()}, check=False).returncode
    if code:
        raise UserError(
            f"the workflow stopped (exit code {code}); its messages are above, logs in {folder}/results/logs"
        )
    if not config.dry_run:
        for line in summary(config.out, time.monotonic() - started):
            say(line)


def _path() -> str:
    """PATH with this interpreter's folder first: the rules call ``python``."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def summary(folder: Path, seconds: float) -> list[str]:
    """The lines that close the demo: the folder, the headline figures with chance and interval, what to open."""
    evaluate = folder / "results" / "runs" / "main" / "evaluate"
    metrics = read_json(evaluate / "metrics.json")
    rows = headline(metrics)
    width = max(len(row[0]) for row in rows)
    lines = ["", f"axonet demo: done in {seconds / 60:.1f} min, everything is in {folder / 'results'}", ""]
    lines += [f"  {name:<{width}}  {text}" for name, text in rows]
    lines += [
        "",
        "  So few neurons prove nothing: the intervals are as wide as they are. The demo shows that every step works.",
        "",
        f"  Read next: {evaluate / 'eval_report.txt'}",
        f"  Look at:   {evaluate / 'tsne_cell_type.png'}, {evaluate / 'confusion_matrix.png'}",
    ]
    return lines


def headline(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The figures that answer first: (what, "value [interval], chance, baseline")."""
    rows = [*metrics["retrieval"], *metrics["zero_shot"], *metrics["tasks"]]
    chosen = [row for row in rows if row.get("headline")]
    return [(_title(row), _figure(row)) for row in chosen]


def _title(row: Mapping[str, Any]) -> str:
    parts = [str(row["task"]), str(row.get("level") or ""), str(row["metric"]), str(row.get("model") or "")]
    return " ".join(part for part in parts if part).replace("_", " ")


def _figure(row: Mapping[str, Any]) -> str:
    low, high = row["interval"] if row.get("interval") else (None, None)
    text = f"{row['value']:.3f}"
    if low is not None:
        text += f" [{low:.3f}, {high:.3f}]"
    for name in ("chance", "majority", "commonest_caption"):
        if row.get(name) is not None:
            text += f", {name.replace('_', ' ')} {row[name]:.3f}"
    return text + (f", n = {row['n']}" if row.get("n") is not None else "")


def main(argv: Sequence[str] | None = None) -> int:
    """Command-line entry."""
    return run_command(DemoConfig, run, argv, program="axonet demo")
