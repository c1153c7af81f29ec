"""GL against the CPU on real neurons: two programs for the same solid, each the other's check."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import numpy as np

from axonet.datasets.measures import load_entry
from axonet.rendering import RenderSettings, View, render_neuron
from axonet.sources.catalog import CatalogEntry

GOAL_IOU, GOAL_CLASS, GOAL_DEPTH_PX = 0.999, 0.999, 1e-3


@dataclass
class Agreement:
    """Of every view: intersection over union, share of equal classes, 99 % quantile of the depth difference in px."""

    iou: list[float] = field(default_factory=list)
    same_class: list[float] = field(default_factory=list)
    depth_px: list[float] = field(default_factory=list)
    all_depth_px: list[np.ndarray] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, name: str, first: View, second: View) -> None:
        """Compare two pictures of one view."""
        shared, either = first.silhouette & second.silhouette, first.silhouette | second.silhouette
        depth = np.abs(first.depth_um - second.depth_um)[shared] / first.camera.um_per_px
        self.iou.append(float(shared.sum() / either.sum()))
        self.same_class.append(float((first.mask == second.mask)[shared].mean()))
        self.depth_px.append(float(np.quantile(depth, 0.99)))
        self.all_depth_px.append(depth.astype(np.float32))
        self.names.append(name)


def compare(entries: list[CatalogEntry], settings: RenderSettings, against: str) -> Agreement:
    """Draw every view of every neuron with two backends."""
    found = Agreement()
    other = settings.model_copy(update={"backend": against, "device": None})
    for number, entry in enumerate(entries):
        neuron = load_entry(entry)
        pairs = zip(render_neuron(neuron, settings), render_neuron(neuron, other), strict=True)
        for first, second in pairs:
            found.add(f"{entry.name} view {first.index}", first, second)
        if sys.stderr.isatty():
            print(f"\r{settings.projection}: {number + 1} of {len(entries)}", end="", file=sys.stderr)
    return found


def verdicts(found: Agreement) -> list[tuple[str, bool]]:
    """A line for each goal, and whether it is met."""
    pooled = float(np.quantile(np.concatenate(found.all_depth_px), 0.99))
    lines = []
    for name, values, goal, worst in (
        ("intersection over union", found.iou, GOAL_IOU, np.argmin),
        ("share of equal classes", found.same_class, GOAL_CLASS, np.argmin),
        ("99 % of depth differences, px", found.depth_px, GOAL_DEPTH_PX, np.argmax),
    ):
        at = int(worst(values))
        is_met = values[at] < goal if worst is np.argmax else values[at] >= goal
        sign = "<" if worst is np.argmax else ">="
        mean = f"mean over {len(values)} views {np.mean(values):.6f}"
        lines.append((f"{name}: worst view {values[at]:.6f} ({found.names[at]}), {mean}; goal {sign} {goal}", is_met))
    lines.append((f"99 % of depth differences over all pixels, px: {pooled:.2e}", pooled < GOAL_DEPTH_PX))
    return lines
