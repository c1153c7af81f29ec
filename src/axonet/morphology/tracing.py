"""Morphometrics that tell about the tracing as much as about the cell: thickness, sampling and loose pieces.

The radius is constant in whole archives, and the number of nodes depends on the program that wrote them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.morphometric import mean, morphometric, ratio
from axonet.morphology.neuron import Neuron

FloatArray = NDArray[np.float64]


@morphometric("um2", log=True, artefact=True)
def surface_area(neuron: Neuron) -> float:
    """Lateral surface of the neurites: one cone frustum per segment; next to the soma, a cylinder."""
    begin, end, length = _frusta(neuron)
    return float((np.pi * (begin + end) * np.hypot(length, end - begin)).sum())


@morphometric("um3", log=True, artefact=True)
def volume(neuron: Neuron) -> float:
    """Volume of the neurites: one cone frustum per segment; next to the soma, a cylinder."""
    begin, end, length = _frusta(neuron)
    return float((np.pi / 3 * length * (begin**2 + begin * end + end**2)).sum())


@morphometric("um", artefact=True)
def mean_radius(neuron: Neuron) -> float:
    """Mean radius along the cable of the neurites."""
    begin, end, length = _frusta(neuron)
    return ratio(float((length * (begin + end) / 2).sum()), float(length.sum()))


@morphometric("um", artefact=True)
def max_radius(neuron: Neuron) -> float:
    """Largest radius of a neurite node."""
    radius = neuron.radius[~neuron.topology.is_soma]
    return float(radius.max()) if len(radius) else float("nan")


@morphometric("um", artefact=True)
def soma_radius(neuron: Neuron) -> float:
    """Radius of the sphere that stands for the soma; undefined where none was traced."""
    return float("nan") if neuron.soma_radius is None else neuron.soma_radius


@morphometric(artefact=True)
def mean_taper(neuron: Neuron) -> float:
    """Mean over sections of the loss of radius from begin to end / cable length."""
    sections = neuron.topology.sections
    on_soma = neuron.topology.is_soma[sections.start]
    begin = neuron.radius[np.where(on_soma, sections.first, sections.start)]
    long = sections.length > 0
    return mean((begin - neuron.radius[sections.end])[long] / sections.length[long])


@morphometric(log=True, artefact=True)
def fragmentation(neuron: Neuron) -> float:
    """Number of segments (edges) of the cable."""
    return float(len(neuron.topology.edge))


@morphometric(log=True, artefact=True)
def nodes_per_section(neuron: Neuron) -> float:
    """Mean number of nodes of a section, its start not counted."""
    return ratio(len(neuron.topology.edge), len(neuron.topology.sections))


@morphometric(log=True, artefact=True)
def n_roots(neuron: Neuron) -> float:
    """Number of separate trees."""
    return float(neuron.n_roots)


def _frusta(neuron: Neuron) -> tuple[FloatArray, FloatArray, FloatArray]:
    """``(m,)`` radius at the begin and the end, and length, of every segment of the cable, in um.

    A segment that leaves the soma has its own radius at both ends: the soma's would make a fat cone of it.
    """
    tree = neuron.topology
    above = neuron.parent[tree.edge]
    end = neuron.radius[tree.edge]
    begin = np.where(tree.is_soma[above], end, neuron.radius[above])
    return begin, end, tree.cable[tree.edge]
