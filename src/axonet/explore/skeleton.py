"""A neuron's skeleton in a few kilobytes: simplified, quantized, as the page draws it.

``AXSK`` version 1, little-endian: ``AXSK``, u32 n, f32 origin x y z (um), f32 extent (um), f32 tolerance (um);
then i32 parent ``[n]``, u16 xyz ``[3 n]`` (origin + q / 65535 * extent), u16 radius ``[n]`` (0.01 um) and u8 mask class
``[n]``. Parents come before their children; a root has parent -1.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from axonet.morphology.neuron import Neuron

MAGIC = b"AXSK"
_HEADER = struct.Struct("<4sI3fff")
MOST_NODES = 1200
FINEST, COARSEST = 1 / 4000, 1 / 50  # tolerance as a part of the extent
_STEPS, _RADIUS_UM = 65535, 0.01


@dataclass(frozen=True)
class Skeleton:
    """A simplified neuron.

    Attributes:
        xyz: ``(n, 3)`` um.
        radius: ``(n,)`` um.
        parent: ``(n,)`` row of the parent, -1 for a root.
        compartment: ``(n,)`` mask class.
        tolerance_um: how far a left-out node may lie from the line that replaces it.
    """

    xyz: npt.NDArray[np.float32]
    radius: npt.NDArray[np.float32]
    parent: npt.NDArray[np.int32]
    compartment: npt.NDArray[np.uint8]
    tolerance_um: float


def simplify(neuron: Neuron, most_nodes: int = MOST_NODES) -> Skeleton:
    """Leave out nodes that lie near the line between their neighbors (Douglas and Peucker, section by section).

    Roots, branch points, tips and nodes where the compartment changes stay. The tolerance is as fine as the number of
    nodes allows: from extent / 4000, which no screen shows, to extent / 50, at which more nodes are accepted.

    Args:
        neuron: in um.
        most_nodes: how many nodes are wanted at most.
    """
    from axonet.explore.simplify import significance

    extent = _extent(neuron.xyz)
    stays = _stays(neuron)
    weight = significance(neuron.xyz, neuron.parent, stays)
    tolerance = extent * FINEST
    room = most_nodes - int(stays.sum())
    between = np.sort(weight[~stays])[::-1]
    if room < len(between):
        tolerance = max(tolerance, float(between[max(room, 0)]) if len(between) else 0.0)
    tolerance = min(tolerance, extent * COARSEST)
    kept = stays | (weight > tolerance)
    above = neuron.parent.copy()  # the nearest ancestor that is kept
    for row in np.flatnonzero(~kept):  # parents come first, so theirs is known
        above[row] = above[row] if above[row] < 0 or kept[above[row]] else above[above[row]]
    nearest = np.where(above < 0, -1, np.where(kept[above], above, above[above]))
    number = np.cumsum(kept) - 1
    parent = np.where(nearest[kept] < 0, -1, number[nearest[kept]])
    return Skeleton(
        neuron.xyz[kept].astype(np.float32),
        neuron.radius[kept].astype(np.float32),
        parent.astype(np.int32),
        neuron.compartment[kept],
        tolerance,
    )


def _stays(neuron: Neuron) -> npt.NDArray[np.bool_]:
    """Roots, branch points, tips, and nodes from which a child of another compartment leaves."""
    child = np.flatnonzero(neuron.parent >= 0)
    n_children = np.bincount(neuron.parent[child], minlength=neuron.n_nodes)
    stays = (neuron.parent < 0) | (n_children != 1)
    changes = child[neuron.compartment[child] != neuron.compartment[neuron.parent[child]]]
    stays[neuron.parent[changes]] = True
    return np.asarray(stays)


def _extent(xyz: npt.NDArray[np.floating]) -> float:
    return float(np.ptp(xyz, axis=0).max()) or 1.0


def encode(skeleton: Skeleton) -> bytes:
    """The bytes of a skeleton."""
    xyz = skeleton.xyz.astype(np.float64)
    origin = xyz.min(axis=0).astype("<f4")
    extent = np.float32(_extent(xyz - origin) * (1 + 1e-6))
    steps = np.clip(np.rint((xyz - origin) / float(extent) * _STEPS), 0, _STEPS).astype("<u2")
    radius = np.clip(np.rint(skeleton.radius / _RADIUS_UM), 1, _STEPS).astype("<u2")
    header = _HEADER.pack(MAGIC, len(xyz), *map(float, origin), float(extent), skeleton.tolerance_um)
    parts = (skeleton.parent.astype("<i4"), steps, radius, skeleton.compartment.astype("u1"))
    return header + b"".join(part.tobytes() for part in parts)


def decode(data: bytes) -> Skeleton:
    """The inverse of :func:`encode`, up to rounding.

    Raises:
        ValueError: these are not the bytes of a skeleton.
    """
    if len(data) < _HEADER.size or data[:4] != MAGIC:
        raise ValueError("not a skeleton")
    _, n, x, y, z, extent, tolerance = _HEADER.unpack_from(data)
    if len(data) != _HEADER.size + 13 * n:
        raise ValueError(f"{len(data)} bytes for {n} nodes")
    start = _HEADER.size
    parent = np.frombuffer(data, "<i4", n, start)
    steps = np.frombuffer(data, "<u2", 3 * n, start + 4 * n).reshape(n, 3)
    radius = np.frombuffer(data, "<u2", n, start + 10 * n)
    compartment = np.frombuffer(data, "u1", n, start + 12 * n)
    xyz = np.array([x, y, z]) + steps / _STEPS * extent
    return Skeleton(xyz.astype(np.float32), (radius * _RADIUS_UM).astype(np.float32), parent, compartment, tolerance)


def skeleton_bytes(neuron: Neuron) -> bytes:
    """A neuron as the page draws it."""
    return encode(simplify(neuron))
