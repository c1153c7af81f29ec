"""Simplified skeletons: what must stay, how far they may be off, and the bytes."""

from __future__ import annotations

import numpy as np
import pytest

from axonet.explore.skeleton import COARSEST, FINEST, decode, encode, simplify
from axonet.morphology.neuron import Neuron
from axonet.morphology.swc import parse_swc
from tests.fakes.neurons import made_up_swc


def neuron_of(rows: list[tuple[int, float, float, float, int]], radius: float = 0.5) -> Neuron:
    """From ``(type, x, y, z, parent row)``."""
    lines = [f"{k + 1} {t} {x} {y} {z} {radius} {p + 1 if p >= 0 else -1}" for k, (t, x, y, z, p) in enumerate(rows)]
    return parse_swc("\n".join(lines).encode(), "made")


def distance_to_segments(point, skeleton) -> float:
    """Slow and plain: the distance of a point from the nearest edge."""
    best = np.inf
    for child, parent in enumerate(skeleton.parent):
        a, b = skeleton.xyz[child], skeleton.xyz[max(parent, 0) if parent >= 0 else child]
        step = b - a
        part = np.clip((point - a) @ step / max(step @ step, 1e-30), 0, 1)
        best = min(best, float(np.linalg.norm(point - a - part * step)))
    return best


@pytest.mark.parametrize("most", [20, 60, 1200])
def test_no_node_lies_farther_from_the_skeleton_than_it_says(most):
    neuron = parse_swc(made_up_swc(3, 200), "made")
    skeleton = simplify(neuron, most)
    extent = np.ptp(neuron.xyz, axis=0).max()
    assert extent * FINEST - 1e-6 <= skeleton.tolerance_um <= extent * COARSEST + 1e-6
    for point in neuron.xyz:
        assert distance_to_segments(point, skeleton) <= skeleton.tolerance_um + 1e-3


def test_roots_tips_branch_points_and_changes_of_type_stay():
    line = [(1, 0.0, 0.0, 0.0, -1), *((3, 10.0 * k, 0.0, 0.0, k - 1) for k in range(1, 10))]
    axon = [(2, 90.0 + 10 * k, 0.0, 0.0, 9 + k - 1) for k in range(1, 6)]
    side = [(3, 50.0, 10.0 * k, 0.0, 5 if k == 1 else 14 + k - 1) for k in range(1, 4)]
    skeleton = simplify(neuron_of([*line, *axon, *side]))
    found = {tuple(np.round(place).astype(int)) for place in skeleton.xyz}
    assert found == {(0, 0, 0), (50, 0, 0), (90, 0, 0), (140, 0, 0), (50, 30, 0)}
    ends = {tuple(p): c for p, c in zip(np.round(skeleton.xyz).astype(int).tolist(), skeleton.compartment, strict=True)}
    assert ends[140, 0, 0] == 2
    assert ends[90, 0, 0] == 3


def test_it_is_a_tree_with_the_same_roots_and_about_the_same_length():
    neuron = parse_swc(made_up_swc(8, 300), "made")
    skeleton = simplify(neuron)
    assert (skeleton.parent < np.arange(len(skeleton.parent))).all()
    assert (skeleton.parent < 0).sum() == (neuron.parent < 0).sum()

    def length(xyz, parent):
        child = np.flatnonzero(parent >= 0)
        return np.linalg.norm(xyz[child] - xyz[parent[child]], axis=1).sum()

    assert length(skeleton.xyz, skeleton.parent) == pytest.approx(length(neuron.xyz, neuron.parent), rel=0.01)


def test_fewer_nodes_are_kept_when_fewer_are_wanted():
    t = np.linspace(0, 12, 3000)
    rows = [(3, 40 * np.cos(k), 40 * np.sin(k), 8 * k, i - 1) for i, k in enumerate(t.tolist())]
    neuron = neuron_of(rows)
    sizes = [len(simplify(neuron, most).xyz) for most in (40, 100, 400)]
    assert sizes[0] <= 40
    assert sizes[0] < sizes[1] <= 100
    assert sizes[1] < sizes[2] <= 400


def test_the_bytes_come_back_within_a_step():
    skeleton = simplify(parse_swc(made_up_swc(5, 120), "made"))
    data = encode(skeleton)
    back = decode(data)
    extent = np.ptp(skeleton.xyz, axis=0).max()
    assert len(data) == 28 + 13 * len(skeleton.xyz)
    assert np.abs(back.xyz - skeleton.xyz).max() <= extent / 130_000 * 1.05
    assert np.abs(back.radius - skeleton.radius).max() <= 0.005 + 1e-6
    assert (back.parent == skeleton.parent).all()
    assert (back.compartment == skeleton.compartment).all()
    assert back.tolerance_um == pytest.approx(skeleton.tolerance_um)


def test_a_single_node_and_foreign_bytes():
    one = neuron_of([(1, 5.0, 6.0, 7.0, -1)])
    assert decode(encode(simplify(one))).xyz.tolist() == [[5.0, 6.0, 7.0]]
    for wrong in (b"", b"AXSK", b"PNG!" + bytes(40), encode(simplify(one))[:-1]):
        with pytest.raises(ValueError):
            decode(wrong)
