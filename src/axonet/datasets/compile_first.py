"""Compiling the loops that draw and encode once, before several workers would each do it for themselves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from axonet.core.progress import say

if TYPE_CHECKING:
    from axonet.rendering.settings import RenderSettings


def compile_first(settings: RenderSettings, jobs: int, *, png: bool) -> None:
    """Draw a neuron of two nodes, so that the workers find compiled loops; nothing where that was done before.

    Args:
        settings: how the workers will draw.
        jobs: number of workers; a single one compiles for itself.
        png: whether PNG files are made too.
    """
    from axonet.rendering.kernel import cache_folder

    folder = cache_folder(os.environ.get("NUMBA_CACHE_DIR", ""))
    if jobs <= 1 or folder is None:
        return
    done = folder / f"compiled-{settings.backend}-{settings.projection}-{'png' if png else 'packed'}"
    if done.exists():
        return
    say("compiling the loops that draw: once on this machine, up to half a minute")
    from axonet.datasets.png import encode_classes
    from axonet.morphology.compartments import PALETTE
    from axonet.morphology.neuron import Neuron
    from axonet.rendering import render_neuron

    neuron = Neuron.from_arrays(np.array([[0.0, 0, 0], [9, 1, 1]]), [-1, 0], [1, 3], np.array([2.0, 1]), name="")
    for view in render_neuron(neuron, settings.model_copy(update={"width": 8, "height": 8})):
        if png:
            encode_classes(view.mask, PALETTE)
    done.touch()
