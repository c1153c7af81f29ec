"""The GL backend: pictures of a neuron's rounded cones. Loading it needs no driver; using it opens a context."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axonet.rendering.camera import Array, Camera
from axonet.rendering.framing import depth_range
from axonet.rendering.geometry import Geometry
from axonet.rendering.gl_context import open_context
from axonet.rendering.gl_instances import INSTANCE_SIZE, fill_instances, unpack
from axonet.rendering.gl_targets import Targets, targets_of
from axonet.rendering.picture import Draw, Picture
from axonet.rendering.raster import EMPTY, MIN_ROOT_RADIUS, N_LEVELS


@dataclass(frozen=True, eq=False)
class GlDraw:
    """Draws a neuron; see :class:`axonet.rendering.picture.Draw`."""

    picture: Callable[[Camera], Picture]

    def __call__(self, camera: Camera) -> Picture:
        """What a camera sees."""
        return self.picture(camera)

    def silhouette(self, camera: Camera) -> NDArray[np.bool_]:
        """Where it sees the neuron."""
        return np.asarray(self.picture(camera).mask > 0)


@contextmanager
def gl_drawing(geometry: Geometry, height: int, width: int, factor: int, device: int | None) -> Iterator[Draw]:
    """Draw pictures of a neuron with OpenGL.

    Args:
        geometry: what to draw.
        height: of the pictures in pixels.
        width: of the pictures in pixels.
        factor: samples per pixel side.
        device: place in the list of devices; the first that works by default.

    Raises:
        UserError: there is no OpenGL, or it cannot draw such pictures.
    """
    context = open_context(device)
    # Equal depths belong to the lower class: it is drawn first, and what is there stays.
    order = np.argsort(geometry.compartment, kind="stable")
    ends, labels = np.ascontiguousarray(geometry.ends[order]), np.ascontiguousarray(geometry.compartment[order])
    instances = np.empty((len(ends), INSTANCE_SIZE), dtype=np.float32)
    with context.current():
        targets = targets_of(context, height, width, factor)
        yield GlDraw(lambda camera: draw(context.gl, targets, ends, labels, geometry.spheres, camera, instances))


def draw(
    gl: Any,
    targets: Targets,
    ends: Array,
    labels: NDArray[np.uint8],
    spheres: Array,
    camera: Camera,
    instances: NDArray[np.float32],
) -> Picture:
    """One picture.

    Args:
        gl: ``OpenGL.GL``; the context is current.
        targets: where to draw; its size is a whole multiple of the camera's image.
        ends: ``(n, 8)`` um, see :class:`axonet.rendering.geometry.Geometry`; lower classes first.
        labels: ``(n,)`` mask classes.
        spheres: ``(m, 4)`` um, all end spheres.
        camera: from where.
        instances: ``(n, INSTANCE_SIZE)``, room to work in.
    """
    rows, columns = targets.rows, targets.columns
    scale = columns / (camera.width * camera.um_per_px)
    near_um, far_um = depth_range(spheres, camera, MIN_ROOT_RADIUS / scale)
    um_per_level, near, focus = (far_um - near_um) / N_LEVELS, near_um * scale, camera.eye_distance_um * scale
    mask = np.zeros((camera.height, camera.width), dtype=np.uint8)
    depth_um = np.full((camera.height, camera.width), np.nan, dtype=np.float32)
    solid = (ends, labels, camera.basis, camera.center, scale)
    n, *box = fill_instances(*solid, focus, near, rows, columns, instances)
    if n > 0:
        uniforms = {
            "size": (float(columns), float(rows)),
            "widening": (1.0 / focus,),
            "near": (near,),
            "levels_per_sample": (1.0 / (um_per_level * scale),),
        }
        row, column, pixels = draw_instances(gl, targets, instances[:n], box, uniforms)
        unpack(pixels, row, column, near_um, um_per_level, mask, depth_um)
    return Picture(mask, depth_um, near_um, far_um)


def draw_instances(
    gl: Any,
    targets: Targets,
    instances: NDArray[np.float32],
    box: list[int],
    uniforms: dict[str, tuple[float, ...]],
) -> tuple[int, int, NDArray[np.uint32]]:
    """Draw cones into samples, samples into pixels, and read those back that were drawn to.

    Args:
        gl: ``OpenGL.GL``; the context is current.
        targets: where to draw.
        instances: ``(n, INSTANCE_SIZE)``.
        box: first column and row, end column and row of the samples that may be drawn to.
        uniforms: of the program of the cones.

    Returns:
        Row and column of the first pixel read; ``(rows, columns)`` uint32.
    """
    factor = targets.factor
    column, row = box[0] // factor, box[1] // factor
    width, height = math.ceil(box[2] / factor) - column, math.ceil(box[3] / factor) - row
    gl.glDisable(gl.GL_BLEND)
    gl.glDisable(gl.GL_DITHER)
    gl.glEnable(gl.GL_SCISSOR_TEST)
    gl.glBindVertexArray(targets.vertices)
    gl.glBindBuffer(gl.GL_ARRAY_BUFFER, targets.instances)
    gl.glBufferData(gl.GL_ARRAY_BUFFER, instances.nbytes, instances, gl.GL_STREAM_DRAW)

    gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, targets.samples)
    gl.glViewport(0, 0, targets.columns, targets.rows)
    gl.glScissor(column * factor, row * factor, width * factor, height * factor)
    gl.glEnable(gl.GL_DEPTH_TEST)
    gl.glDepthFunc(gl.GL_LESS)
    gl.glClearBufferuiv(gl.GL_COLOR, 0, np.full(4, EMPTY, dtype=np.uint32))
    gl.glClearBufferfv(gl.GL_DEPTH, 0, np.ones(1, dtype=np.float32))
    targets.cones.use(uniforms)
    gl.glDrawArraysInstanced(gl.GL_TRIANGLE_STRIP, 0, 4, len(instances))

    gl.glDisable(gl.GL_DEPTH_TEST)
    gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, targets.pixels)
    gl.glViewport(0, 0, targets.columns // factor, targets.rows // factor)
    gl.glScissor(column, row, width, height)
    gl.glActiveTexture(gl.GL_TEXTURE0)
    gl.glBindTexture(gl.GL_TEXTURE_2D, targets.sample_texture)
    targets.pool.use({})
    gl.glUniform1i(targets.pool.place("samples"), 0)
    gl.glUniform1i(targets.pool.place("factor"), factor)
    gl.glDrawArraysInstanced(gl.GL_TRIANGLES, 0, 3, 1)

    pixels = np.empty((height, width), dtype=np.uint32)
    gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 4)
    gl.glReadPixels(column, row, width, height, gl.GL_RED_INTEGER, gl.GL_UNSIGNED_INT, pixels)
    return row, column, pixels
