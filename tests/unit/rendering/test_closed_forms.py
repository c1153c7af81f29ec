"""Both backends, both projections, against closed forms.

A rounded cone is a sphere at each end and, between the circles where their common tangent cone touches them, a piece of
that cone. Where a ray meets a sphere or a cone is a quadratic equation in the world's coordinates: no formula and no
frame that a backend uses.
"""

from __future__ import annotations

import numpy as np
import pytest

from axonet.morphology.neuron import Neuron

from .synthetic import AXON, BACKENDS, BASAL, PROJECTIONS, SOMA, offsets, picture, stick

SIZE = 96


def first_root(a, b, c, is_met=lambda t: True):
    """Smallest t with a t^2 + 2 b t + c = 0 that counts; infinity where there is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(b * b - a * c)
        solutions = np.stack([(-b - root) / a, (-b + root) / a])
        solutions = np.where(np.isfinite(solutions) & is_met(solutions), solutions, np.inf)
    return solutions.min(axis=0)


def meet_sphere(eye, ray, center, radius):
    to = eye - center
    return first_root((ray**2).sum(axis=-1), (ray * to).sum(axis=-1), (to**2).sum(axis=-1) - radius**2)


def meet_side(eye, ray, start, r0, end, r1):
    """Where rays meet the cone that touches both spheres, between the circles where it does."""
    length = np.linalg.norm(end - start)
    if length <= abs(r0 - r1):
        return np.full(ray.shape[:-1], np.inf)  # one sphere holds the other
    axis, sine = (end - start) / length, (r0 - r1) / length
    slope = sine / np.sqrt(1 - sine**2)  # by which the cone narrows per length of its axis
    along, place = ray @ axis, (eye - start) @ axis
    beside, apart = ray - along[..., None] * axis, (eye - start) - place[..., None] * axis
    width, narrowing = r0 / np.sqrt(1 - sine**2) - slope * place, slope * along  # radius at t: width - narrowing t
    low, high = r0 * sine, length + r1 * sine
    return first_root(
        (beside**2).sum(axis=-1) - narrowing**2,
        (beside * apart).sum(axis=-1) + narrowing * width,
        (apart**2).sum(axis=-1) - width**2,
        lambda t: (place + t * along >= low) & (place + t * along <= high) & (width - narrowing * t >= 0),
    )


def expected_picture(cones, view):
    """Index of the cone that each pixel's ray meets first (-1: none), its depth, and whether it is a close call."""
    right, up = offsets(SIZE, view.um_per_px)
    plane = view.center + right[..., None] * view.basis[0] + up[..., None] * view.basis[1]  # where depth is 0
    if view.projection == "ortho":
        far = 1e3
        eye, ray = plane - far * view.basis[2], np.broadcast_to(view.basis[2], plane.shape)
    else:
        far = view.eye_distance_um
        eye = np.broadcast_to(view.center - far * view.basis[2], plane.shape)
        ray = (plane - eye) / far  # of depth 1, so that t is depth
    fronts = []
    for start, r0, end, r1 in cones:
        ends = [meet_sphere(eye, ray, start, r0), meet_sphere(eye, ray, end, r1)]
        fronts.append(np.minimum.reduce([*ends, meet_side(eye, ray, start, r0, end, r1)]))
    front = np.min(fronts, axis=0)
    return np.where(np.isinf(front), -1, np.argmin(fronts, axis=0)), np.where(np.isinf(front), np.nan, front - far)


