"""Neurons that are made, not traced."""

from __future__ import annotations

import numpy as np
import pytest

from axonet.morphology.neuron import Neuron
from axonet.rendering import RenderSettings
from axonet.rendering.backends import drawing
from axonet.rendering.camera import Camera
from axonet.rendering.geometry import build_geometry
from axonet.rendering.gl_devices import NoDevices, list_devices

SOMA, AXON, BASAL, APICAL = 1, 2, 3, 4

try:
    NO_GL = "" if list_devices() else "EGL lists no graphics device on this machine"
except NoDevices as error:
    NO_GL = f"EGL lists no graphics device on this machine: {error}"

needs_gl = pytest.mark.skipif(bool(NO_GL), reason=NO_GL)
BACKENDS = ["cpu", pytest.param("gl", marks=needs_gl)]
PROJECTIONS = ["ortho", "perspective"]


def random_neuron(seed=0, n_nodes=300, spread=(1.0, 1.0, 1.0), radius=(0.2, 1.0), n_trees=1, step=6.0):
    """A soma and a tree of random walks that branch, plus trees that hang on nothing."""
    rng = np.random.default_rng(seed)
    xyz, parent, types = [np.zeros(3)], [-1], [SOMA]
    for row in range(1, n_nodes):
        if row < n_trees:
            xyz.append(rng.normal(scale=60.0, size=3) * spread)
            parent.append(-1)
            types.append(AXON)
            continue
        mother = row - 1 if row > n_trees and rng.random() < 0.9 else int(rng.integers(row))
        outwards = xyz[mother] / (np.linalg.norm(xyz[mother]) + 1e-9)
        xyz.append(xyz[mother] + (outwards + rng.normal(size=3)) * step * np.array(spread))
        parent.append(mother)
        types.append(int(rng.integers(AXON, APICAL + 1)) if types[mother] == SOMA else types[mother])
    radii = rng.uniform(*radius, size=n_nodes)
    radii[0] = max(5.0, 2 * radius[1])
    return Neuron.from_arrays(np.array(xyz), parent, types, radii, name=f"random-{seed}")


def stick(start, end, start_radius, end_radius, swc_type=AXON):
    """Two nodes and what is between them."""
    return Neuron.from_arrays([start, end], [-1, 0], swc_type, [start_radius, end_radius], name="stick")


def looking(direction=(0.0, 0.0, 1.0), up=(0.0, 1.0, 0.0)):
    forward = np.asarray(direction, dtype=float) / np.linalg.norm(direction)
    upward = np.asarray(up, dtype=float) - np.dot(up, forward) * forward
    upward /= np.linalg.norm(upward)
    return np.stack([np.cross(forward, upward), upward, forward])


def picture(neuron, size=64, um_per_px=1.0, direction=(0.0, 0.0, 1.0), center=(0.0, 0.0, 0.0), backend="cpu", **camera):
    """Mask and depth of one view, one sample per pixel."""
    view = Camera(looking(direction), np.asarray(center, dtype=float), um_per_px, size, size, **camera)
    settings = RenderSettings(width=size, height=size, supersample_factor=1, backend=backend)
    with drawing(build_geometry(neuron), settings) as draw:
        mask, depth, _, _ = draw(view)
    return mask, depth, view


def offsets(size, um_per_px):
    """Right and up of every pixel center, in um."""
    steps = (np.arange(size) + 0.5 - size / 2) * um_per_px
    return np.broadcast_to(steps, (size, size)), np.broadcast_to(-steps[:, None], (size, size))


def whole_cones(neuron):
    """``(n, 2, 4)``: start and end of each row by the plain rule, a child of the soma with its own radius."""
    cones = []
    for row, parent in enumerate(neuron.parent):
        start = row if parent < 0 else parent
        leaves = neuron.compartment[start] == SOMA and neuron.compartment[row] != SOMA
        radius = neuron.radius[row] if leaves else neuron.radius[start]
        cones.append([np.append(neuron.xyz[start], radius), np.append(neuron.xyz[row], neuron.radius[row])])
    return np.array(cones)
