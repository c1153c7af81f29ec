"""How much of a neuron a view shows."""

from __future__ import annotations

from axonet.rendering.bounds import shown_length
from axonet.rendering.camera import Array, Camera


def visible_fraction(cable: Array, camera: Camera) -> float:
    """Fraction of the cable length inside the frame, whether or not something hides it.

    Args:
        cable: ``(n, 8)`` um: x, y, z, radius of both ends of each straight piece.
        camera: the view.

    Returns:
        0 to 1; 1 where there is no length that could be missed.
    """
    half_width, half_height = 0.5 * camera.width * camera.um_per_px, 0.5 * camera.height * camera.um_per_px
    shown, total = shown_length(
        cable, camera.center, camera.basis, half_width, half_height, 1.0 / camera.eye_distance_um
    )
    return shown / total if total > 0 else 1.0
