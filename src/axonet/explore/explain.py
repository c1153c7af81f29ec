"""What a match rests on: which views of a neuron, and which compartments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from axonet.inference.embed import EmbeddingModel, render_settings
from axonet.inference.pool import unit
from axonet.morphology.compartments import CLASS_NAMES, Compartment
from axonet.rendering.render import iterate_views, render_neuron

if TYPE_CHECKING:
    from axonet.morphology.neuron import Neuron
    from axonet.rendering.view import View

Floats = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ViewShare:
    """One view of the neuron.

    Attributes:
        view: its index.
        tier: why there is this view.
        cosine: of this view alone with the target.
        drop: how much the cosine of the neuron falls when this view is left out of the mean; negative: it rises.
    """

    view: int
    tier: str
    cosine: float
    drop: float


@dataclass(frozen=True)
class PartEffect:
    """One part that was hidden in all views, all else as before.

    Attributes:
        part: name of the compartment, or ``morphometrics``.
        cosine: of the neuron without it.
        drop: how much the cosine falls without it; negative: it rises.
        pixel_share: its share of the neuron's pixels over all views; None for the morphometrics.
    """

    part: str
    cosine: float
    drop: float
    pixel_share: float | None


@dataclass(frozen=True)
class Explanation:
    """What a match rests on.

    Attributes:
        cosine: of the neuron with the target.
        views: every view, the one that speaks most for the match first.
        parts: every compartment that the neuron has and, for a model that takes them, its morphometrics; the one
            without which the cosine falls most first.
        drawn: the views of the whole neuron, by index.
        without: for each hidden compartment the views without it, by index.
    """

    cosine: float
    views: tuple[ViewShare, ...]
    parts: tuple[PartEffect, ...]
    drawn: tuple[View, ...]
    without: dict[str, tuple[View, ...]]

    def to_json(self) -> dict[str, Any]:
        """The figures as plain data."""
        return {
            "cosine": self.cosine,
            "views": [asdict(view) for view in self.views],
            "parts": [asdict(part) for part in self.parts],
        }


def explain(model: EmbeddingModel, neuron: Neuron, target: Floats) -> Explanation:
    """Compare a neuron with a target view by view, and with one compartment hidden after the other.

    A hidden compartment is not drawn; cameras, scale and range of depth stay those of the whole neuron, and so do the
    morphometrics, which are left out by themselves.

    Args:
        model: the model that made the target.
        neuron: the neuron.
        target: ``(dim,)`` unit vector of words or of another neuron.

    Raises:
        RenderError: the neuron cannot be drawn.
    """
    settings = render_settings(model.spec)
    drawn = tuple(render_neuron(neuron, settings))
    vectors = model.embed_drawn(drawn, neuron).astype(np.float64)
    goal = target.astype(np.float64)
    cosine = _cosine(vectors, goal)
    counts = np.sum([np.bincount(view.mask.ravel(), minlength=len(CLASS_NAMES)) for view in drawn], axis=0)
    ink = max(int(counts[1:].sum()), 1)
    without, parts = {}, []
    for part in Compartment:
        if part == Compartment.BACKGROUND or not (neuron.compartment == part).any():
            continue
        views = tuple(iterate_views(neuron, settings, hidden=part))
        left = _cosine(model.embed_drawn(views, neuron).astype(np.float64), goal)
        name = CLASS_NAMES[part]
        without[name] = views
        parts.append(PartEffect(name, left, cosine - left, float(counts[part] / ink)))
    if model.takes_morphometrics:
        left = _cosine(model.embed_drawn(drawn).astype(np.float64), goal)
        parts.append(PartEffect("morphometrics", left, cosine - left, None))
    return Explanation(
        cosine,
        tuple(sorted(_views(drawn, vectors, goal, cosine), key=lambda view: (-view.cosine, view.view))),
        tuple(sorted(parts, key=lambda part: -part.drop)),
        drawn,
        without,
    )


def _cosine(vectors: Array, target: Array) -> float:
    """Of the pooled vectors ``(n, dim)`` with the target."""
    return float(unit(vectors.mean(axis=0, keepdims=True))[0] @ target)


def _views(drawn: Sequence[View], vectors: Array, target: Array, cosine: float) -> list[ViewShare]:
    shares = []
    for place, view in enumerate(drawn):
        others = np.delete(vectors, place, axis=0)
        drop = cosine - _cosine(others, target) if len(others) else cosine
        shares.append(ViewShare(view.index, view.tier, float(vectors[place] @ target), drop))
    return shares


def explanation_text(found: Explanation) -> str:
    """Two tables for a terminal."""
    lines = [f"cosine of the match: {found.cosine:.3f}", "", "hidden          cosine    drop  share of pixels"]
    for part in found.parts:
        share = "" if part.pixel_share is None else f"{100 * part.pixel_share:14.1f} %"
        lines.append(f"{part.part:<15} {part.cosine:6.3f} {part.drop:+7.3f} {share}".rstrip())
    lines += ["", "view  tier        cosine    drop when left out"]
    lines += [f"{view.view:>4}  {view.tier:<10}  {view.cosine:6.3f} {view.drop:+7.3f}" for view in found.views]
    return "\n".join(lines)
