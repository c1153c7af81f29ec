"""One word for the shape of a neuron, to find the same cell under other names, in other files and other units."""

from __future__ import annotations

from collections import defaultdict
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.extents import cable_covariance
from axonet.morphology.neuron import Neuron
from axonet.morphology.topology import Sections

FEWEST_SEGMENTS = 5
TELLING_SIZES = 12  # different numbers of segments among the sections, from which on no second cell has the same tree
# Irrational steps: ratios of round numbers (grids, hand-made trees) then never lie on the border of two steps.
LOG_STEP = 0.02 / np.sqrt(2)  # of logarithms: about 1.4 %
LINEAR_STEP = 0.02 / np.sqrt(2)  # of ratios that may be 0


def fingerprint(neuron: Neuron) -> str:
    """32 hexadecimal digits that copies of a reconstruction share; empty where there is too little to recognize.

    Copies may be moved, turned, mirrored, scaled by one factor, renumbered, reordered, given other types or radii,
    and have a soma of one point or of three. What is hashed:

    - the tree of soma or root, branch points and tips, with the number of segments of every section, in a form that
      does not depend on the order of branches. In a tree with sections of twelve different sizes this says it all,
      and also finds copies that were stretched along one axis or jittered.
    - for simpler trees also seven numbers without a unit that describe lengths and spread, in steps of 1 to 2 %.

    Limits: coordinates that were rounded (to 1/1000 um, say) change the seven numbers by about a millionth, so about
    one simple copy in a thousand falls on the other side of a step and is missed. A copy that was resampled, cut,
    joined or rooted elsewhere has another fingerprint. Neurons with fewer than five segments have none, as too many
    different cells would share it.
    """
    tree = neuron.topology
    if len(tree.edge) < FEWEST_SEGMENTS or not 0 < tree.cable.sum() < np.inf:
        return ""
    code = branching_code(tree.sections, tree.tree)
    if len(np.unique(tree.sections.n_segments)) < TELLING_SIZES:
        code = f"{code} {_steps(*shape_numbers(neuron))}"
    return blake2b(code.encode(), digest_size=16).hexdigest()


def branching_code(sections: Sections, tree: NDArray[np.int64]) -> str:
    """Canonical code of a forest of sections: equal for two forests if one is a reordering of the other.

    Args:
        sections: the sections.
        tree: ``(n,)`` root of each node.
    """
    beyond: dict[int, list[str]] = defaultdict(list)  # codes of the sections that follow each section
    of_tree: dict[int, list[str]] = defaultdict(list)  # codes of the sections that leave each root or soma
    parents, roots = sections.parent.tolist(), tree[sections.start].tolist()
    counts = sections.n_segments.tolist()
    for section in reversed(range(len(sections))):
        text = f"{counts[section]}({','.join(sorted(beyond.pop(section, [])))})"
        code = blake2b(text.encode(), digest_size=8).hexdigest()
        if parents[section] >= 0:
            beyond[parents[section]].append(code)
        else:
            of_tree[roots[section]].append(code)
    return ";".join(sorted(",".join(sorted(codes)) for codes in of_tree.values()))


def shape_numbers(neuron: Neuron) -> tuple[list[float], list[float]]:
    """Numbers that do not change when a neuron is moved, turned, mirrored or scaled.

    Returns:
        Positive numbers to compare by ratio, and numbers in [0, 1] to compare by difference.
    """
    tree, sections = neuron.topology, neuron.topology.sections
    cable = tree.cable.sum()  # the unit of length
    length, xyz = tree.cable[tree.edge] / cable, neuron.xyz / cable
    covariance = cable_covariance(xyz[neuron.parent[tree.edge]], xyz[tree.edge], length)
    spread = np.sqrt(np.maximum(np.linalg.eigvalsh(covariance), 0))  # (3,) narrowest first
    by_ratio = [
        float(tree.path_distance.max() / cable),
        float((length**2).sum()),
        float(((sections.length / cable) ** 2).sum()),
        float(spread[2]),
    ]
    by_difference = [
        float(spread[1] / spread[2]),
        float(spread[0] / spread[2]),
        float((sections.chord / cable).sum()),
    ]
    return by_ratio, by_difference


def _steps(by_ratio: list[float], by_difference: list[float]) -> list[int]:
    """Whole numbers of steps."""
    logarithms = np.rint(np.log(by_ratio) / LOG_STEP)
    ratios = np.rint(np.array(by_difference) / LINEAR_STEP)
    return [int(step) for step in (*logarithms, *ratios)]
