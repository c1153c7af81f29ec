"""A neuron as a small SVG picture: what a notebook shows for it."""

from __future__ import annotations

from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.compartments import CLASS_NAMES, PALETTE, Compartment
from axonet.morphology.extents import cable_covariance
from axonet.morphology.neuron import Neuron

FloatArray = NDArray[np.float64]

PADDING = 0.04  # of the size, on each side
RESOLUTION = 0.5  # pixels; steps below it are not drawn


def to_svg(neuron: Neuron, size: int = 320) -> str:
    """Draw a neuron where it is widest: the first principal axis of the cable up, the second to the right.

    Args:
        neuron: the neuron.
        size: height and width of the picture in pixels.

    Returns:
        An SVG element with one path per compartment, colored by :data:`PALETTE`, and a disk for the soma.
    """
    plane, um_per_px = _plane_and_scale(neuron, size)
    middle = (plane.max(axis=0) + plane.min(axis=0)) / 2
    pixels = (plane - middle) / um_per_px * (1, -1) + size / 2
    parts = [f"<title>{escape(neuron.name)}</title>"]
    for compartment in (Compartment.OTHER, Compartment.AXON, Compartment.BASAL, Compartment.APICAL):
        if path := _path(neuron, pixels, compartment):
            parts.append(f'<path d="{path}" fill="none" stroke="{_color(compartment)}"/>')
    if neuron.soma_radius is not None:
        x, y = pixels[np.flatnonzero(neuron.is_soma)].mean(axis=0)
        radius = max(neuron.soma_radius / um_per_px, 1.5)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{_color(Compartment.SOMA)}"/>')
    label = escape(
        f"{neuron.name}: " + ", ".join(CLASS_NAMES[k] for k in np.unique(neuron.compartment)), {'"': "&quot;"}
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 {size} {size}" '
        f'role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )


def _plane_and_scale(neuron: Neuron, size: int) -> tuple[FloatArray, float]:
    """``(n, 2)`` positions in um to the right and up, and um per pixel."""
    tree = neuron.topology
    length = tree.cable[tree.edge]
    axes = np.eye(3)[:, 1::-1]
    if 0 < length.sum() < np.inf:
        # In units of the cable, so that squares stay finite whatever the unit of the file.
        xyz = neuron.xyz / length.sum()
        covariance = cable_covariance(xyz[neuron.parent[tree.edge]], xyz[tree.edge], length)
        axes = np.linalg.eigh(covariance)[1][:, 1:]  # (3, 2): second axis, first axis
    plane = neuron.xyz @ axes
    widest = max(float(np.ptp(plane, axis=0).max()), 2 * (neuron.soma_radius or 0.0))
    return plane, (widest or 1.0) / (size * (1 - 2 * PADDING))


def _path(neuron: Neuron, pixels: FloatArray, compartment: Compartment) -> str:
    """SVG path of all edges of a compartment, one run of lines per section."""
    tree = neuron.topology
    rows = tree.edge[neuron.compartment[tree.edge] == compartment]
    rows = rows[np.argsort(tree.sections.of_node[rows], kind="stable")]  # along each section, from its start
    points = np.rint(pixels / RESOLUTION) * RESOLUTION
    commands, pen = [], -1
    for row, above, (x, y) in zip(rows.tolist(), neuron.parent[rows].tolist(), points[rows].tolist(), strict=True):
        if pen != above:
            start_x, start_y = points[above].tolist()
            commands.append(f"M{start_x:g} {start_y:g}")
            last = (start_x, start_y)
        if (x, y) != last:
            commands.append(f"L{x:g} {y:g}")
            last = (x, y)
        pen = row
    return "".join(commands)


def _color(compartment: Compartment) -> str:
    red, green, blue = PALETTE[compartment].tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"
