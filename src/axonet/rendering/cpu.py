"""The CPU backend: one picture of a neuron's rounded cones. Importing it loads the compiled kernels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from axonet.rendering.camera import Array, Camera
from axonet.rendering.framing import depth_range, zoom_camera
from axonet.rendering.geometry import Geometry
from axonet.rendering.perspective import draw_cones_in_perspective
from axonet.rendering.pooling import pool
from axonet.rendering.raster import MIN_ROOT_RADIUS, N_LEVELS, Canvas, draw_cones


class Picture(NamedTuple):
    """What a camera sees.

    Attributes:
        mask: ``(height, width)`` uint8 mask classes.
        depth_um: ``(height, width)`` float32, NaN on the background.
        near_um: depth of the frontmost point of the neuron.
        far_um: depth of its rearmost point.
    """

    mask: NDArray[np.uint8]
    depth_um: NDArray[np.float32]
    near_um: float
    far_um: float


def draw(geometry: Geometry, camera: Camera, canvas: Canvas) -> Picture:
    """One picture.

    Args:
        geometry: what to draw.
        camera: from where; the canvas is a whole multiple of its image size.
        canvas: blank; is blank again afterwards.
    """
    samples_per_um = canvas.buffer.shape[1] / (camera.width * camera.um_per_px)
    near_um, far_um = depth_range(geometry.spheres, camera, MIN_ROOT_RADIUS / samples_per_um)
    um_per_level = (far_um - near_um) / N_LEVELS
    near, levels_per_sample = near_um * samples_per_um, 1.0 / (um_per_level * samples_per_um)
    solid = (geometry.ends, geometry.compartment, camera.basis, camera.center, samples_per_um)
    buffer, first, last = canvas.buffer, canvas.first, canvas.last
    if camera.projection == "ortho":
        draw_cones(*solid, near, levels_per_sample, buffer, first, last)
    else:
        focus = camera.eye_distance_um * samples_per_um
        draw_cones_in_perspective(*solid, focus, near, levels_per_sample, buffer, first, last)
    mask = np.zeros((camera.height, camera.width), dtype=np.uint8)
    depth_um = np.full((camera.height, camera.width), np.nan, dtype=np.float32)
    pool(buffer, first, last, near_um, um_per_level, mask, depth_um)
    return Picture(mask, depth_um, near_um, far_um)


def draw_zoom(
    geometry: Geometry, camera: Camera, soma_center: Array | None, zoom_um: float, canvas: Canvas
) -> NDArray[np.uint8]:
    """Silhouette of a window around the soma, seen as by the camera.

    Returns:
        ``(height, width)`` uint8: 255 on the neuron, 0 elsewhere, and everywhere without a soma.
    """
    if soma_center is None:
        return np.zeros((camera.height, camera.width), dtype=np.uint8)
    mask = draw(geometry, zoom_camera(camera, soma_center, zoom_um), canvas).mask
    return np.where(mask > 0, np.uint8(255), np.uint8(0))