SHAPES = {  # start, radius, end, radius; the first is looked along z, the world's y up
    "sphere": ((3, -2, 5), 20, (3, -2, 5), 20),
    "cylinder broadside": ((0, -25, 3), 7, (4, 22, 3), 7),
    "cylinder oblique": ((-12, -20, 25), 8, (10, 14, -20), 8),
    "cylinder end-on": ((2, 3, 22), 15, (2, 3, -18), 15),
    "cone broadside": ((0, -22, 0), 16, (3, 25, 0), 3),
    "cone towards the viewer, narrow end first": ((-8, 5, 25), 18, (9, -6, -20), 4),
    "cone towards the viewer, wide end first": ((-8, 5, -25), 18, (9, -6, 20), 4),
    "cone end-on, narrow end first": ((0, 0, 20), 22, (0, 0, -20), 3),
    "cone end-on, wide end first": ((0, 0, -20), 22, (0, 0, 20), 3),
    "cone nearly end-on": ((0, 0, 20), 22, (1e-4, 1e-5, -20), 3),
    "blunt cone that hides its narrow end": ((-4, 0, 0), 20, (8, 5, 2), 8),
    "end sphere inside the start": ((0, 0, 0), 20, (4, -3, 6), 9),
    "start inside the end sphere": ((0, 0, 0), 9, (4, -3, 6), 20),
    "sphere that touches from within": ((0, 0, 0), 20, (0, 0, -8), 12),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_its_closed_form(name, projection, backend):
    start, r0, end, r1 = SHAPES[name]
    neuron = stick(start, end, r0, r1)
    mask, depth, view = picture(neuron, SIZE, backend=backend, projection=projection)
    cone = (np.array(start, dtype=float), r0, np.array(end, dtype=float), r1)
    shown, front = expected_picture([cone], view)
    assert (shown == 0).sum() > 600
    # Rays that only graze may fall on either side.
    assert ((mask > 0) != (shown == 0)).sum() <= 2
    both = (mask > 0) & (shown == 0)
    error = np.abs(depth - front)[both]
    assert np.quantile(error, 0.99) < 1e-3
    assert error.max() < 0.05


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("projection", PROJECTIONS)
def test_of_several_shapes_the_first_is_seen(projection, backend):
    # A soma, a neurite that leaves it with its own radius, another that passes before both, one behind.
    xyz = [[0, 0, 0], [30, 8, -4], [-30, 20, -22], [25, -25, -20], [-30, -20, 20], [34, 20, 24]]
    parent, types, radius = [-1, 0, -1, 2, -1, 4], [SOMA, BASAL, AXON, AXON, BASAL, BASAL], [11, 3, 2, 5, 7, 7]
    neuron = Neuron.from_arrays(xyz, parent, types, radius, name="several")
    mask, depth, view = picture(neuron, SIZE, backend=backend, projection=projection)
    points = neuron.xyz
    cones = [(points[0], 11, points[0], 11), (points[0], 3, points[1], 3)]
    cones += [(points[2], 2, points[3], 5), (points[4], 7, points[5], 7)]
    shown, front = expected_picture(cones, view)
    expected = np.array([SOMA, BASAL, AXON, BASAL, 0])[shown]
    assert (np.bincount(expected.ravel(), minlength=4)[1:] > 100).all()
    assert (mask != expected).sum() <= 4
    both = (mask > 0) & (shown >= 0)
    assert np.quantile(np.abs(depth - front)[both], 0.99) < 1e-3


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("radius", [(6, 6, 6), (6, 9, 3), (6, 2, 6)])
def test_two_cones_are_their_union_and_the_joint_belongs_to_the_first(radius, projection, backend):
    points = [(-25.0, 0.0, 0.0), (0.0, 0.0, 0.0), (25.0, 0.0, 0.0)]
    both = Neuron.from_arrays(points, [-1, 0, 1], [BASAL, BASAL, AXON], radius, name="joint")
    mask, _, view = picture(both, SIZE, backend=backend, projection=projection)
    alone, _, _ = picture(stick(points[0], points[1], *radius[:2]), SIZE, backend=backend, projection=projection)
    axon, _, _ = picture(stick(points[1], points[2], *radius[1:]), SIZE, backend=backend, projection=projection)
    assert np.array_equal(mask > 0, (alone > 0) | (axon > 0))
    right, _ = offsets(SIZE, 1.0)
    world_x = right * view.basis[0, 0]
    assert (mask[(alone > 0) & (world_x <= 0)] == BASAL).all()
    assert (mask[(axon > 0) & (world_x > max(radius))] == AXON).all()
