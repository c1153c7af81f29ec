"""The solid that is drawn: one rounded cone per row of the SWC file.

A row owns the lateral body from its parent's sphere to its own, and its *own* end sphere; the parent's sphere belongs
to the parent's row. So no joint is drawn twice in two classes. A root is a cone of length zero: a sphere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.compartments import Compartment
from axonet.morphology.neuron import Neuron
from axonet.rendering.axes import principal_axes
from axonet.rendering.camera import Array
from axonet.rendering.errors import RenderError

LARGEST_COORDINATE = 1e12
"""um; beyond it squares of lengths lose the parts that matter."""

SMALLEST_EXTENT = 1e-10
"""Of a neuron, as a fraction of its distance from the origin (or of 1 um): what rounding leaves apart."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """Rounded cones, ready to draw.

    Attributes:
        ends: ``(n, 8)`` um: x, y, z, radius of the start (the parent's side), then of the end (the row's own side).
        compartment: ``(n,)`` uint8 mask class of each cone.
        is_cable: ``(n,)`` whether the cone counts as cable: it is no soma and has a length.
        spheres: ``(m, 4)`` um: x, y, z, radius of the end spheres, each once; cone by cone their convex hull holds all.
        soma_center: ``(3,)`` um, or ``None`` without a soma.
    """

    ends: Array
    compartment: NDArray[np.uint8]
    is_cable: NDArray[np.bool_]
    spheres: Array
    soma_center: Array | None

    @property
    def lengths(self) -> Array:
        """``(n,)`` um between the two ends of each cone."""
        return np.asarray(np.sqrt(((self.ends[:, 4:7] - self.ends[:, 0:3]) ** 2).sum(axis=1)))

    def without(self, hidden: Compartment) -> Geometry:
        """The same solid with a compartment left out: seen from the same cameras, in the same range of depth."""
        kept = self.compartment != hidden
        # The spheres stay: they say where the whole neuron is.
        return replace(self, ends=self.ends[kept], compartment=self.compartment[kept], is_cable=self.is_cable[kept])

    def mass_points(self) -> tuple[Array, Array]:
        """Points and weights with the mean, covariance and third moments of the cable as a line.

        Simpson's rule on each segment is exact for polynomials of degree three, so points that are added along a
        straight stretch of a file change no principal axis.

        Returns:
            ``(3n, 3)`` um and ``(3n,)`` um.
        """
        start, end, lengths = self.ends[:, 0:3], self.ends[:, 4:7], self.lengths
        points = np.concatenate([start, 0.5 * (start + end), end])
        return points, np.concatenate([lengths, 4.0 * lengths, lengths]) / 6.0

    def axes(self) -> Array:
        """``(3, 3)`` principal axes of the cable, see :func:`axonet.rendering.axes.principal_axes`.

        Radii, then mask classes tell the two sides of a symmetric cable apart.
        """
        start, end = self.ends[:, 3], self.ends[:, 7]
        radii = np.concatenate([start, 0.5 * (start + end), end])
        return principal_axes(*self.mass_points(), np.stack([radii, np.tile(self.compartment, 3)]))


def build_geometry(neuron: Neuron) -> Geometry:
    """Rounded cones of a neuron.

    - A child of a soma node that is no soma itself has its own radius at both ends: no fat cone leaves the soma.
    - A 3-point soma (the convention of NeuroMorpho.Org: one sphere, written as a center and two points on its surface)
      is one sphere, not a bar.
    - All trees are drawn, whether or not they are attached to the soma.

    Raises:
        RenderError: ``bad_coordinates``, ``no_neurites`` or ``no_extent``.
    """
    _check(neuron)
    xyz, radius, parent, is_soma = neuron.xyz, neuron.radius, neuron.parent, neuron.is_soma
    start = np.where(parent < 0, np.arange(len(xyz)), parent)
    leaves_soma = is_soma[start] & ~is_soma
    start_radius = np.where(leaves_soma, radius, radius[start])
    end_radius = radius.copy()
    keep = np.ones(len(xyz), dtype=bool)
    surface = surface_points(neuron)
    # What hangs on a surface point must stay attached to the sphere; a line inside it does that and is not seen.
    start_radius[surface] = end_radius[surface] = 0.0
    keep[surface] = np.isin(surface, parent)
    ends = np.concatenate([xyz[start], start_radius[:, None], xyz, end_radius[:, None]], axis=1)[keep]
    compartment = np.ascontiguousarray(neuron.compartment[keep])
    spheres = np.concatenate([ends[:, 4:8], ends[leaves_soma[keep], 0:4]])
    has_length = (ends[:, 0:3] != ends[:, 4:7]).any(axis=1)
    is_cable = has_length & (compartment != Compartment.SOMA)
    return Geometry(ends, compartment, is_cable, spheres, neuron.soma_center)


def surface_points(neuron: Neuron) -> NDArray[np.int64]:
    """Rows of the two points on the surface of a 3-point soma; empty when the soma is written in another way.

    Three soma rows are such a soma when two of them hang on the third, lie on opposite sides of it, no farther than its
    radius (10 % are forgiven), and have its radius. Farther points are a traced, elongated soma and drawn as such.
    """
    nothing = np.zeros(0, dtype=np.int64)
    rows = np.flatnonzero(neuron.is_soma)
    if len(rows) != 3:
        return nothing
    center, surface = rows[0], rows[1:]
    size = neuron.radius[center]
    if not ((neuron.parent[surface] == center).all() and np.allclose(neuron.radius[surface], size, rtol=0.1)):
        return nothing
    offsets = neuron.xyz[surface] - neuron.xyz[center]
    on_surface = bool((np.sqrt((offsets**2).sum(axis=1)) <= 1.1 * size).all())
    opposite = bool(np.sqrt((offsets.sum(axis=0) ** 2).sum()) <= 0.1 * size)
    return surface if on_surface and opposite else nothing


def _check(neuron: Neuron) -> None:
    """Refuse what cannot be drawn."""
    farthest = max(np.abs(neuron.xyz).max(), neuron.radius.max())
    if farthest > LARGEST_COORDINATE:
        raise RenderError("bad_coordinates", f"{neuron.name}: a coordinate or radius is {farthest:.3g} um")
    if neuron.is_soma.all():
        raise RenderError("no_neurites", f"{neuron.name}: no neurite to draw, all {neuron.n_nodes} points are soma")
    extent = max(neuron.extent.max(), neuron.radius.max())
    if extent <= SMALLEST_EXTENT * max(farthest, 1.0):
        raise RenderError("no_extent", f"{neuron.name}: all {neuron.n_nodes} points lie at one place")
