"""Speed and memory of the renderer on a folder of SWC files.

    OMP_NUM_THREADS=1 python benchmarks/render.py FOLDER [--backend cpu|gl] [--size 512] [--repeats 3]

CPU time of all threads per view and per neuron (look directions, framing, drawing, pooling; no files), and wall time,
as what a graphics card does is no CPU time; the largest memory of the process, and how much it grew after the first
round over the folder. Reading the files and loading the compiled kernels are listed apart.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from pathlib import Path

from axonet.core.errors import UserError
from axonet.morphology.neuron import Neuron
from axonet.morphology.swc import read_swc
from axonet.rendering import RenderSettings, render_neuron


def main() -> int:
    parser = argparse.ArgumentParser(description="CPU ms per view and per neuron of the renderer")
    parser.add_argument("folder", type=Path, help="folder of SWC files, searched recursively")
    parser.add_argument("--size", type=int, default=512, help="width and height in pixels")
    parser.add_argument("--supersample-factor", type=int, default=2, help="samples per pixel side")
    parser.add_argument("--zoom-um", type=float, default=None, help="also render the zoom around the soma")
    parser.add_argument("--projection", choices=["ortho", "perspective"], default="ortho")
    parser.add_argument("--backend", choices=["cpu", "gl", "auto"], default="cpu", help="what draws")
    parser.add_argument("--device", type=int, default=None, help="which graphics device draws, with --backend gl")
    parser.add_argument("--limit", type=int, default=500, help="most neurons")
    parser.add_argument(
        "--repeats", type=int, default=3, help="rounds over the folder; the fastest time of each counts"
    )
    arguments = parser.parse_args()
    settings = RenderSettings(
        width=arguments.size,
        height=arguments.size,
        supersample_factor=arguments.supersample_factor,
        zoom_um=arguments.zoom_um,
        projection=arguments.projection,
        backend=arguments.backend,
        device=arguments.device,
    )
    neurons, reading = read_folder(arguments.folder, arguments.limit)
    if not neurons:
        print(f"no readable SWC file under {arguments.folder}", file=sys.stderr)
        return 2
    before = time.process_time()
    render_neuron(neurons[0], settings)
    loading = time.process_time() - before
    rounds, walls, memory = [], [], []
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        rounds.append([cpu_seconds(neuron, settings) for neuron in neurons])
        walls.append(time.perf_counter() - start)
        memory.append(peak_memory_mib())
    fastest = [min(times) for times in zip(*rounds, strict=True)]
    print_table(neurons, fastest, min(walls), settings, reading, loading, memory)
    return 0


def read_folder(folder: Path, limit: int) -> tuple[list[Neuron], list[float]]:
    neurons, seconds = [], []
    for path in sorted(folder.rglob("*.swc"))[:limit]:
        before = time.process_time()
        try:
            neurons.append(read_swc(path))
        except UserError as error:
            print(f"skipped {path.name}: {error}", file=sys.stderr)
            continue
        seconds.append(time.process_time() - before)
    return neurons, seconds


def cpu_seconds(neuron: Neuron, settings: RenderSettings) -> float:
    before = time.process_time()
    try:
        render_neuron(neuron, settings)
    except UserError as error:
        print(f"skipped {neuron.name}: {error}", file=sys.stderr)
    return time.process_time() - before


def peak_memory_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def print_table(
    neurons: list[Neuron],
    seconds: list[float],
    wall: float,
    settings: RenderSettings,
    reading: list[float],
    loading: float,
    memory: list[float],
) -> None:
    per_neuron = sorted(1e3 * value for value in seconds)
    per_view = [value / settings.n_views for value in per_neuron]
    nodes = sorted(neuron.n_nodes for neuron in neurons)
    title = (
        f"{settings.width} px, supersampling {settings.supersample_factor}, {settings.projection}, {drawn_by(settings)}"
    )
    rows = [
        ("neurons", f"{len(neurons)} ({statistics.median(nodes):.0f} nodes in the median, at most {nodes[-1]})"),
        ("CPU ms per view", spread(per_view)),
        (f"CPU ms per neuron ({settings.n_views} views)", spread(per_neuron)),
        ("wall ms per view, mean", f"{1e3 * wall / (settings.n_views * len(neurons)):.2f}"),
        ("views per second and core", f"{1e3 * settings.n_views * len(neurons) / sum(per_neuron):.0f}"),
        ("reading, CPU ms per neuron", spread(sorted(1e3 * value for value in reading))),
        ("first neuron (loads or compiles the kernels)", f"{loading:.2f} s"),
        ("peak memory", f"{memory[-1]:.0f} MiB, {memory[-1] - memory[0]:.1f} MiB more than after the first round"),
    ]
    print(title)
    for name, value in rows:
        print(f"  {name:46s} {value}")


def drawn_by(settings: RenderSettings) -> str:
    """What drew: the name of the renderer, for figures that are compared."""
    if settings.backend != "gl":
        return settings.backend
    from axonet.rendering.gl_context import open_context

    return f"gl on {open_context(settings.device).renderer}"


def spread(values: list[float]) -> str:
    high = values[int(0.9 * (len(values) - 1))]
    return f"median {statistics.median(values):.2f}, 90 % below {high:.2f}, max {values[-1]:.2f}"


if __name__ == "__main__":
    sys.exit(main())
