"""Speed and memory from SWC files to stored views, everything included."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from axonet.datasets.build_shard import pack_entry
from axonet.rendering import RenderSettings
from axonet.sources.catalog import CatalogEntry
from axonet.sources.workers import map_ordered

GOALS_MS = {"cpu": 4.0, "gl": 15.0}
GOAL_PEAK_MIB, GOAL_GROWTH_MIB, GOAL_BYTES, GOAL_WORKERS = 300, 10, 14_000, 1.8


def measured(swc: Path, layout: str, settings: dict[str, Any], rounds: int, *, stages: bool = False) -> dict[str, Any]:
    """What :mod:`benchmarks.rendering.worker` says of a folder of SWC files."""
    with tempfile.TemporaryDirectory() as out:
        request = {"swc": str(swc), "out": out, "layout": layout, "settings": settings, "rounds": rounds}
        request["stages"] = stages
        command = [sys.executable, "-m", "benchmarks.rendering.worker", json.dumps(request)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return dict(json.loads(done.stdout))


def variants(backends: Iterable[str], settings: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, layout and settings of what is compared: each layout and backend, and what options cost."""
    for backend in backends:
        own = {**settings, "backend": backend}
        yield f"{backend}, packed shards", "shards", own
        yield f"{backend}, PNG files", "png", own
        yield f"{backend}, packed shards, perspective", "shards", {**own, "projection": "perspective"}
        yield f"{backend}, packed shards, zoom of 160 um", "shards", {**own, "zoom_um": 160.0}
        yield f"{backend}, packed shards, 4 samples a side", "shards", {**own, "supersample_factor": 4}


def speed_rows(swc: Path, backends: list[str], settings: dict[str, Any], rounds: int) -> list[list[str]]:
    """Rows of the table of speed, a heading first."""
    rows = [["", "CPU ms per view: mean", "median", "wall", "peak MiB", "bytes per view", "goal"]]
    for name, layout, own in variants(backends, settings):
        plain = own == {**settings, "backend": own["backend"]}
        found = measured(swc, layout, own, rounds, stages=plain and layout == "shards")
        per_view = [1e3 * seconds / found["n_views"] for seconds in found["cpu_s"]]
        mean = statistics.mean(per_view)
        limits = {"time": GOALS_MS[own["backend"]], "memory": GOAL_PEAK_MIB, "bytes": GOAL_BYTES}
        values = {"time": mean, "memory": found["peak_mib"], "bytes": found["bytes_per_view"]}
        missed = ", ".join(name for name, limit in limits.items() if values[name] > limit)
        wall = 1e3 * found["wall_s"] / len(per_view) / found["n_views"]
        numbers = [f"{mean:.2f}", f"{statistics.median(per_view):.2f}", f"{wall:.2f}", f"{found['peak_mib']:.0f}"]
        rows.append(
            [
                name,
                *numbers,
                f"{found['bytes_per_view']:,.0f}",
                (f"{missed} missed" if missed else "met") if plain else "-",
            ]
        )
        if "stages" in found:
            parts = {part: 1e3 * s / len(per_view) / found["n_views"] for part, s in found["stages"].items()}
            parts["quantize, encode, write"] = mean - sum(parts.values())
            print(f"{found['drawn_by']}, ms per view: " + ", ".join(f"{k} {v:.2f}" for k, v in parts.items()))
    return rows


def growth(swc: Path, settings: dict[str, Any]) -> str:
    """How much a process that stores every neuron of a folder once grows."""
    found = measured(swc, "shards", settings, 1)
    more, n = found["late_mib"] - found["early_mib"], len(found["cpu_s"])
    verdict = "met" if more < GOAL_GROWTH_MIB and found["peak_mib"] <= GOAL_PEAK_MIB else "missed"
    return f"{more:.1f} MiB from neuron 50 to {n}; peak {found['peak_mib']:.0f} MiB ({verdict})"


def two_workers(entries: list[CatalogEntry], settings: dict[str, Any], rounds: int) -> str:
    """Throughput of two workers against one: the best of turns, as other programs may use the cores."""
    walls: dict[int, list[float]] = {1: [], 2: []}
    work = partial(pack_entry, settings=RenderSettings(**settings))
    for _ in range(rounds):
        for jobs, own in walls.items():
            results = iter(map_ordered(work, entries, jobs))
            for _ in range(4 * jobs):  # until all workers have started
                next(results)
            start = time.perf_counter()
            n = sum(1 for _ in results)
            own.append((time.perf_counter() - start) / n)
    ratio = min(walls[1]) / min(walls[2])
    turns = ", ".join(f"{one / two:.2f}" for one, two in zip(*walls.values(), strict=True))
    verdict = "met" if ratio >= GOAL_WORKERS else "missed"
    return f"{ratio:.2f} times one worker ({verdict}); turn by turn {turns}"


def copied(entries: list[CatalogEntry], n: int, folder: Path) -> Path:
    """A folder with the first neurons of a sample, which archives share evenly."""
    folder.mkdir()
    for entry in entries[:n]:
        shutil.copy(entry.path, folder)
    return folder
