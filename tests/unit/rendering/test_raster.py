"""The rasterizer against closed forms and a slow reference."""

from __future__ import annotations

import numpy as np
import pytest

from axonet.morphology.neuron import Neuron

from . import reference
from .synthetic import AXON, BACKENDS, BASAL, SOMA, looking, offsets, picture, random_neuron, stick, whole_cones

DEPTH_STEP = 1e-3
"""px; the finest step that is promised."""


def assert_depth(depth, expected):
    assert np.array_equal(np.isnan(depth), np.isnan(expected))
    assert np.nanmax(np.abs(depth - expected)) < DEPTH_STEP


def test_a_sphere_is_a_disc_with_the_front_of_a_sphere():
    neuron = Neuron.from_arrays([[1.0, -2.0, 3.0]], [-1], AXON, 20.0)
    _, depth, _ = picture(neuron)
    right, up = offsets(64, 1.0)
    # Looking along +z with y up, right is -x.
    inside = 20.0**2 - (right + 1.0) ** 2 - (up + 2.0) ** 2
    assert_depth(depth, np.where(inside >= 0, 3.0 - np.sqrt(np.maximum(inside, 0)), np.nan))


def test_a_cylinder_broadside_is_a_rectangle_with_round_ends():
    _, depth, _ = picture(stick((0, -10, 0), (0, 12, 0), 5.0, 5.0))
    right, up = offsets(64, 1.0)
    beyond = np.clip(up, -10, 12) - up
    inside = 25.0 - right**2 - beyond**2
    assert_depth(depth, np.where(inside >= 0, -np.sqrt(np.maximum(inside, 0)), np.nan))


def test_a_cylinder_end_on_is_its_nearer_sphere():
    _, depth, _ = picture(stick((0, 0, 15), (0, 0, -15), 6.0, 6.0))
    right, up = offsets(64, 1.0)
    inside = 36.0 - right**2 - up**2
    assert_depth(depth, np.where(inside >= 0, -15 - np.sqrt(np.maximum(inside, 0)), np.nan))


@pytest.mark.parametrize("tilt", [0.0, 1e-12, 1e-8, 1e-5, 1e-3])
def test_a_cone_end_on_shows_its_slope(tilt):
    # A tip of radius 2 before a base of radius 12: sphere, then slope from where it is tangent, then the base's sphere.
    _, depth, _ = picture(stick((0, 0, 20), (20 * tilt, 0, 0), 12.0, 2.0))
    right, up = offsets(64, 1.0)
    rho = np.hypot(right, up)
    sine = 10.0 / 20.0  # of the half opening angle
    cosine = np.sqrt(1 - sine**2)
    on_tip, on_slope = rho <= 2 * cosine, rho <= 12 * cosine
    tip = -np.sqrt(np.maximum(4 - rho**2, 0))
    slope = -2 * sine + (rho - 2 * cosine) / np.tan(np.arcsin(sine))
    base = 20 - np.sqrt(np.maximum(144 - rho**2, 0))
    expected = np.where(on_tip, tip, np.where(on_slope, slope, np.where(rho <= 12, base, np.nan)))
    both = ~np.isnan(depth) & ~np.isnan(expected)
    assert both.sum() >= (~np.isnan(expected)).sum() - 4
    assert np.abs(depth - expected)[both].max() < DEPTH_STEP + 60 * tilt


def test_a_cone_broadside_lies_between_its_tangents():
    _, depth, _ = picture(stick((0, -15, 0), (0, 15, 0), 9.0, 3.0))
    right, up = offsets(64, 1.0)
    sine = 6.0 / 30.0
    half_width = (9.0 - (up + 15) * sine) / np.sqrt(1 - sine**2)
    on_cone = (up > -15 + 9 * sine) & (up < 15 + 3 * sine)
    assert np.array_equal(~np.isnan(depth)[on_cone], (np.abs(right) <= half_width)[on_cone])
    middle = np.abs(up - 0.5) < 0.1
    expected = -np.sqrt(np.maximum(half_width**2 - right**2, 0)) * np.sqrt(1 - sine**2) ** 2
    # The front of a cone cut across its axis is an ellipse only up to the tilt of its normals: check it on the axis.
    on_axis = middle & (np.abs(right) < 0.6)
    assert np.abs(depth[on_axis] - -half_width[on_axis]).max() < 0.06
    assert (np.abs(depth - expected)[middle & (np.abs(right) < half_width - 1)] < 0.5).all()


