from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from axonet.rendering.axes import complete, principal_axes


def cloud(seed=0, n=200):
    rng = np.random.default_rng(seed)
    return rng.exponential(size=(n, 3)) * [9.0, 4.0, 1.0] + [100.0, -50.0, 7.0]


def test_axes_are_a_rotation_widest_first():
    points = cloud()
    axes = principal_axes(points)
    assert np.allclose(axes @ axes.T, np.eye(3))
    assert np.linalg.det(axes) == pytest.approx(1.0)
    widths = (points - points.mean(axis=0)) @ axes.T
    assert (np.diff(widths.std(axis=0)) < 0).all()
    assert np.allclose(np.corrcoef(widths.T), np.eye(3), atol=1e-9)


def test_axes_turn_with_the_cloud():
    points, turn = cloud(), Rotation.from_euler("xyz", [0.3, 1.2, -2.0]).as_matrix()
    assert np.allclose(principal_axes(points @ turn.T), principal_axes(points) @ turn.T)


def test_the_longer_tail_is_on_the_positive_side():
    points = cloud()
    along = (points - points.mean(axis=0)) @ principal_axes(points).T
    assert ((along**3).mean(axis=0)[:2] > 0).all()


def test_size_place_and_order_change_nothing():
    points = cloud()
    axes = principal_axes(points)
    assert np.allclose(principal_axes(points * 1e6 - 3e7), axes, atol=1e-6)
    assert np.allclose(principal_axes(points[::-1]), axes)


def test_a_weight_counts_like_repeats():
    points, weights = cloud(n=40), np.arange(40) % 3 + 1
    assert np.allclose(
        principal_axes(points, weights.astype(float)), principal_axes(np.repeat(points, weights, axis=0))
    )


def test_marks_give_a_symmetric_cloud_its_sides():
    half = cloud(n=40)
    points = np.concatenate([half, 2 * half.mean(axis=0) - half])
    marks = np.stack([np.ones(80), np.arange(80.0) ** 2])
    axes = principal_axes(points, marks=marks)
    assert (marks[1] @ ((points - points.mean(axis=0)) @ axes[:2].T) > 0).all()
    turn = Rotation.from_euler("xyz", [0.3, 1.2, -2.0]).as_matrix()
    assert np.allclose(principal_axes(points @ turn.T, marks=marks), axes @ turn.T)
    # Where the cloud has a longer side itself, marks change nothing.
    assert np.array_equal(principal_axes(half, marks=-half.T), principal_axes(half))


@pytest.mark.parametrize(
    ("points", "first"),
    [
        ([[0, 0, 0], [0, 0, 5]], [0, 0, 1]),
        ([[0, 0, 0], [3, 4, 0]], [0.6, 0.8, 0]),
        ([[2, 2, 2]] * 4, [1, 0, 0]),
        ([[1, 1, 1]], [1, 0, 0]),
    ],
)
def test_lines_and_points_have_axes_too(points, first):
    axes = principal_axes(np.array(points, dtype=float))
    assert np.allclose(axes[0], first)
    assert np.allclose(axes @ axes.T, np.eye(3))


def test_a_flat_cloud_is_thinnest_across():
    points = cloud() * [1, 1, 0]
    assert np.allclose(np.abs(principal_axes(points)[2]), [0, 0, 1])


def test_completion_prefers_the_axes_of_the_world():
    assert np.array_equal(complete(np.zeros((0, 3))), np.eye(3))
    assert np.allclose(complete(np.array([[0.0, 1.0, 0.0]])), [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
