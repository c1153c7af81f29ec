"""Neurons whose measures are known in closed form, and random ones."""

from __future__ import annotations

import numpy as np

from axonet.morphology.neuron import Neuron

SOMA, AXON, BASAL, APICAL = 1, 2, 3, 4


def straight_cable(length=100.0, n_segments=10, radius=1.0, direction=(1.0, 0.0, 0.0)):
    """A cable without a soma, from the origin along a direction."""
    unit = np.array(direction) / np.linalg.norm(direction)
    xyz = np.linspace(0, length, n_segments + 1)[:, None] * unit
    return Neuron.from_arrays(xyz, np.arange(n_segments + 1) - 1, BASAL, radius, name="cable")


def y_shape(stem=30.0, arm=20.0, angle=60.0):
    """A soma at the origin, a stem along y and two arms with an angle (degrees) between them."""
    half = np.radians(angle / 2)
    fork = np.array([0.0, stem, 0.0])
    arms = [fork + arm * np.array([side * np.sin(half), np.cos(half), 0.0]) for side in (-1, 1)]
    return Neuron.from_arrays([(0, 0, 0), fork, *arms], [-1, 0, 1, 1], [SOMA, BASAL, BASAL, BASAL], [5, 1, 1, 1])


def binary_tree(depth=4, length=10.0):
    """A stem on a soma that forks ``depth`` times into two: 2^depth tips, every section one segment."""
    xyz, parent = [np.zeros(3), np.array([length, 0.0, 0.0])], [-1, 0]
    front, generation = [(1, np.array([1.0, 0.0, 0.0]))], 0
    while generation < depth:
        generation += 1
        following = []
        for row, direction in front:
            for turn in (-0.4 / generation, 0.4 / generation):
                rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
                heading = rotation @ direction
                xyz.append(xyz[row] + length * heading)
                parent.append(row)
                following.append((len(xyz) - 1, heading))
        front = following
    return Neuron.from_arrays(xyz, parent, [SOMA] + [BASAL] * (len(xyz) - 1), name="binary")


def caterpillar(n_branch_points=10):
    """A backbone that sheds one short side branch at every node: as lopsided as a tree can be."""
    xyz, parent, last = [(0.0, 0.0, 0.0)], [-1], 0
    for step in range(1, n_branch_points + 1):
        xyz += [(10.0 * step, 0.0, 0.0), (10.0 * step, 3.0, 0.0)]
        parent += [last, len(xyz) - 2]
        last = len(xyz) - 2
    xyz.append((10.0 * (n_branch_points + 1), 0.0, 0.0))
    parent.append(last)
    return Neuron.from_arrays(xyz, parent, [SOMA] + [BASAL] * (len(xyz) - 1))


def random_neuron(seed, n_nodes=200, n_trees=1, with_soma=True, branching=0.2):
    """A random walk that branches, with all compartments and varying radii."""
    rng = np.random.default_rng(seed)
    xyz, parent, types = [np.zeros(3)], [-1], [SOMA if with_soma else AXON]
    for row in range(1, n_nodes):
        if row < n_trees:
            mother, start = -1, rng.normal(scale=50, size=3)
        else:
            mother = row - 1 if rng.random() > branching else int(rng.integers(row))
            start = xyz[mother]
        xyz.append(start + rng.normal(size=3) * 4)
        parent.append(mother)
        inherits = mother >= 0 and types[mother] != SOMA
        types.append(types[mother] if inherits else int(rng.choice([0, AXON, BASAL, APICAL, 7])))
    return Neuron.from_arrays(xyz, parent, types, rng.uniform(0.1, 2, n_nodes), name=f"random-{seed}")


def renumbered(neuron, seed):
    """The same neuron with other ids, its rows in another order that still has parents first."""
    rng = np.random.default_rng(seed)
    placed, order = set(), []
    waiting = list(rng.permutation(neuron.n_nodes))
    while waiting:
        row = waiting.pop(0)
        if neuron.parent[row] < 0 or neuron.parent[row] in placed:
            placed.add(row)
            order.append(row)
        else:
            waiting.append(row)
    order = np.array(order)
    new_row = np.argsort(order)
    parent = np.where(neuron.parent[order] < 0, -1, new_row[neuron.parent[order]])
    ids = rng.permutation(10 * neuron.n_nodes)[: neuron.n_nodes]
    return Neuron.from_arrays(neuron.xyz[order], parent, neuron.swc_type[order], neuron.radius[order], node_id=ids)


def moved(neuron, matrix=None, offset=(0, 0, 0)):
    """The same neuron with its positions multiplied by a matrix, then shifted."""
    matrix = np.eye(3) if matrix is None else matrix
    xyz = neuron.xyz @ np.asarray(matrix).T + offset
    return Neuron.from_arrays(xyz, neuron.parent, neuron.swc_type, neuron.radius, node_id=neuron.node_id)


def rotation(seed):
    """A random rotation."""
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    q[:, 0] *= np.linalg.det(q)
    return q


def swc(*rows, end="\n"):
    """Bytes of an SWC file with these rows."""
    return "\n".join(rows).encode() + end.encode()
