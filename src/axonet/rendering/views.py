"""Which directions a neuron is seen from.

Directions are made in the frame of the principal axes, so a neuron that lies turned in its file is seen the same way.
Its random stream is named by the neuron: what other neurons are rendered changes nothing.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from axonet.core.seeds import rng as named_rng
from axonet.rendering.camera import Array
from axonet.rendering.settings import RenderSettings

WIDEST = math.cos(math.radians(40.0))
"""Biased views lie within 40 degrees of +-PC3."""

SEPARATION = math.radians(16.0)
"""Smallest angle between two biased views, and to a canonical one, while so many fit; it shrinks when they do not."""

MIN_CANDIDATES = 2048
CANDIDATES_PER_VIEW = 16


def view_directions(axes: Array, settings: RenderSettings, name: str) -> tuple[Array, list[str]]:
    """Look directions of all views of a neuron.

    Args:
        axes: ``(3, 3)`` principal axes of the neuron, rows.
        settings: numbers of views, sampling and seed.
        name: names the random stream.

    Returns:
        ``(v, 3)`` unit look directions, and the tier of each.
    """
    stream = named_rng(settings.seed, "views", name)
    if settings.sampling == "pca":
        canonical = canonical_directions(settings.canonical_views)
        biased = biased_directions(settings.biased_views, canonical, stream)
        local = np.concatenate([canonical, biased, random_directions(settings.random_views, stream)])
        tiers = ["canonical"] * len(canonical) + ["biased"] * len(biased) + ["random"] * settings.random_views
    elif settings.sampling == "fibonacci":
        local = fibonacci_directions(settings.n_views)
        tiers = ["fibonacci"] * len(local)
    else:
        local = random_directions(settings.n_views, stream)
        tiers = ["random"] * len(local)
    # Rows of axes are the principal axes, so coordinates along them become world vectors; canonical ones stay exact.
    world = local[:, 0:1] * axes[0] + local[:, 1:2] * axes[1] + local[:, 2:3] * axes[2]
    return world, tiers


def canonical_directions(n_views: int) -> Array:
    """Directions along the principal axes, in their frame.

    Six are +PC1, -PC1, +PC2, -PC2, +PC3, -PC3. Fewer are the widest views first: +PC3, +PC2, +PC1, then -PC3, -PC2.
    More than six add the 12 diagonals between two axes, then the 8 between three.

    Args:
        n_views: 0 to 26.

    Returns:
        ``(n_views, 3)`` unit vectors.
    """
    faces: list[tuple[int, ...]] = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
    if n_views < 6:
        chosen = [faces[k] for k in (4, 2, 0, 5, 3)][:n_views]
    else:
        others = [d for d in itertools.product((1, 0, -1), repeat=3) if sum(map(abs, d)) > 1]
        # Two axes before three; among two, those that see the PC1-PC2 plane best (no PC1 in them) first.
        others.sort(key=lambda d: (sum(map(abs, d)), abs(d[0]), -abs(d[2])))
        chosen = [*faces, *others][:n_views]
    directions = np.array(chosen, dtype=np.float64).reshape(-1, 3)
    return np.asarray(directions / np.sqrt((directions**2).sum(axis=1, keepdims=True)))


def biased_directions(n_views: int, canonical: Array, stream: np.random.Generator) -> Array:
    """Directions near +-PC3, where a neuron shows its largest area, spread out and away from the canonical views.

    Random candidates within 40 degrees of +-PC3 are taken by descending ``|d . PC3|``, skipping those too close to one
    that is taken already. Opposite directions count as the same: their silhouettes are mirror images.

    Args:
        n_views: how many.
        canonical: ``(c, 3)`` unit vectors that are taken already.
        stream: the neuron's random stream.

    Returns:
        ``(n_views, 3)`` unit vectors in the frame of the principal axes.
    """
    if n_views == 0:
        return np.zeros((0, 3))
    n_candidates = MIN_CANDIDATES + CANDIDATES_PER_VIEW * n_views
    height = stream.uniform(WIDEST, 1.0, n_candidates)
    turn = stream.uniform(0.0, 2.0 * np.pi, n_candidates)
    side = np.where(stream.random(n_candidates) < 0.5, -1.0, 1.0)
    radius = np.sqrt(1.0 - height**2)
    candidates = np.stack([radius * np.cos(turn), radius * np.sin(turn), side * height], axis=1)
    candidates = candidates[np.argsort(-height, kind="stable")]
    separation = SEPARATION
    while True:
        chosen = _spread(candidates, n_views, canonical, math.cos(separation))
        if len(chosen) == n_views:
            return chosen
        separation *= 0.9


def _spread(candidates: Array, n_views: int, taken: Array, closest: float) -> Array:
    """The first candidates whose cosine to all taken ones, and to each other, is below ``closest``."""
    axes = np.array(taken)
    free = np.ones(len(candidates), dtype=bool)
    for axis in axes:
        free &= np.abs((candidates * axis).sum(axis=1)) < closest
    chosen: list[Array] = []
    while len(chosen) < n_views and free.any():
        best = candidates[int(np.argmax(free))]
        chosen.append(best)
        free &= np.abs((candidates * best).sum(axis=1)) < closest
    return np.array(chosen).reshape(-1, 3)


def random_directions(n_views: int, stream: np.random.Generator) -> Array:
    """``(n_views, 3)`` unit vectors, uniform on the sphere."""
    height = stream.uniform(-1.0, 1.0, n_views)
    turn = stream.uniform(0.0, 2.0 * np.pi, n_views)
    radius = np.sqrt(1.0 - height**2)
    return np.stack([radius * np.cos(turn), radius * np.sin(turn), height], axis=1)


def fibonacci_directions(n_views: int) -> Array:
    """``(n_views, 3)`` unit vectors spread evenly over the sphere: a spiral that turns by the golden angle."""
    steps = np.arange(n_views)
    height = 1.0 - (2.0 * steps + 1.0) / n_views
    turn = steps * np.pi * (3.0 - math.sqrt(5.0))
    radius = np.sqrt(1.0 - height**2)
    return np.stack([radius * np.cos(turn), radius * np.sin(turn), height], axis=1)
