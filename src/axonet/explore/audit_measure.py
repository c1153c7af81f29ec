"""What an audit looks up in every file: the row of the table of measurements, and a little more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from axonet.datasets.measures import load_entry, measure_neuron, unmeasured
from axonet.sources.catalog import CatalogEntry

if TYPE_CHECKING:
    from axonet.morphology.neuron import Neuron


def audit_entry(entry: CatalogEntry) -> dict[str, Any]:
    """Read and measure a neuron for an audit.

    Returns:
        The row of :func:`axonet.datasets.measures.measure_entry`, with ``detail``, what the reader says of a bad file,
        and ``longest_edge_um`` of a neuron.
    """
    from axonet.morphology.swc import SWCError

    try:
        neuron = load_entry(entry)
    except SWCError as error:
        return {**unmeasured(entry, error.code), "detail": str(error)}
    return {**measure_neuron(entry, neuron), "detail": "", "longest_edge_um": longest_edge(neuron)}


def longest_edge(neuron: Neuron) -> float:
    """Length in um of the longest edge of a neurite; what leaves the soma does not count; 0 without any."""
    edges = neuron.edges()
    edges = edges[~neuron.is_soma[edges[:, 0]]]
    if not len(edges):
        return 0.0
    return float(np.linalg.norm(neuron.xyz[edges[:, 1]] - neuron.xyz[edges[:, 0]], axis=1).max())
