from __future__ import annotations

import numpy as np
import pytest

from axonet.rendering import Camera, RenderSettings, render_neuron
from axonet.rendering.camera import camera_basis

from .synthetic import random_neuron


@pytest.mark.parametrize("seed", range(5))
def test_the_basis_is_orthonormal_and_shows_no_mirror_image(seed):
    direction = np.random.default_rng(seed).normal(size=3)
    right, up, forward = camera_basis(direction, np.eye(3))
    basis = np.stack([right, up, forward])
    assert np.allclose(basis @ basis.T, np.eye(3))
    assert np.allclose(forward, direction / np.linalg.norm(direction))
    # Seen from the viewer's side, right, up and towards the viewer are a right-handed frame.
    assert np.allclose(np.cross(right, up), -forward)


def test_pc1_points_up_as_far_as_it_can():
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    direction = np.random.default_rng(2).normal(size=3)
    right, up, _ = camera_basis(direction, axes)
    assert axes[0] @ right == pytest.approx(0, abs=1e-12)
    assert axes[0] @ up > 0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_looking_along_pc1_pc2_points_up(sign):
    basis = camera_basis(np.array([sign, 0.0, 0.0]), np.eye(3))
    assert np.array_equal(basis[1], [0, 1, 0])


@pytest.mark.parametrize("seed", range(20))
def test_a_camera_looks_along_a_unit_vector_to_the_last_bit(seed):
    axes = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    for direction in (*axes, *-axes):
        assert np.array_equal(camera_basis(direction, axes)[2], direction)


def test_opposite_directions_share_up_and_swap_right():
    direction = np.array([0.2, -0.5, 0.8])
    front, back = camera_basis(direction, np.eye(3)), camera_basis(-direction, np.eye(3))
    assert np.allclose(front[1], back[1])
    assert np.allclose(front[0], -back[0])


@pytest.mark.parametrize("projection", ["ortho", "perspective"])
def test_projecting_pixel_centers_gives_the_pixels(projection):
    rng = np.random.default_rng(0)
    basis = camera_basis(rng.normal(size=3), np.eye(3))
    camera = Camera(basis, np.array([5.0, 6.0, 7.0]), 0.7, 40, 30, projection)
    rows, columns, depth = rng.integers(30, size=50), rng.integers(40, size=50), rng.uniform(-9, 9, 50)
    places, depths = camera.project(camera.unproject(rows, columns, depth))
    assert np.allclose(places, np.stack([rows, columns], axis=1) + 0.5)
    assert np.allclose(depths, depth)


def test_the_formula_of_the_door_gives_world_points_on_the_surface():
    neuron = random_neuron(n_nodes=60, radius=(0.2, 0.4), step=2.0)
    settings = RenderSettings(width=96, height=96, supersample_factor=1)
    n_points = 0
    for view in render_neuron(neuron, settings):
        size, (right, up, forward) = 96, view.camera.basis
        rows, columns = np.nonzero(view.mask == 1)
        scale, depth = view.camera.um_per_px, view.depth_um[rows, columns].astype(float)
        points = (
            view.camera.center
            + right * ((columns + 0.5 - size / 2) * scale)[:, None]
            - up * ((rows + 0.5 - size / 2) * scale)[:, None]
            + forward * depth[:, None]
        )
        # What is drawn as soma lies on the soma's sphere.
        distance = np.linalg.norm(points - neuron.xyz[0], axis=1)
        assert np.allclose(distance, neuron.radius[0], atol=1e-3 * scale)
        assert ((points - neuron.xyz[0]) @ forward < 0).all()
        n_points += len(points)
    assert n_points > 1000
