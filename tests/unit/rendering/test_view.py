from __future__ import annotations

import numpy as np
import pytest

from axonet.rendering import Camera, View, depth_from_image

from .synthetic import looking


def view(mask, depth, near=-10.0, far=30.0):
    mask = np.asarray(mask, dtype=np.uint8)
    camera = Camera(looking(), np.zeros(3), 1.0, mask.shape[1], mask.shape[0])
    return View(0, "canonical", mask, np.asarray(depth, dtype=np.float32), camera, 1.0, near, far)


def test_depth_images_run_from_near_to_far_on_a_background_of_0():
    shown = view([[0, 1, 2, 3]], [[np.nan, -10, 10, 30]])
    assert shown.depth_image(8).tolist() == [[0, 1, 128, 255]]
    assert shown.depth_image(8).dtype == np.uint8
    assert shown.depth_image(16).tolist() == [[0, 1, 32768, 65535]]
    assert shown.depth_image(16).dtype == np.uint16


@pytest.mark.parametrize(("bits", "n_steps"), [(8, 254), (16, 65534)])
def test_depth_images_invert_to_um(bits, n_steps):
    depth = np.random.default_rng(0).uniform(-10, 30, (20, 20))
    mask = np.random.default_rng(1).integers(0, 6, (20, 20))
    depth[mask == 0] = np.nan
    shown = view(mask, depth)
    again = depth_from_image(shown.depth_image(bits), -10.0, 30.0)
    assert np.array_equal(np.isnan(again), mask == 0)
    assert np.nanmax(np.abs(again - depth)) <= 40 / n_steps / 2 + 1e-5


def test_class_fractions_are_of_the_foreground():
    shown = view([[0, 0, 1, 2, 2, 5]], [[np.nan, np.nan, 0, 0, 0, 0]])
    assert shown.class_fractions().tolist() == [0, 0.25, 0.5, 0, 0, 0.25]
    assert view([[0, 0]], [[np.nan, np.nan]]).class_fractions().tolist() == [0] * 6


def test_the_direction_is_where_the_camera_looks():
    shown = view([[1]], [[0]])
    assert np.array_equal(shown.direction, shown.camera.basis[2])
    assert shown.silhouette.dtype == bool
