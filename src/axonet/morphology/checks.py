"""What looks odd about a neuron that can be read: codes for a quality table, never a repair.

===================  =================================================================================
code                 meaning
===================  =================================================================================
no_soma              no node of type 1
no_neurites          nothing but a soma
multiple_roots       pieces that are not connected
constant_radius      all neurite nodes have one radius: it was not measured
flat_z               a tracing in one plane: no extent along z
zero_length_edges    a node lies exactly on its parent
long_edge            an edge above 1000 um: a spider leg, or units that are not um
suspicious_units     a soma radius above 50 um, or an extent above 20 mm that no long edge explains
===================  =================================================================================
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from axonet.morphology.neuron import Neuron

LONG_EDGE = 1000.0  # um
LARGE_SOMA_RADIUS = 50.0  # um
LARGE_EXTENT = 20_000.0  # um

QUALITY_CODES = (
    "constant_radius",
    "flat_z",
    "long_edge",
    "multiple_roots",
    "no_neurites",
    "no_soma",
    "suspicious_units",
    "zero_length_edges",
)


def quality_codes(neuron: Neuron) -> tuple[str, ...]:
    """Sorted codes of :data:`QUALITY_CODES` that hold for a neuron."""
    neurite_radius = neuron.radius[~neuron.is_soma]
    edges = neuron.edges()
    with np.errstate(over="ignore"):
        length = np.linalg.norm(neuron.xyz[edges[:, 1]] - neuron.xyz[edges[:, 0]], axis=1)  # (m,) um
        extent = near_extent = neuron.extent
        is_long = length > LONG_EDGE
        if is_long.any():
            # Nodes at the far end of a long edge are reported as such; they do not speak for the units of the rest.
            near_extent = np.ptp(np.delete(neuron.xyz, edges[is_long, 1], axis=0), axis=0)
    holds = {
        "no_soma": len(neurite_radius) == neuron.n_nodes,
        "no_neurites": not len(neurite_radius),
        "multiple_roots": neuron.n_roots > 1,
        "constant_radius": len(neurite_radius) > 1 and bool((neurite_radius == neurite_radius[0]).all()),
        "flat_z": extent[2] == 0 and extent.max() > 0,
        "zero_length_edges": bool((length == 0).any()),
        "long_edge": bool(is_long.any()),
        "suspicious_units": (neuron.soma_radius or 0) > LARGE_SOMA_RADIUS or near_extent.max() > LARGE_EXTENT,
    }
    return tuple(code for code in QUALITY_CODES if holds[code])


def with_quality_codes(neuron: Neuron) -> Neuron:
    """The neuron with its quality codes judged anew; what the reader repaired stays in its warnings."""
    repaired = set(neuron.warnings) - set(QUALITY_CODES)
    return replace(neuron, warnings=tuple(sorted(repaired | set(quality_codes(neuron)))))
