"""Morphometrics of branching: counts, orders, asymmetry, angles and straightness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.compartments import Compartment
from axonet.morphology.morphometric import mean, morphometric, ratio
from axonet.morphology.neuron import Neuron

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@morphometric(log=True)
def n_branch_points(neuron: Neuron) -> float:
    """Number of nodes outside the soma with two or more children."""
    return float(np.count_nonzero(neuron.topology.is_branch_point))


@morphometric(log=True)
def n_tips(neuron: Neuron) -> float:
    """Number of nodes outside the soma without children."""
    return float(np.count_nonzero(neuron.topology.is_tip))


@morphometric(log=True)
def n_stems(neuron: Neuron) -> float:
    """Number of neurite nodes right on the soma; without a soma, the number of roots."""
    return float(np.count_nonzero(neuron.topology.is_stem))


@morphometric(log=True)
def n_sections(neuron: Neuron) -> float:
    """Number of sections (from soma, root or branch point to the next branch point or tip)."""
    return float(len(neuron.topology.sections))


@morphometric(log=True)
def max_branch_order(neuron: Neuron) -> float:
    """Largest number of branch points between a node and its root (the soma, where there is one)."""
    return float(neuron.topology.branch_order.max())


@morphometric()
def strahler_order(neuron: Neuron) -> float:
    """Largest Strahler order of a section: 1 at tips, one more wherever two sections of the largest order meet."""
    return float(neuron.topology.sections.strahler.max(initial=0))


@morphometric(log=True, compartment=True)
def n_axon_tips(neuron: Neuron) -> float:
    """Number of tips that are axon."""
    return float(np.count_nonzero(neuron.topology.is_tip & (neuron.compartment == Compartment.AXON)))


@morphometric(log=True, compartment=True)
def n_basal_stems(neuron: Neuron) -> float:
    """Number of stems that are basal dendrite."""
    return float(np.count_nonzero(neuron.topology.is_stem & (neuron.compartment == Compartment.BASAL)))


@morphometric()
def partition_asymmetry(neuron: Neuron) -> float:
    """Mean over bifurcations of abs(a - b) / (a + b - 2), where a and b are the numbers of tips beyond its two sides.

    Sides with one tip each count as 0 (van Pelt et al., Bull Math Biol 54, 1992). Branch points with more than two
    sides are left out.
    """
    tips = neuron.topology.sections.n_tips[_bifurcations(neuron)]  # (b, 2)
    difference, others = np.abs(tips[:, 0] - tips[:, 1]), tips.sum(axis=1) - 2
    return mean(difference / np.maximum(others, 1))


@morphometric("degrees")
def mean_local_bifurcation_angle(neuron: Neuron) -> float:
    """Mean over bifurcations of the angle between the first segments of the two sides."""
    return mean(_bifurcation_angles(neuron, neuron.topology.sections.first))


@morphometric("degrees")
def mean_remote_bifurcation_angle(neuron: Neuron) -> float:
    """Mean over bifurcations of the angle between the straight lines to the far ends of the two sections."""
    return mean(_bifurcation_angles(neuron, neuron.topology.sections.end))


@morphometric()
def mean_contraction(neuron: Neuron) -> float:
    """Mean over sections of straight distance between the ends / cable length: 1 is straight."""
    sections = neuron.topology.sections
    long = sections.length > 0
    return mean(sections.chord[long] / sections.length[long])


@morphometric()
def mean_tortuosity(neuron: Neuron) -> float:
    """Cable length of all sections / sum of the straight distances between their ends.

    1 is straight. This is the mean of length / distance, each section weighted by its straight distance, so that
    short loops do not set it.
    """
    sections = neuron.topology.sections
    return ratio(sections.length.sum(), sections.chord.sum())


def _bifurcations(neuron: Neuron) -> IntArray:
    """``(b, 2)`` sections after every branch point that has exactly two."""
    sections = neuron.topology.sections
    order = np.argsort(sections.start, kind="stable")
    at_branch_point = neuron.topology.is_branch_point[sections.start[order]]
    n_sides = np.bincount(sections.start, minlength=neuron.n_nodes)[sections.start[order]]
    pairs: IntArray = order[at_branch_point & (n_sides == 2)].reshape(-1, 2)
    return pairs


def _bifurcation_angles(neuron: Neuron, toward: IntArray) -> FloatArray:
    """``(b,)`` angles in degrees between the two sides of each bifurcation; NaN where a side has no direction.

    Args:
        neuron: the neuron.
        toward: ``(s,)`` node that gives the direction of each section, seen from its start.
    """
    sides = _bifurcations(neuron)
    arms = neuron.xyz[toward[sides]] - neuron.xyz[neuron.topology.sections.start[sides]]  # (b, 2, 3) um
    first, second = arms[:, 0], arms[:, 1]
    across = np.linalg.norm(np.cross(first, second), axis=1)
    along = np.einsum("bi,bi->b", first, second)
    has_direction = (arms != 0).any(axis=2).all(axis=1)
    return np.where(has_direction, np.degrees(np.arctan2(across, along)), np.nan)