def test_a_sphere_inside_its_parent_is_not_seen():
    neuron = Neuron.from_arrays([[0, 0, 0], [1, 2, -3]], [-1, 0], [BASAL, AXON], [12.0, 4.0])
    mask, depth, _ = picture(neuron)
    alone, alone_depth, _ = picture(Neuron.from_arrays([[0, 0, 0]], [-1], BASAL, 12.0))
    assert np.array_equal(mask, alone)
    assert np.nanmax(np.abs(depth - alone_depth)) < DEPTH_STEP


def test_a_sphere_around_its_parent_hides_it():
    neuron = Neuron.from_arrays([[0, 0, 0], [1, 2, -3]], [-1, 0], [BASAL, AXON], [4.0, 12.0])
    assert set(np.unique(picture(neuron)[0])) == {0, AXON}


def test_a_joint_belongs_to_the_parent():
    neuron = Neuron.from_arrays([[-20, 0, 0], [0, 0, 0], [20, 0, 0]], [-1, 0, 1], [BASAL, BASAL, AXON], 6.0)
    mask, _, view = picture(neuron)
    (right, _), covered = offsets(64, 1.0), mask > 0
    world_x = right * view.basis[0, 0]
    assert (mask[covered & (world_x < 0)] == BASAL).all()
    assert (mask[covered & (world_x > 0)] == AXON).all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(5))
def test_the_slow_reference_shows_the_same_picture(seed, backend):
    rng = np.random.default_rng(seed)
    neuron = random_neuron(seed, n_nodes=60, radius=(1.0, 5.0), step=9.0)
    direction = rng.normal(size=3)
    size, um_per_px = 128, 1.1
    center = neuron.xyz.mean(axis=0)
    mask, depth, _ = picture(neuron, size, um_per_px, direction, center, backend)
    expected, expected_depth = reference.orthographic(
        whole_cones(neuron), neuron.compartment, looking(direction), center, um_per_px, size, size
    )
    both = (mask > 0) & (expected > 0)
    assert both.sum() / ((mask > 0) | (expected > 0)).sum() >= 0.999
    assert (mask[both] == expected[both]).mean() >= 0.999
    assert np.quantile(np.abs(depth - expected_depth)[both], 0.99) < DEPTH_STEP * um_per_px


def test_a_thin_line_covers_touching_samples():
    neuron = stick((-30.0, -7.3, 0), (29.0, 11.1, 0), 1e-3, 1e-3)
    mask, _, _ = picture(neuron, 80)
    columns = np.flatnonzero(mask.any(axis=0))
    assert np.array_equal(columns, np.arange(columns[0], columns[-1] + 1))
    assert mask.sum() / AXON < 2 * len(columns)


def test_the_smallest_tree_covers_a_sample_wherever_it_lies():
    rng = np.random.default_rng(0)
    for x, y in [(0.0, 0.0), (0.5, 0.5), (0.0, 0.5), *rng.uniform(-2, 2, (20, 2))]:
        neuron = Neuron.from_arrays([[x, y, 0]], [-1], AXON, 1e-6)
        assert picture(neuron, 8)[0].any()


def test_order_of_rows_changes_nothing():
    first = Neuron.from_arrays([[-20, 0, 0], [20, 0, 0], [0, -20, 0], [0, 20, 0]], [-1, 0, -1, 2], [2, 2, 3, 3], 4.0)
    second = Neuron.from_arrays([[0, -20, 0], [0, 20, 0], [-20, 0, 0], [20, 0, 0]], [-1, 0, -1, 2], [3, 3, 2, 2], 4.0)
    for a, b in zip(picture(first)[:2], picture(second)[:2], strict=True):
        assert a.tobytes() == b.tobytes()


def test_what_lies_outside_the_picture_is_left_out():
    neuron = Neuron.from_arrays([[-1e9, 0, 0], [1e9, 0, 0], [5e3, 5e8, 0]], [-1, 0, 0], [AXON, AXON, BASAL], 2.0)
    mask, _, _ = picture(neuron)
    assert (mask[31:33] == AXON).all()
    assert not mask[:29].any()
    assert SOMA not in mask
