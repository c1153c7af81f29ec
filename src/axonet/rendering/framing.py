"""How far a camera stands off: the whole neuron is in the picture, whatever it looks like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from axonet.rendering.bounds import box, eye_distance
from axonet.rendering.camera import HALF_FIELD_OF_VIEW, Array, Camera, camera_basis, to_basis
from axonet.rendering.settings import RenderSettings

RESERVED_PX = 3
"""Pixels per axis that stay free at any margin. Thin cable is drawn wider than it is, by at most 0.71 pixels a side;
the outermost pixels, whose centers are half a pixel inside the image, stay blank."""


def frame_views(spheres: Array, directions: Array, axes: Array, settings: RenderSettings) -> list[Camera]:
    """Cameras for all views of a neuron.

    Each camera looks at the middle of the neuron's box in its view. The box, radii included, plus the margin fits into
    the image; with ``adaptive_framing`` just so in each view, otherwise all views share the largest scale needed.

    Args:
        spheres: ``(m, 4)`` um, see :class:`axonet.rendering.geometry.Geometry`.
        directions: ``(v, 3)`` look directions.
        axes: ``(3, 3)`` principal axes of the neuron.
        settings: image size, margin, projection.

    Returns:
        v cameras.
    """
    cameras = [frame_view(spheres, camera_basis(direction, axes), settings) for direction in directions]
    if settings.adaptive_framing:
        return cameras
    largest = max(camera.um_per_px for camera in cameras)
    return [replace(camera, um_per_px=largest) for camera in cameras]


def frame_view(spheres: Array, basis: Array, settings: RenderSettings) -> Camera:
    """The closest camera of a view that holds all spheres and the margin."""
    low, high = box(spheres, spheres[0, 0:3], basis)
    middle = 0.5 * (low + high)
    # The basis is orthonormal, so its transpose takes view coordinates back to the world.
    center = spheres[0, 0:3] + to_basis(middle[None, :], basis.T)[0]
    size = np.array([settings.width, settings.height], dtype=np.float64)
    usable = np.minimum(size / (1.0 + settings.margin), size - RESERVED_PX)
    if settings.projection == "ortho":
        um_per_px = float(((high - low)[:2] / usable).max())
    else:
        tangents = HALF_FIELD_OF_VIEW * usable / size.min()
        distance = eye_distance(spheres, center, basis, tangents[0], tangents[1])
        um_per_px = 2.0 * distance * HALF_FIELD_OF_VIEW / float(size.min())
    return Camera(basis, center, um_per_px, settings.width, settings.height, settings.projection)


def zoom_camera(camera: Camera, soma_center: Array, zoom_um: float) -> Camera:
    """The same camera over the soma: the shorter image side spans ``zoom_um``; orthographic in any projection.

    (A pinhole that shows so small a window would stand inside the neuron.)
    """
    um_per_px = zoom_um / min(camera.width, camera.height)
    return replace(camera, center=soma_center, um_per_px=um_per_px, projection="ortho")


def depth_range(spheres: Array, camera: Camera, padding_um: float) -> tuple[float, float]:
    """Depth in um of the frontmost and the rearmost point of a neuron, measured from the camera's center.

    Args:
        spheres: ``(m, 4)`` um.
        camera: the view.
        padding_um: how much wider than it is a point at depth 0 may be drawn.
    """
    low, high = box(spheres, camera.center, camera.basis)
    near, far = float(low[2]), float(high[2])
    padding = padding_um * (1.0 + max(far, 0.0) / camera.eye_distance_um)
    return near - padding, far + padding
