"""The CPU backend: one picture of a neuron's rounded cones. Importing it loads the compiled kernels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axonet.rendering.camera import Camera
from axonet.rendering.framing import depth_range
from axonet.rendering.geometry import Geometry
from axonet.rendering.perspective import draw_cones_in_perspective
from axonet.rendering.picture import Draw, Picture
from axonet.rendering.pooling import pool
from axonet.rendering.raster import MIN_ROOT_RADIUS, N_LEVELS, Canvas, draw_cones
from axonet.rendering.silhouette import cover_pixels


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


@dataclass(frozen=True, eq=False)
class CpuDraw:
    """Draws a neuron; see :class:`axonet.rendering.picture.Draw`.

    Attributes:
        geometry: what to draw.
        canvas: blank between calls.
        factor: samples per pixel side.
    """

    geometry: Geometry
    canvas: Canvas
    factor: int

    def __call__(self, camera: Camera) -> Picture:
        """What a camera sees."""
        return draw(self.geometry, camera, self.canvas)

    def silhouette(self, camera: Camera) -> NDArray[np.bool_]:
        """Where an orthographic camera sees the neuron."""
        covered = np.zeros((camera.height, camera.width), dtype=np.bool_)
        samples_per_um = self.factor / camera.um_per_px
        cover_pixels(self.geometry.ends, camera.basis, camera.center, samples_per_um, self.factor, covered)
        return covered


@contextmanager
def cpu_drawing(geometry: Geometry, height: int, width: int, factor: int) -> Iterator[Draw]:
    """Draw pictures of a neuron on one canvas.

    Args:
        geometry: what to draw.
        height: of the pictures in pixels.
        width: of the pictures in pixels.
        factor: samples per pixel side.
    """
    yield CpuDraw(geometry, Canvas.blank(height * factor, width * factor), factor)
