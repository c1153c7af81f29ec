"""All measures of a neuron: the registry that tables, captions, models and baselines go by."""

from __future__ import annotations

import numpy as np

from axonet.morphology import branching, size, tracing
from axonet.morphology.morphometric import Morphometric
from axonet.morphology.neuron import Neuron

__all__ = ["MORPHOMETRICS", "RADIUS_MEASURES", "Morphometric", "morphometrics"]

# What the radius of the neurites decides: nobody measured it where that is the same at all nodes ("constant_radius").
RADIUS_MEASURES = ("surface_area", "volume", "mean_radius", "max_radius", "mean_taper")

MORPHOMETRICS: dict[str, Morphometric] = {
    measure.name: measure
    for measure in (
        size.cable_length,
        size.max_path_distance,
        size.mean_tip_path_distance,
        size.max_radial_distance,
        size.mean_section_length,
        size.width,
        size.height,
        size.depth,
        size.sholl_max_crossings,
        branching.n_branch_points,
        branching.n_tips,
        branching.n_stems,
        branching.n_sections,
        branching.max_branch_order,
        branching.strahler_order,
        branching.partition_asymmetry,
        branching.mean_local_bifurcation_angle,
        branching.mean_remote_bifurcation_angle,
        branching.mean_contraction,
        branching.mean_tortuosity,
        tracing.surface_area,
        tracing.volume,
        tracing.mean_radius,
        tracing.max_radius,
        tracing.soma_radius,
        tracing.mean_taper,
        tracing.fragmentation,
        tracing.nodes_per_section,
        tracing.n_roots,
        size.axon_cable_length,
        size.basal_cable_length,
        size.apical_cable_length,
        size.other_cable_length,
        size.axon_fraction,
        size.basal_fraction,
        size.apical_fraction,
        branching.n_axon_tips,
        branching.n_basal_stems,
    )
}


def morphometrics(neuron: Neuron) -> dict[str, float]:
    """Every measure of a neuron, in the order of :data:`MORPHOMETRICS`; NaN where one is undefined."""
    # Coordinates near the limits of a float overflow to inf; that is an answer, not a reason to stop.
    with np.errstate(all="ignore"):
        return {name: measure(neuron) for name, measure in MORPHOMETRICS.items()}
