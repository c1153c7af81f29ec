"""Slow reference renderers in float64, sharing no code and no formula with the rasterizer.

A rounded cone is a family of spheres. The orthographic reference searches the sphere whose front comes first (a convex
function, so a ternary search finds it); the perspective one marches along each ray by the distance to the solid.
"""

from __future__ import annotations

import numpy as np

INFINITE = np.inf


def orthographic(cones, classes, basis, center, um_per_px, height, width):
    """Class and depth (um) of every pixel center; ``cones`` is (n, 2, 4): start and end, x y z radius in um."""
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    x = ((columns + 0.5 - width / 2) * um_per_px).ravel()
    y = (-(rows + 0.5 - height / 2) * um_per_px).ravel()
    depth, label = np.full(x.shape, INFINITE), np.zeros(x.shape, dtype=np.uint8)
    for (start, end), value in zip(cones, classes, strict=True):
        first = np.append((start[:3] - center) @ basis.T, start[3])
        second = np.append((end[:3] - center) @ basis.T, end[3])
        low, high = np.minimum(first, second) - max(start[3], end[3]), np.maximum(first, second) + max(start[3], end[3])
        near = np.flatnonzero((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]))
        front = front_of_cone(first, second, x[near], y[near])
        nearer = near[front < depth[near]]
        depth[nearer], label[nearer] = front[front < depth[near]], value
    return label.reshape(height, width), np.where(np.isinf(depth), np.nan, depth).reshape(height, width)


def front_of_cone(start, end, x, y):
    """Depth of the spheres between two, without the first one, where lines of sight (x, y, *) meet them."""
    step = end - start
    if not step[:3].any():
        return front_of_sphere(end, x, y)
    low, high = shown_part(start, step, x, y)
    meets = low <= high
    a, b = low.copy(), high.copy()
    for _ in range(100):
        left, right = a + (b - a) / 3, b - (b - a) / 3
        lower = front_at(start, step, left, x, y) <= front_at(start, step, right, x, y)
        a, b = np.where(lower, a, left), np.where(lower, right, b)
    best = (a + b) / 2
    front = front_at(start, step, best, x, y)
    # The first sphere is the parent's: a minimum there is not this cone's, but its last sphere may still be met.
    last = front_of_sphere(end, x, y)
    return np.where(meets & (best > 1e-7), front, last)


def front_at(start, step, s, x, y):
    center = [start[k] + s * step[k] for k in range(3)]
    radius = start[3] + s * step[3]
    inside = radius**2 - (x - center[0]) ** 2 - (y - center[1]) ** 2
    return center[2] - np.sqrt(np.maximum(inside, 0))


def front_of_sphere(sphere, x, y):
    inside = sphere[3] ** 2 - (x - sphere[0]) ** 2 - (y - sphere[1]) ** 2
    return np.where(inside >= 0, sphere[2] - np.sqrt(np.maximum(inside, 0)), INFINITE)


def shown_part(start, step, x, y):
    """Range of s within 0..1 whose spheres a line of sight meets: an interval on a cone of non-negative radius."""
    s = np.linspace(0, 1, 2001)[:, None]
    radius = start[3] + s * step[3]
    meets = (x - start[0] - s * step[0]) ** 2 + (y - start[1] - s * step[1]) ** 2 <= radius**2
    low, high = s[np.argmax(meets, axis=0), 0], s[len(s) - 1 - np.argmax(meets[::-1], axis=0), 0]
    low, high = np.where(meets.any(axis=0), low, 1.0), np.where(meets.any(axis=0), high, 0.0)
    return low, high


def marched(cones, classes, basis, eye, directions, n_steps=120):
    """Class and distance of the first solid along rays, and how closely each ray passes the solid at all.

    ``directions`` is (n, 3), unit vectors in the rows right, up, forward of ``basis``; every cone is drawn whole.
    """
    rays = directions @ basis
    distance, closest = np.zeros(len(rays)), np.full(len(rays), INFINITE)
    label = np.zeros(len(rays), dtype=np.uint8)
    far = max(np.abs(cone[:, :3] - eye).max() + cone[:, 3].max() for cone in cones) * 3
    for _ in range(n_steps):
        points = eye + distance[:, None] * rays
        gaps = np.stack([distance_to_cone(points, *cone) for cone in cones])
        nearest = gaps.argmin(axis=0)
        gap = gaps[nearest, np.arange(len(rays))]
        closest = np.minimum(closest, gap)
        label = np.asarray(classes, dtype=np.uint8)[nearest]
        distance = np.where(distance < far, distance + gap, distance)
    hit = distance < far
    return np.where(hit, label, 0), np.where(hit, distance, np.nan), closest


def distance_to_cone(points, start, end):
    """Signed distance to a rounded cone: the least over its spheres, found by ternary search (it is convex)."""
    low, high = np.zeros(len(points)), np.ones(len(points))

    def gap(s):
        center = start[:3] + s[:, None] * (end - start)[:3]
        return np.linalg.norm(points - center, axis=1) - (start[3] + s * (end - start)[3])

    for _ in range(48):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        lower = gap(left) <= gap(right)
        low, high = np.where(lower, low, left), np.where(lower, right, high)
    return gap((low + high) / 2)
