"""Perspective against rays that are marched through the solid."""

from __future__ import annotations

import numpy as np
import pytest

from axonet.morphology.neuron import Neuron
from axonet.rendering import RenderSettings, render_neuron

from . import reference
from .synthetic import AXON, NO_GL, looking, offsets, picture, random_neuron, stick, whole_cones


@pytest.mark.parametrize("seed", range(4))
def test_marched_rays_meet_the_same_solid(seed):
    rng = np.random.default_rng(seed)
    neuron = random_neuron(seed, n_nodes=6, radius=(2.0, 5.0), step=12.0)
    direction, size = rng.normal(size=3), 20
    center = neuron.xyz.mean(axis=0)
    pictures = [
        picture(neuron, size, 4.0, direction, center, backend, projection="perspective")
        for backend in (["cpu"] if NO_GL else ["cpu", "gl"])
    ]
    view = pictures[0][2]
    right, up = offsets(size, 4.0)
    rays = np.stack([right, up, np.full_like(right, view.eye_distance_um)], axis=-1).reshape(-1, 3)
    rays = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    eye = center - view.eye_distance_um * view.basis[2]
    expected, distance, closest = reference.marched(
        whole_cones(neuron), neuron.compartment, looking(direction), eye, rays
    )
    expected_depth = distance * rays[:, 2] - view.eye_distance_um
    clear = np.abs(closest) < 1e-6  # met, not grazed
    grazed = ~clear & (closest < 1e-2)
    assert clear.sum() > 30
    for mask, depth in ((mask.ravel(), depth.ravel()) for mask, depth, _ in pictures):
        assert np.array_equal(mask[~grazed] > 0, expected[~grazed] > 0)
        both = clear & (mask > 0)
        assert np.quantile(np.abs(depth - expected_depth)[both], 0.99) < 3e-3
        assert (mask == expected)[both].mean() > 0.98  # joints belong to both cones here


def test_a_sphere_on_the_axis_is_the_disc_of_its_tangent_cone():
    neuron = Neuron.from_arrays([[0, 0, 0]], [-1], AXON, 20.0)
    mask, depth, view = picture(neuron, 64, projection="perspective")
    distance = view.eye_distance_um
    tangent = 20.0 / np.sqrt(distance**2 - 400.0)
    right, up = offsets(64, 1.0)
    assert np.array_equal(mask > 0, np.hypot(right, up) <= tangent * distance)
    # Front of the sphere along each ray.
    length = np.sqrt(right**2 + up**2 + distance**2)
    cosine = distance / length
    inside = 400.0 - distance**2 * (1 - cosine**2)
    front = (distance * cosine - np.sqrt(np.maximum(inside, 0))) * cosine - distance
    assert np.abs(depth - front)[mask > 0].max() < 1e-3


def test_nearer_cable_is_wider():
    near, _, _ = picture(stick((0, -10, -40), (0, 10, -40), 5.0, 5.0), projection="perspective")
    far, _, _ = picture(stick((0, -10, 40), (0, 10, 40), 5.0, 5.0), projection="perspective")
    assert (near > 0).sum() > 1.5 * (far > 0).sum()


def test_no_view_crops_and_points_come_back():
    neuron = random_neuron(5, spread=(1.0, 0.7, 3.0))
    settings = RenderSettings(projection="perspective", width=96, height=64, supersample_factor=2, margin=0.0)
    for view in render_neuron(neuron, settings):
        assert view.qc == 1.0
        edges = [view.mask[0], view.mask[-1], view.mask[:, 0], view.mask[:, -1]]
        assert not any(edge.any() for edge in edges)
        rows, columns = np.nonzero(view.silhouette)
        depth = view.depth_um[rows, columns].astype(float)
        points = view.camera.unproject(rows, columns, depth)
        places, again = view.camera.project(points)
        assert np.allclose(places, np.stack([rows, columns], axis=1) + 0.5)
        assert np.allclose(again, depth)
