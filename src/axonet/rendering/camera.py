"""Where a view is seen from, and how pixels and world points belong together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Projection = Literal["ortho", "perspective"]

HALF_FIELD_OF_VIEW = math.tan(math.radians(15.0))
"""Half the shorter image side over the distance of the eye, in perspective: a field of view of 30 degrees."""


def camera_basis(direction: Array, axes: Array) -> Array:
    """Image axes of a look direction; the first principal axis points up as far as it can.

    When looking along PC1 itself, PC2 points up.

    Args:
        direction: ``(3,)`` look direction, any length but zero.
        axes: ``(3, 3)`` principal axes, rows PC1, PC2, PC3.

    Returns:
        ``(3, 3)`` orthonormal rows right, up, forward. Depth grows away from the viewer and right = forward x up, as
        on a photograph, so the determinant is -1 and no view is mirrored.
    """
    length = math.sqrt(float((direction**2).sum()))
    # A unit vector stays what it is, to the last bit: canonical views look along the principal axes themselves.
    forward = direction if abs(length - 1.0) < 1e-12 else direction / length
    up = axes[0] - (axes[0] * forward).sum() * forward
    if float((up**2).sum()) < 1e-12:
        up = axes[1] - (axes[1] * forward).sum() * forward
    up = up / math.sqrt(float((up**2).sum()))
    return np.stack([np.cross(forward, up), up, forward])


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole at infinity (``ortho``) or at ``eye_distance_um`` (``perspective``).

    The center of pixel (row i, column j), at depth 0, is the world point
    ``center + right * (j + 0.5 - width/2) * um_per_px - up * (i + 0.5 - height/2) * um_per_px``.

    Attributes:
        basis: ``(3, 3)`` orthonormal rows right, up, forward.
        center: ``(3,)`` um, the world point in the middle of the image; depth is measured from it along forward.
        um_per_px: size of a pixel in um (in perspective: in the plane of depth 0).
        width: image width in pixels.
        height: image height in pixels.
        projection: ``ortho`` or ``perspective``.
    """

    basis: Array
    center: Array
    um_per_px: float
    width: int
    height: int
    projection: Projection = "ortho"

    @property
    def eye_distance_um(self) -> float:
        """Distance of the eye before the center, in um; infinite in ``ortho``."""
        if self.projection == "ortho":
            return math.inf
        return 0.5 * min(self.width, self.height) * self.um_per_px / HALF_FIELD_OF_VIEW

    def to_view(self, points: Array) -> Array:
        """``(n, 3)`` um along right, up, forward, measured from ``center``."""
        return to_basis(points - self.center, self.basis)

    def project(self, points: Array) -> tuple[Array, Array]:
        """Image position and depth of world points.

        Args:
            points: ``(n, 3)`` um.

        Returns:
            ``(n, 2)`` row and column, where (i + 0.5, j + 0.5) is the center of pixel (i, j); ``(n,)`` depth in um.
        """
        view = self.to_view(points)
        depth = view[:, 2]
        shrink = 1.0 / (1.0 + depth / self.eye_distance_um)
        row = 0.5 * self.height - view[:, 1] * shrink / self.um_per_px
        column = 0.5 * self.width + view[:, 0] * shrink / self.um_per_px
        return np.stack([row, column], axis=1), depth

    def unproject(self, rows: Array, columns: Array, depth: Array) -> Array:
        """World points of pixel centers at a depth: the inverse of :meth:`project`.

        Args:
            rows: ``(n,)`` row indices.
            columns: ``(n,)`` column indices.
            depth: ``(n,)`` um along forward from ``center``.

        Returns:
            ``(n, 3)`` um.
        """
        grow = 1.0 + depth / self.eye_distance_um
        right = (columns + 0.5 - 0.5 * self.width) * self.um_per_px * grow
        up = -(rows + 0.5 - 0.5 * self.height) * self.um_per_px * grow
        return np.asarray(
            self.center + right[:, None] * self.basis[0] + up[:, None] * self.basis[1] + depth[:, None] * self.basis[2]
        )


def to_basis(points: Array, basis: Array) -> Array:
    """Coordinates of points along the rows of a basis.

    Spelled out instead of a matrix product, whose rounding may depend on the number of threads.

    Args:
        points: ``(n, 3)``.
        basis: ``(3, 3)``, rows are the new axes.

    Returns:
        ``(n, 3)``.
    """
    x, y, z = points[:, 0:1], points[:, 1:2], points[:, 2:3]
    return x * basis[:, 0] + y * basis[:, 1] + z * basis[:, 2]
