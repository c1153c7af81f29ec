"""A folder in which the workflow runs, and what a run of Snakemake did there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]

CONFIG: dict[str, Any] = {
    "acquire": {"sources": ["folder"], "shard_bits": 1, "folder": {"swc_dir": "swc", "metadata": "metadata.jsonl"}},
    "render": {
        "width": 32,
        "height": 32,
        "canonical_views": 2,
        "biased_views": 1,
        "random_views": 1,
        "supersample_factor": 2,
        "zoom_um": 40,
    },
    "split": {"val_ratio": 0.2, "test_ratio": 0.3, "split_seed": 1},
    "stage1": {"base_channels": 4, "latent_channels": 8, "max_steps": 2, "batch_size": 4},
    "stage2": {
        "text_encoder": "hash:64",
        "clip_embed_dim": 16,
        "freeze_encoder": True,
        "max_steps": 2,
        "batch_size": 4,
    },
    "evaluate": {"split": "test", "bootstrap": 20},
    "runs": {"main": {}},
}


class Project:
    """A working directory of the workflow."""

    def __init__(self, folder: Path, source: Path | None = None) -> None:
        self.folder = folder
        self.source = source
        self.variables: dict[str, str] = {}

    def copy_to(self, folder: Path) -> Project:
        """The same project elsewhere, file times included."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder, self.source)

    @property
    def config(self) -> dict[str, Any]:
        """Content of config.yaml."""
        return yaml.safe_load((self.folder / "config.yaml").read_text())

    def configure(self, **sections: dict[str, Any]) -> None:
        """Change settings of config.yaml, section by section."""
        config = self.config if (self.folder / "config.yaml").exists() else {}
        for name, values in sections.items():
            config[name] = {**config.get(name, {}), **values}
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config))

    @property
    def environment(self) -> dict[str, str]:
        """The variables that Snakemake is run with."""
        variables = {**os.environ, **self.variables, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        if self.source is not None:
            variables["PYTHONPATH"] = str(self.source)
        return variables

    def command(self, *arguments: str) -> list[str]:
        """The call of Snakemake with these arguments."""
        snakefile = str(REPOSITORY / "Snakefile")
        return [sys.executable, "-m", "snakemake", "--snakefile", snakefile, "--cores", "2", *arguments]

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake and return what it said."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    def say(self, *arguments: str) -> str:
        """What Snakemake says when it is called like this."""
        result = self.call(*arguments)
        return result.stdout + result.stderr

    def run(self, *arguments: str) -> Counter[str]:
        """Run the workflow; returns how many jobs of each rule ran."""
        result = self.call(*arguments)
        output = result.stdout + result.stderr
        assert result.returncode == 0, output + self._logs()
        ran = Counter(re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", output, re.MULTILINE))
        ran.pop("all", None)
        return ran

    def plan(self, *arguments: str) -> Counter[str]:
        """What a run would do: how many jobs of each rule."""
        result = self.call("--dry-run", *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        table = re.search(r"^job +count\n[- ]+\n((?:\w+ +\d+\n)+)", result.stdout + result.stderr, re.MULTILINE)
        jobs = Counter[str]()
        if table:
            jobs.update({name: int(count) for name, count in (row.split() for row in table[1].splitlines())})
        for name in ("all", "total"):
            jobs.pop(name, None)
        return jobs

    def set_config(self, **sections: Any) -> list[str]:
        """Arguments that set config values for one call."""
        return ["--config", *(f"{name}={json.dumps(value)}" for name, value in sections.items())]

    def _logs(self) -> str:
        logs = sorted((self.folder / "results" / "logs").rglob("*.log"))
        return "".join(f"\n--- {log.name}\n{log.read_text()[-2000:]}" for log in logs)
