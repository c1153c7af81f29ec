"""What of a neuron lies where in a view (numba): the parts of framing and quality that touch every cone."""

from __future__ import annotations

import math

import numpy as np

from axonet.rendering.camera import Array
from axonet.rendering.kernel import kernel


@kernel
def box(spheres: Array, origin: Array, basis: Array) -> tuple[Array, Array]:
    """Smallest box around spheres with edges along a basis.

    Args:
        spheres: ``(m, 4)`` um: x, y, z, radius; m >= 1.
        origin: ``(3,)`` um that the box is measured from.
        basis: ``(3, 3)`` orthonormal rows.

    Returns:
        Low and high corner, ``(3,)`` um along the rows each.
    """
    low, high = np.full(3, math.inf), np.full(3, -math.inf)
    for k in range(spheres.shape[0]):
        x, y, z = spheres[k, 0] - origin[0], spheres[k, 1] - origin[1], spheres[k, 2] - origin[2]
        for axis in range(3):
            place = x * basis[axis, 0] + y * basis[axis, 1] + z * basis[axis, 2]
            low[axis] = min(low[axis], place - spheres[k, 3])
            high[axis] = max(high[axis], place + spheres[k, 3])
    return low, high


@kernel
def eye_distance(spheres: Array, center: Array, basis: Array, tangent_x: float, tangent_y: float) -> float:
    """Smallest distance of an eye before a point from which all spheres lie between the image's edges.

    A plane through the eye and an image edge has the tangent t against the look direction. A sphere lies inside when
    ``|x| + r sqrt(1 + t^2) <= t (distance + z)``: linear in the distance.

    Args:
        spheres: ``(m, 4)`` um: x, y, z, radius.
        center: ``(3,)`` um that the eye looks at.
        basis: ``(3, 3)`` rows right, up, forward.
        tangent_x: of the left and right edges.
        tangent_y: of the upper and lower edges.
    """
    slant_x, slant_y = math.sqrt(1.0 + tangent_x**2), math.sqrt(1.0 + tangent_y**2)
    distance = 0.0
    for k in range(spheres.shape[0]):
        x, y, z = spheres[k, 0] - center[0], spheres[k, 1] - center[1], spheres[k, 2] - center[2]
        right = abs(x * basis[0, 0] + y * basis[0, 1] + z * basis[0, 2])
        up = abs(x * basis[1, 0] + y * basis[1, 1] + z * basis[1, 2])
        depth = x * basis[2, 0] + y * basis[2, 1] + z * basis[2, 2]
        distance = max(distance, (right + spheres[k, 3] * slant_x) / tangent_x - depth)
        distance = max(distance, (up + spheres[k, 3] * slant_y) / tangent_y - depth)
    return distance


@kernel
def shown_length(
    ends: Array, center: Array, basis: Array, half_width: float, half_height: float, widening: float
) -> tuple[float, float]:
    """Cable length inside the image's edges, and in all.

    Args:
        ends: ``(n, 8)`` um: x, y, z, radius of both ends of each piece.
        center: ``(3,)`` um in the middle of the image.
        basis: ``(3, 3)`` rows right, up, forward.
        half_width: of the image in um, at depth 0.
        half_height: of the image in um, at depth 0.
        widening: by which fraction both grow per um of depth; 0 in an orthographic view.

    Returns:
        Both in um.
    """
    shown, total = 0.0, 0.0
    view = np.empty((2, 3))
    for k in range(ends.shape[0]):
        for side in range(2):
            x = ends[k, 4 * side] - center[0]
            y = ends[k, 4 * side + 1] - center[1]
            z = ends[k, 4 * side + 2] - center[2]
            for axis in range(3):
                view[side, axis] = x * basis[axis, 0] + y * basis[axis, 1] + z * basis[axis, 2]
        enters, leaves = 0.0, 1.0  # the part inside, as fractions of the piece
        for edge in range(4):
            axis, sign = edge // 2, 1.0 - 2.0 * (edge % 2)
            half = half_width if axis == 0 else half_height
            # Both are at least 0 inside the edge, and linear along the piece.
            before = half * (1.0 + view[0, 2] * widening) - sign * view[0, axis]
            after = half * (1.0 + view[1, 2] * widening) - sign * view[1, axis]
            if before < 0.0 and after < 0.0:
                leaves = 0.0
            elif before < 0.0:
                enters = max(enters, before / (before - after))
            elif after < 0.0:
                leaves = min(leaves, before / (before - after))
        length = math.sqrt(
            (view[1, 0] - view[0, 0]) ** 2 + (view[1, 1] - view[0, 1]) ** 2 + (view[1, 2] - view[0, 2]) ** 2
        )
        total += length
        shown += length * max(leaves - enters, 0.0)
    return shown, total
