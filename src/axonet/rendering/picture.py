"""What a camera sees, and what every backend does: draw such a picture."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from axonet.rendering.camera import Array, Camera
from axonet.rendering.framing import zoom_camera


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


class Draw(Protocol):
    """Draws one neuron; the cameras of a call sequence have one image size."""

    def __call__(self, camera: Camera) -> Picture:
        """What a camera sees."""

    def silhouette(self, camera: Camera) -> NDArray[np.bool_]:
        """Where an orthographic camera sees the neuron, ``(height, width)``: as in its picture, perhaps for less."""


def draw_zoom(draw: Draw, camera: Camera, soma_center: Array | None, zoom_um: float) -> NDArray[np.uint8]:
    """Silhouette of a window around the soma, seen as by the camera.

    Returns:
        ``(height, width)`` uint8: 255 on the neuron, 0 elsewhere, and everywhere without a soma.
    """
    if soma_center is None:
        return np.zeros((camera.height, camera.width), dtype=np.uint8)
    return draw.silhouette(zoom_camera(camera, soma_center, zoom_um)) * np.uint8(255)
