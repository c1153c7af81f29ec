"""Morphometrics of size: cable, distances and extents."""

from __future__ import annotations

import numpy as np

from axonet.morphology.compartments import Compartment
from axonet.morphology.morphometric import mean, morphometric, ratio
from axonet.morphology.neuron import Neuron


@morphometric("um", log=True)
def cable_length(neuron: Neuron) -> float:
    """Total length of all edges whose child is not a soma node."""
    return float(neuron.topology.cable.sum())


def _length_of(neuron: Neuron, compartment: Compartment) -> float:
    return float(neuron.topology.cable[neuron.compartment == compartment].sum())


@morphometric("um", log=True, compartment=True)
def axon_cable_length(neuron: Neuron) -> float:
    """Cable length of edges whose child is axon."""
    return _length_of(neuron, Compartment.AXON)


@morphometric("um", log=True, compartment=True)
def basal_cable_length(neuron: Neuron) -> float:
    """Cable length of edges whose child is basal dendrite."""
    return _length_of(neuron, Compartment.BASAL)


@morphometric("um", log=True, compartment=True)
def apical_cable_length(neuron: Neuron) -> float:
    """Cable length of edges whose child is apical dendrite."""
    return _length_of(neuron, Compartment.APICAL)


@morphometric("um", log=True, compartment=True)
def other_cable_length(neuron: Neuron) -> float:
    """Cable length of edges whose child is neither axon nor dendrite."""
    return _length_of(neuron, Compartment.OTHER)


@morphometric(compartment=True)
def axon_fraction(neuron: Neuron) -> float:
    """Share of the cable that is axon."""
    return ratio(axon_cable_length(neuron), cable_length(neuron))


@morphometric(compartment=True)
def basal_fraction(neuron: Neuron) -> float:
    """Share of the cable that is basal dendrite."""
    return ratio(basal_cable_length(neuron), cable_length(neuron))


@morphometric(compartment=True)
def apical_fraction(neuron: Neuron) -> float:
    """Share of the cable that is apical dendrite."""
    return ratio(apical_cable_length(neuron), cable_length(neuron))


@morphometric("um", log=True)
def max_path_distance(neuron: Neuron) -> float:
    """Longest way along the cable from a root (the soma, where there is one) to a tip of its tree."""
    return float(neuron.topology.path_distance.max())


@morphometric("um", log=True)
def mean_tip_path_distance(neuron: Neuron) -> float:
    """Mean over tips of the way along the cable to their root."""
    tree = neuron.topology
    return mean(tree.path_distance[tree.is_tip])


@morphometric("um", log=True)
def max_radial_distance(neuron: Neuron) -> float:
    """Longest straight distance of a neurite node from the soma (without one, the root of the largest tree)."""
    tree = neuron.topology
    return float(tree.radial_distance[~tree.is_soma].max(initial=0.0))


@morphometric("um", log=True)
def mean_section_length(neuron: Neuron) -> float:
    """Mean cable length of a section (from soma, root or branch point to the next branch point or tip)."""
    return mean(neuron.topology.sections.length)


@morphometric("um", log=True)
def width(neuron: Neuron) -> float:
    """Length along the first principal axis of the cable that holds its central 95 %."""
    return float(neuron.principal_extents[0])


@morphometric("um", log=True)
def height(neuron: Neuron) -> float:
    """Length along the second principal axis of the cable that holds its central 95 %."""
    return float(neuron.principal_extents[1])


@morphometric("um", log=True)
def depth(neuron: Neuron) -> float:
    """Length along the third principal axis of the cable that holds its central 95 %; 0 for a flat tracing."""
    return float(neuron.principal_extents[2])


@morphometric(log=True)
def sholl_max_crossings(neuron: Neuron) -> float:
    """Largest number of segments crossed by a sphere around the soma (without one, the root of the largest tree).

    All radii are tried, there is no step; a segment is crossed between the distances of its two ends.
    """
    tree = neuron.topology
    distances = np.stack([tree.radial_distance[tree.edge], tree.radial_distance[neuron.parent[tree.edge]]])
    # Leaving comes before entering where radii tie, so that a node between two segments counts once.
    radii = np.concatenate([distances.max(axis=0), distances.min(axis=0)])
    change = np.repeat([-1, 1], distances.shape[1])
    return float(np.cumsum(change[np.argsort(radii, kind="stable")]).max(initial=0))
