"""What planning costs for a corpus of any size, and that one changed neuron is one shard.

    OMP_NUM_THREADS=1 python -m benchmarks.scale [--neurons 200000]

The neurons are a manifest with SHA-256 and no files, so that acquiring reads the manifest and nothing else. Prints CPU
seconds and peak memory of acquiring and of dry runs: nothing made yet; all views there; one neuron changed. The views
that are there are empty files of the right names.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from axonet.core.files import sha256_bytes
from axonet.pipeline.folder import plan_of
from axonet.pipeline.plan import QUALITY_PAGE

REPOSITORY = Path(__file__).resolve().parents[1]
DATASET = "dataset"


class Corpus:
    """A made-up corpus and the workflow over it."""

    def __init__(self, folder: Path, neurons: int, shard_bits: int) -> None:
        self.folder, self.neurons = folder, neurons
        self.write_manifest()
        acquire = {"sources": ["manifest"], "shard_bits": shard_bits, "manifest": {"file": "manifest.jsonl"}}
        (folder / "config.yaml").write_text(yaml.safe_dump({"acquire": acquire, "stage2": {"freeze_encoder": True}}))

    def write_manifest(self, changed: int | None = None) -> None:
        """Write the list; one neuron may have another file than before."""
        with (self.folder / "manifest.jsonl").open("w") as file:
            for number in range(self.neurons):
                content = f"neuron {number}{' anew' if number == changed else ''}"
                row = {"id": f"n{number:06d}", "swc": f"gs://bucket/n{number:06d}.swc", "species": "mouse"}
                row |= {"sha256": sha256_bytes(content.encode()), "donor": f"donor {number // 8}"}
                file.write(json.dumps(row) + "\n")

    def make_views(self) -> None:
        """Put an empty file for every measurement and every shard of views, which Snakemake takes for its own."""
        here = Path.cwd()
        os.chdir(self.folder)
        try:
            plan = plan_of(Path())
            names = [*plan.measures(), *plan.views(), *(f"{v.removesuffix('.arrow')}.qc.parquet" for v in plan.views())]
        finally:
            os.chdir(here)
        for name in [*names, QUALITY_PAGE]:
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        self.snakemake(DATASET, "--touch")

    def snakemake(self, *arguments: str) -> tuple[Counter[str], float, float]:
        """Call Snakemake: its jobs by rule, CPU seconds, and peak memory in MiB."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--cores", "1"]
        process = subprocess.Popen(
            [*command, *arguments], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        said, _ = process.stdout.read() if process.stdout else "", process.stdout
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.stdout is not None:
            process.stdout.close()
        if process.returncode:
            raise SystemExit(said[-3000:])
        table = re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)
        jobs = Counter({rule: int(count) for rule, count in table if rule not in ("total", "all", DATASET)})
        return jobs, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description="cost of planning")
    parser.add_argument("--neurons", type=int, default=200_000)
    parser.add_argument("--shard-bits", type=int, default=9)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus(Path(folder), arguments.neurons, arguments.shard_bits)
        tell("acquire", *timed(corpus, "--until", "acquire"))
        tell("plan, nothing made", *timed(corpus, "--dry-run"))
        corpus.make_views()
        tell("plan, all views there", *timed(corpus, "--dry-run"))
        corpus.write_manifest(changed=arguments.neurons // 2)
        tell("acquire again", *timed(corpus, "--until", "acquire"))
        tell("plan, one neuron changed", *timed(corpus, DATASET, "--dry-run"))
    return 0


def timed(corpus: Corpus, *arguments: str) -> tuple[Any, float]:
    started = time.perf_counter()
    return corpus.snakemake(*arguments), time.perf_counter() - started


def tell(name: str, found: tuple[Counter[str], float, float], wall: float) -> None:
    jobs, seconds, mebibytes = found
    print(f"{name:<26}{seconds:>7.1f} CPU s {wall:>7.1f} s wall {mebibytes:>7.0f} MiB  {dict(jobs)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
