"""One process that turns SWC files into stored views and measures itself; prints a JSON object.

    python -m benchmarks.rendering.worker '{"swc": FOLDER, "out": FOLDER, "layout": "png", "settings": {...}}'

A process of its own, as its largest memory is that of a worker of a real run.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from axonet.datasets.build import list_entries
from axonet.datasets.build_shard import pack_entry, schema_of
from axonet.datasets.measures import load_entry, measure_neuron
from axonet.datasets.png_jobs import finish_png_neuron
from axonet.datasets.shards import shard_writer
from axonet.rendering import RenderSettings, render_neuron
from axonet.sources.catalog import CatalogEntry

EARLY = 50
"""Neurons after which memory is looked at the first time: by then everything is loaded."""


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Store the views of every neuron ``rounds`` times, each time into an empty folder."""
    settings = RenderSettings(**request["settings"])
    entries = list_entries(Path(request["swc"]))
    out = Path(request["out"])
    store: Callable[[Path, list[CatalogEntry], RenderSettings, list[float]], list[float]]
    store = store_png if request["layout"] == "png" else store_shard
    before = time.process_time()
    store(out / "first", entries[:1], settings, [])
    loading = time.process_time() - before
    rounds, walls, memory = [], [], []
    for number in range(request["rounds"]):
        start = time.perf_counter()
        rounds.append(store(out / str(number), entries, settings, memory))
        walls.append(time.perf_counter() - start)
    n_views = settings.n_views * len(entries)
    result = {
        "cpu_s": [min(times) for times in zip(*rounds, strict=True)],
        "wall_s": min(walls),
        "loading_s": loading,
        "peak_mib": peak_mib(),
        "early_mib": memory[min(EARLY, len(memory)) - 1],
        "late_mib": memory[-1],
        "bytes_per_view": sum(p.stat().st_size for p in (out / "0").rglob("*") if p.is_file()) / n_views,
        "n_views": settings.n_views,
        "drawn_by": drawn_by(settings),
    }
    if request.get("stages"):
        result["stages"] = stages(entries, settings)
    return result


def store_png(root: Path, entries: list[CatalogEntry], settings: RenderSettings, memory: list[float]) -> list[float]:
    """CPU seconds of each neuron, from its file to its PNG files; appends the memory held after each."""
    seconds = []
    for entry in entries:
        before = time.process_time()
        finish_png_neuron(entry, root, settings)
        seconds.append(time.process_time() - before)
        memory.append(resident_mib())
    return seconds


def store_shard(root: Path, entries: list[CatalogEntry], settings: RenderSettings, memory: list[float]) -> list[float]:
    """CPU seconds of each neuron, from its file to its batch in a packed shard; appends the memory held after each."""
    seconds = []
    with shard_writer(root / "shard.arrow", schema_of(settings)) as writer:
        for entry in entries:
            before = time.process_time()
            batch = pack_entry(entry, settings).batch
            if batch is not None:
                writer.add(batch)
            seconds.append(time.process_time() - before)
            memory.append(resident_mib())
    return seconds


def stages(entries: list[CatalogEntry], settings: RenderSettings) -> dict[str, float]:
    """CPU seconds of all neurons in reading, measuring and drawing alone."""
    spent = {"read": 0.0, "measure": 0.0, "draw": 0.0}
    for entry in entries:
        times = [time.process_time()]
        neuron = load_entry(entry)
        times.append(time.process_time())
        measure_neuron(entry, neuron)
        times.append(time.process_time())
        render_neuron(neuron, settings, entry.neuron_id)
        times.append(time.process_time())
        for name, start, end in zip(spent, times, times[1:], strict=False):
            spent[name] += end - start
    return spent


def resident_mib() -> float:
    """What the process holds now; 0 where the system does not say."""
    return status_mib("VmRSS") or 0.0


def peak_mib() -> float:
    """The most that the process held."""
    # Not what getrusage says where there is something better: that counts the parent's memory before the start.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return status_mib("VmHWM") or peak


def status_mib(name: str) -> float | None:
    """A number of Linux' account of the process's memory."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), None)


def drawn_by(settings: RenderSettings) -> str:
    """The name of the renderer, for figures that are compared."""
    if settings.backend != "gl":
        return settings.backend
    from axonet.rendering.gl_context import open_context

    return f"gl on {open_context(settings.device).renderer}"


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
