"""The branching structure of a neuron, worked out once and shared by everything that measures it.

Conventions
    - Cable is what lies on edges whose child is not a soma node: the edge from the soma to the first neurite point
      counts, edges inside the soma do not.
    - A branch point is a node outside the soma with two or more children; a tip is one with none.
    - A stem is a neurite node right on the soma; without a soma, each root is one.
    - A section is a run of cable between two of: soma, root, branch point, tip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.forest import nearest_kept, sum_from_root
from axonet.morphology.neuron import Neuron

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Sections:
    """The sections of a neuron, one row each, parents before children.

    Attributes:
        start: ``(s,)`` node where a section begins: soma node, root or branch point.
        first: ``(s,)`` its first node after ``start``.
        end: ``(s,)`` its last node: branch point or tip.
        parent: ``(s,)`` section that ends where it begins, -1 if none does.
        length: ``(s,)`` cable in um.
        chord: ``(s,)`` straight distance from ``start`` to ``end`` in um.
        n_segments: ``(s,)`` number of edges.
        n_tips: ``(s,)`` number of tips at or beyond its end.
        strahler: ``(s,)`` Strahler order: 1 where it ends in a tip; after a branch point the largest order of the
            sections that follow, one more if two of them have it.
        of_node: ``(n,)`` section of the edge above each node; -1 for roots and soma nodes.
    """

    start: IntArray
    first: IntArray
    end: IntArray
    parent: IntArray
    length: FloatArray
    chord: FloatArray
    n_segments: IntArray
    n_tips: IntArray
    strahler: IntArray
    of_node: IntArray

    def __len__(self) -> int:
        """Number of sections."""
        return len(self.start)


@dataclass(frozen=True)
class Topology:
    """What follows from the parents and positions of a neuron's nodes.

    Attributes:
        is_soma, is_tip, is_branch_point, is_stem: ``(n,)`` masks.
        n_children: ``(n,)`` number of children.
        edge: ``(m,)`` nodes with cable above them: children outside the soma.
        cable: ``(n,)`` length in um of the cable above each node; 0 for roots and soma nodes.
        path_distance: ``(n,)`` cable in um from each node to its root (to the soma, where the soma is the root).
        radial_distance: ``(n,)`` straight distance in um to ``origin``.
        origin: ``(3,)`` center of the soma; without one, the root of the tree with the most cable.
        branch_order: ``(n,)`` number of branch points above each node: 0 on stems.
        tree: ``(n,)`` root of each node.
        sections: the sections.
    """

    is_soma: BoolArray
    is_tip: BoolArray
    is_branch_point: BoolArray
    is_stem: BoolArray
    n_children: IntArray
    edge: IntArray
    cable: FloatArray
    path_distance: FloatArray
    radial_distance: FloatArray
    origin: FloatArray
    branch_order: IntArray
    tree: IntArray
    sections: Sections


@np.errstate(over="ignore", invalid="ignore")  # coordinates near the limits of a float give infinite lengths
def topology(neuron: Neuron) -> Topology:
    """Work out the branching structure of a neuron."""
    parent, soma = neuron.parent, neuron.is_soma
    n = neuron.n_nodes
    is_root = parent < 0
    n_children = np.bincount(parent[~is_root], minlength=n)
    above_is_soma = soma[parent] & ~is_root
    edge = np.flatnonzero(~is_root & ~soma)
    cable = np.zeros(n)
    cable[edge] = np.linalg.norm(neuron.xyz[edge] - neuron.xyz[parent[edge]], axis=1)
    is_branch_point = ~soma & (n_children >= 2)
    is_stem = ~soma & above_is_soma if soma.any() else is_root
    one_tree = np.count_nonzero(is_root) == 1
    tree = np.zeros(n, dtype=np.int64) if one_tree else np.where(is_root, np.arange(n), nearest_kept(parent, is_root))
    origin = neuron.soma_center
    if origin is None:
        cable_of_tree = np.bincount(tree, weights=cable, minlength=n)
        cable_of_tree[~is_root] = -1
        origin = neuron.xyz[np.argmax(cable_of_tree)]
    starts_section = np.zeros(n, dtype=bool)
    starts_section[edge] = (soma | is_root | (n_children != 1))[parent[edge]]
    return Topology(
        is_soma=soma,
        is_tip=~soma & (n_children == 0),
        is_branch_point=is_branch_point,
        is_stem=is_stem,
        n_children=n_children,
        edge=edge,
        cable=cable,
        path_distance=sum_from_root(parent, cable),
        radial_distance=np.linalg.norm(neuron.xyz - origin, axis=1),
        origin=origin,
        branch_order=sum_from_root(parent, is_branch_point.astype(np.int64)) - is_branch_point,
        tree=tree,
        sections=_sections(neuron, cable, starts_section, edge),
    )


def _sections(neuron: Neuron, cable: FloatArray, starts_section: BoolArray, edge: IntArray) -> Sections:
    """Group the edges of a neuron into sections."""
    first = np.flatnonzero(starts_section)
    n_sections = len(first)
    number = np.full(neuron.n_nodes + 1, -1, dtype=np.int64)  # the last slot is for "no node"
    number[first] = np.arange(n_sections)
    head = np.where(starts_section, np.arange(neuron.n_nodes), nearest_kept(neuron.parent, starts_section))
    of_node = np.full(neuron.n_nodes, -1, dtype=np.int64)
    of_node[edge] = number[head[edge]]
    # Rows are parents first, so the last node written for a section is its end.
    end = np.empty(n_sections, dtype=np.int64)
    end[of_node[edge]] = edge
    start = neuron.parent[first]
    parent = of_node[start]
    strahler, n_tips = _orders_and_tips(start, end, neuron)
    return Sections(
        start=start,
        first=first,
        end=end,
        parent=parent,
        length=np.bincount(of_node[edge], weights=cable[edge], minlength=n_sections).astype(np.float64),
        chord=np.linalg.norm(neuron.xyz[end] - neuron.xyz[start], axis=1),
        n_segments=np.bincount(of_node[edge], minlength=n_sections),
        n_tips=n_tips,
        strahler=strahler,
        of_node=of_node,
    )


def _orders_and_tips(start: IntArray, end: IntArray, neuron: Neuron) -> tuple[IntArray, IntArray]:
    """Strahler order and number of tips beyond, of every section, in one pass from the tips to the roots."""
    largest = dict.fromkeys(start.tolist(), 0)  # per node: largest order that begins there ...
    twice = dict.fromkeys(largest, False)  # ... and whether two sections have it
    beyond = dict.fromkeys(largest, 0)
    strahler, n_tips = [], []
    for begin, stop in zip(reversed(start.tolist()), reversed(end.tolist()), strict=True):
        if stop in largest:
            order, tips = largest[stop] + twice[stop], beyond[stop]
        else:
            order, tips = 1, 1
        strahler.append(order)
        n_tips.append(tips)
        beyond[begin] += tips
        if order > largest[begin]:
            largest[begin], twice[begin] = order, False
        elif order == largest[begin]:
            twice[begin] = True
    return np.array(strahler[::-1], dtype=np.int64), np.array(n_tips[::-1], dtype=np.int64)
