"""The same views by other programs: how long, how much memory, and do the pictures agree?

Each program has a process of its own. Build and draw are timed apart, and after a first neuron that is not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.rendering import tools
from benchmarks.rendering.worker import peak_mib
from scipy import ndimage

from axonet.datasets.build import list_entries
from axonet.datasets.measures import load_entry
from axonet.morphology.neuron import Neuron
from axonet.rendering import RenderSettings, View, render_neuron
from axonet.sources.catalog import CatalogEntry

OURS = {"axonet, CPU": "cpu", "axonet, GL": "gl"}
HEADING = ["", "build, CPU ms per neuron", "draw, CPU ms per view", "peak MiB", "IoU", "inside ours", "pieces", "what"]
SIDES = 6
"""Views of each neuron that other programs draw: the canonical ones."""


def other_rows(entries: list[CatalogEntry], settings: dict[str, Any], rounds: int) -> list[list[str]]:
    """Rows of the table of comparison, a heading first; what is missing is said on standard error."""
    rows = [HEADING]
    request = {"swc": str(Path(entries[0].path).parent), "n": len(entries), "settings": settings, "rounds": rounds}
    for name in [*OURS, *tools.TOOLS]:
        if name in tools.TOOLS and (reason := tools.missing(name)) is not None:
            tools.log(f"{name}: left out, {reason}")
            continue
        command = [sys.executable, "-m", "benchmarks.rendering.others", json.dumps({**request, "tool": name})]
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE)
        if done.returncode:
            tools.log(f"{name}: left out, it failed (see above)")
            continue
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    return rows


def main(request: dict[str, Any]) -> list[str]:
    """The row of one program."""
    name, settings = request["tool"], RenderSettings(**{**request["settings"], "backend": "cpu"})
    entries = list_entries(Path(request["swc"]))[: request["n"]]
    if name in OURS:
        own = settings.model_copy(update={"backend": OURS[name]})
        return row(name, measure_ours(entries, own, settings, request["rounds"]), "class, depth, silhouette")
    tool = tools.TOOLS[name](settings.width * settings.supersample_factor)
    result = measure_tool(entries, tool, settings, request["rounds"])
    return row(name, result, tools.versions(tool.packages))


def measure_ours(
    entries: list[CatalogEntry], own: RenderSettings, reference: RenderSettings, rounds: int
) -> dict[str, list[float]]:
    """Times of our renderer: there is nothing to build."""
    found: dict[str, list[float]] = {"build": [], "draw": [], "iou": [], "inside": [], "pieces": []}
    for number, entry in enumerate([entries[0], *entries]):
        neuron = load_entry(entry)
        seconds, views = fastest(lambda neuron=neuron: render_neuron(neuron, own), rounds)  # type: ignore[misc]
        if number > 0:
            found["build"].append(0.0)
            found["draw"].append(seconds / len(views))
            compare(found, neuron, [view.silhouette for view in views], render_neuron(neuron, reference))
    return found


def measure_tool(
    entries: list[CatalogEntry], tool: tools.Tool, settings: RenderSettings, rounds: int
) -> dict[str, list[float]]:
    """Times and pictures of another program, for our cameras."""
    found: dict[str, list[float]] = {"build": [], "draw": [], "iou": [], "inside": [], "pieces": []}
    for number, entry in enumerate([entries[0], *entries]):
        neuron = load_entry(entry)
        views = render_neuron(neuron, settings)[:SIDES]
        build_s, built = fastest(lambda neuron=neuron: tool.build(neuron), 1)  # type: ignore[misc]
        tool.draw(built, views[0].camera)  # meshes are sent to the driver by the first picture
        draw_s, masks = fastest(lambda v=views, b=built: [tool.draw(b, view.camera) for view in v], rounds)  # type: ignore[misc]
        if number > 0:
            found["build"].append(build_s)
            found["draw"].append(draw_s / len(views))
            compare(found, neuron, [pooled(mask, settings.supersample_factor) for mask in masks], views)
    return found


def fastest(action: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """Least CPU seconds of some rounds, and what the last gave."""
    seconds = []
    for _ in range(rounds):
        before = time.process_time()
        result = action()
        seconds.append(time.process_time() - before)
    return min(seconds), result


def pooled(samples: np.ndarray, factor: int) -> np.ndarray:
    """Pixels with any covered sample."""
    size = samples.shape[0] // factor
    return np.asarray(samples.reshape(size, factor, size, factor).any(axis=(1, 3)))


def compare(found: dict[str, list[float]], neuron: Neuron, masks: list[np.ndarray], views: list[View]) -> None:
    """Add what agrees with our silhouettes, and the connected pieces of a picture per tree of the neuron.

    Where cameras agree nearly all that a program draws lies inside our silhouette, whatever it leaves out.
    """
    n_trees = int((neuron.parent < 0).sum())
    for mask, view in zip(masks, views, strict=True):
        found["iou"].append(float((mask & view.silhouette).sum() / (mask | view.silhouette).sum()))
        found["inside"].append(float((mask & view.silhouette).sum() / max(mask.sum(), 1)))
        found["pieces"].append(ndimage.label(mask, np.ones((3, 3)))[1] / n_trees)


def row(name: str, found: dict[str, list[float]], what: str) -> list[str]:
    """A row of the table."""
    numbers = [1e3 * float(np.mean(found["build"])), 1e3 * float(np.mean(found["draw"])), peak_mib()]
    pieces = float(np.mean(found["pieces"]))
    agree = [f"{np.mean(found['iou']):.3f}", f"{np.mean(found['inside']):.3f}", f"{pieces:.1f}"]
    return [name, f"{numbers[0]:.0f}", f"{numbers[1]:.2f}", f"{numbers[2]:.0f}", *agree, what]


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
