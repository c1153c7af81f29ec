"""A neuron reconstruction as arrays: one row per node, parents before children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axonet.morphology.compartments import Compartment, mask_class

if TYPE_CHECKING:
    from axonet.morphology.topology import Topology

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Neuron:
    """One reconstruction. Treat the arrays as read-only: what is derived from them is remembered.

    Attributes:
        name: what the neuron is called, usually the stem of its file.
        node_id: ``(n,)`` ids as in the file.
        swc_type: ``(n,)`` structure types as in the file (invalid ones are 0).
        compartment: ``(n,)`` uint8 mask classes, see :class:`axonet.morphology.compartments.Compartment`.
        xyz: ``(n, 3)`` node positions in um, finite.
        radius: ``(n,)`` node radii in um, finite and positive.
        parent: ``(n,)`` row of the parent, less than the node's own row; -1 for a root.
        warnings: sorted codes of what the reader repaired and what looks odd.

    Raises:
        ValueError: arrays of wrong shape, a child before its parent, or values that are not finite.
    """

    name: str
    node_id: IntArray
    swc_type: IntArray
    compartment: NDArray[np.uint8]
    xyz: FloatArray
    radius: FloatArray
    parent: IntArray
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse arrays that would break a law of this class."""
        n = len(self.node_id)
        if n == 0:
            raise ValueError("a neuron has at least one node")
        if self.xyz.shape != (n, 3):
            raise ValueError(f"xyz has shape {self.xyz.shape}, expected ({n}, 3)")
        for column in ("node_id", "swc_type", "compartment", "radius", "parent"):
            if getattr(self, column).shape != (n,):
                raise ValueError(f"{column} has shape {getattr(self, column).shape}, expected ({n},)")
        if not ((self.parent >= -1) & (self.parent < np.arange(n))).all():
            raise ValueError("every parent must be -1 or the row of an earlier node")
        if not np.isfinite(self.xyz).all():
            raise ValueError("positions must be finite")
        if not (np.isfinite(self.radius) & (self.radius > 0)).all():
            raise ValueError("radii must be finite and positive")

    @classmethod
    def from_arrays(
        cls,
        xyz: ArrayLike,
        parent: ArrayLike,
        swc_type: ArrayLike,
        radius: ArrayLike = 1.0,
        *,
        name: str = "",
        node_id: ArrayLike | None = None,
        warnings: Sequence[str] = (),
    ) -> Neuron:
        """Make a neuron from anything that looks like arrays; a single type or radius stands for all nodes.

        Args:
            xyz: ``(n, 3)`` positions in um.
            parent: ``(n,)`` rows of the parents, earlier than their children; -1 for a root.
            swc_type: ``(n,)`` structure types.
            radius: ``(n,)`` radii in um.
            name: name of the neuron.
            node_id: ``(n,)`` ids; 1, 2, ... by default.
            warnings: codes to carry.
        """
        points = np.array(xyz, dtype=np.float64).reshape(-1, 3)
        n = len(points)
        types = np.broadcast_to(np.asarray(swc_type, dtype=np.int64), (n,)).copy()
        return cls(
            name=name,
            node_id=np.arange(1, n + 1) if node_id is None else np.array(node_id, dtype=np.int64),
            swc_type=types,
            compartment=mask_class(types),
            xyz=points,
            radius=np.broadcast_to(np.asarray(radius, dtype=np.float64), (n,)).copy(),
            parent=np.array(parent, dtype=np.int64),
            warnings=tuple(sorted(set(warnings))),
        )

    def __eq__(self, other: object) -> bool:
        """Same nodes, number for number; name and warnings tell about the file and do not count."""
        if not isinstance(other, Neuron):
            return NotImplemented
        columns = ("node_id", "swc_type", "compartment", "xyz", "radius", "parent")
        return all(np.array_equal(getattr(self, column), getattr(other, column)) for column in columns)

    __hash__ = None  # type: ignore[assignment]  # equality is by value of mutable arrays

    def __getstate__(self) -> dict[str, object]:
        """The fields alone: what was derived from them does not travel between processes."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __len__(self) -> int:
        """Number of nodes."""
        return len(self.node_id)

    def __repr__(self) -> str:
        """One line: name, size and warnings."""
        return f"Neuron({self.name!r}, {self.n_nodes} nodes, {self.n_roots} roots, warnings={list(self.warnings)})"

    def _repr_svg_(self) -> str:
        """The picture that a notebook shows."""
        from axonet.morphology.drawing import to_svg

        return to_svg(self)

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_id)

    @property
    def n_roots(self) -> int:
        """Number of separate trees."""
        return int(np.count_nonzero(self.parent < 0))

    @property
    def is_soma(self) -> NDArray[np.bool_]:
        """``(n,)`` mask of the soma's nodes."""
        soma: NDArray[np.bool_] = self.compartment == Compartment.SOMA
        return soma

    @property
    def extent(self) -> FloatArray:
        """``(3,)`` size of the bounding box of the node positions along x, y, z in um (radii do not count)."""
        size: FloatArray = self.xyz.max(axis=0) - self.xyz.min(axis=0)
        return size

    @cached_property
    def _soma_sphere(self) -> tuple[FloatArray, float] | None:
        rows = np.flatnonzero(self.is_soma)
        return soma_sphere(self.xyz[rows], self.radius[rows], self._parents_within(rows)) if len(rows) else None

    def _parents_within(self, rows: IntArray) -> IntArray:
        """Position in ``rows`` of each one's parent, -1 where the parent is not among them."""
        position = np.full(self.n_nodes + 1, -1, dtype=np.int64)
        position[rows] = np.arange(len(rows))
        within: IntArray = position[self.parent[rows]]
        return within

    @property
    def soma_center(self) -> FloatArray | None:
        """``(3,)`` center of the soma in um, None without a soma. See :func:`soma_sphere`."""
        return None if self._soma_sphere is None else self._soma_sphere[0]

    @property
    def soma_radius(self) -> float | None:
        """Radius of the soma in um, None without a soma. See :func:`soma_sphere`."""
        return None if self._soma_sphere is None else self._soma_sphere[1]

    def to_navis(self) -> Any:
        """A ``navis.TreeNeuron`` with the same nodes, in um.

        Raises:
            UserError: navis is not installed.
        """
        from axonet.morphology.navis import to_navis

        return to_navis(self)

    @cached_property
    def topology(self) -> Topology:
        """Branching structure: sections, orders, distances."""
        from axonet.morphology.topology import topology

        return topology(self)

    @cached_property
    def principal_extents(self) -> FloatArray:
        """``(3,)`` lengths in um along the cable's principal axes, widest first, that hold its central 95 %."""
        from axonet.morphology.extents import principal_extents

        edge = self.topology.edge
        return principal_extents(self.xyz[self.parent[edge]], self.xyz[edge], self.topology.cable[edge])

    def edges(self) -> IntArray:
        """``(m, 2)`` rows (parent, child) of every node that has a parent, in the order of the children."""
        children = np.flatnonzero(self.parent >= 0)
        return np.column_stack([self.parent[children], children])

    def scaled(self, factor: float) -> Neuron:
        """The same neuron in other units: positions and radii times ``factor`` (um per unit of the file).

        Warnings that depend on size are judged anew.
        """
        from axonet.morphology.checks import with_quality_codes

        if not (np.isfinite(factor) and factor > 0):
            raise ValueError(f"a scale must be finite and positive, got {factor}")
        return with_quality_codes(
            Neuron(
                self.name,
                self.node_id,
                self.swc_type,
                self.compartment,
                self.xyz * factor,
                self.radius * factor,
                self.parent,
                self.warnings,
            )
        )

    def morphometrics(self) -> dict[str, float]:
        """Every measure of :data:`axonet.morphology.morphometrics.MORPHOMETRICS`; NaN where one is undefined."""
        from axonet.morphology.morphometrics import morphometrics

        return morphometrics(self)


def soma_sphere(xyz: FloatArray, radius: FloatArray, parent: IntArray) -> tuple[FloatArray, float]:
    """Center and radius in um of the sphere that stands for a soma.

    One point is itself. Three points of which two hang off the first are NeuroMorpho.Org's way to write a sphere:
    the first one's position and radius. Anything else is read as a chain of cylinders, as NEURON does: the mean
    position, and the radius of the sphere with the same lateral surface, at least the largest radius of a point.

    Args:
        xyz: ``(k, 3)`` positions of the soma's nodes in um, parents first.
        radius: ``(k,)`` radii in um.
        parent: ``(k,)`` index of each one's parent among them; -1 where it has none.
    """
    if len(radius) == 1 or (len(radius) == 3 and (parent[1:] == 0).all()):
        return xyz[0], float(radius[0])
    child = np.flatnonzero(parent >= 0)
    length = np.linalg.norm(xyz[child] - xyz[parent[child]], axis=1)
    lateral_surface = float(np.sum(np.pi * (radius[child] + radius[parent[child]]) * length))
    return xyz.mean(axis=0), max(float(np.sqrt(lateral_surface / (4 * np.pi))), float(radius.max()))
