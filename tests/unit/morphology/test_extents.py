"""How far cable spreads, and how often spheres cross it."""

import numpy as np
import pytest

from axonet.morphology.neuron import Neuron

from .shapes import AXON, random_neuron


def cross(length, across, up):
    """Three straight cables through the origin along x, y and z, from end to end."""
    arms = np.array(
        [
            [side * size * (axis == k) for k in range(3)]
            for axis, size in enumerate((length, across, up))
            for side in (-0.5, 0.5)
        ]
    )
    return Neuron.from_arrays([(0, 0, 0), *arms], [-1] + [0] * 6, AXON)


def test_extents_leave_out_a_fortieth_of_the_cable_on_each_side():
    measures = cross(100, 60, 20).morphometrics()
    outside = 180 / 40
    expected = [length - 2 * outside for length in (100, 60, 20)]
    assert [measures[name] for name in ("width", "height", "depth")] == pytest.approx(expected)


def test_a_stray_branch_does_not_set_the_extent():
    short, long = cross(1000, 60, 20).morphometrics(), cross(1010, 60, 20).morphometrics()
    assert long["width"] - short["width"] == pytest.approx(10 - 2 * 10 / 40)


@pytest.mark.parametrize("seed", range(3))
def test_extents_agree_with_many_points_on_the_cable(seed):
    neuron = random_neuron(seed, 60)
    parts = (np.arange(2000) + 0.5) / 2000
    edges, points, weights = neuron.edges(), [], []
    for parent, child in edges:
        points.append(neuron.xyz[parent] + parts[:, None] * (neuron.xyz[child] - neuron.xyz[parent]))
        weights.append(np.full(2000, np.linalg.norm(neuron.xyz[child] - neuron.xyz[parent]) / 2000))
    points, weights = np.concatenate(points), np.concatenate(weights)
    centered = points - np.average(points, axis=0, weights=weights)
    axes = np.linalg.eigh((weights * centered.T) @ centered)[1].T[::-1]
    for axis, name in zip(axes, ("width", "height", "depth"), strict=True):
        order = np.argsort(centered @ axis)
        up_to = np.cumsum(weights[order]) / weights.sum()
        low, high = (centered @ axis)[order][np.searchsorted(up_to, (0.025, 0.975))]
        assert neuron.morphometrics()[name] == pytest.approx(high - low, rel=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_sholl_crossings_agree_with_counting_at_many_radii(seed):
    neuron = random_neuron(seed, 80, n_trees=1 + seed)
    distance = np.linalg.norm(neuron.xyz - neuron.soma_center, axis=1)
    edges = neuron.edges()
    low, high = np.sort(distance[edges], axis=1).T
    radii = np.concatenate([distance, distance + 1e-9])
    counted = max(int(((low <= radius) & (radius < high)).sum()) for radius in radii)
    assert neuron.morphometrics()["sholl_max_crossings"] == counted


def test_a_flat_tracing_has_no_depth():
    neuron = random_neuron(2)
    flat = Neuron.from_arrays(neuron.xyz * (1, 1, 0), neuron.parent, neuron.swc_type)
    assert flat.morphometrics()["depth"] == pytest.approx(0, abs=1e-5)
