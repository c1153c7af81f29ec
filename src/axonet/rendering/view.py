"""One rendered picture of a neuron."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.compartments import N_CLASSES
from axonet.rendering.camera import Array, Camera


@dataclass(frozen=True, eq=False)
class View:
    """One rendered picture of a neuron: what is where, how deep, and seen from where.

    Attributes:
        index: place among the views of the neuron.
        tier: why this direction: ``canonical``, ``biased``, ``random`` or ``fibonacci``.
        mask: ``(height, width)`` uint8 mask classes, 0 is the background.
        depth_um: ``(height, width)`` float32 um along ``camera.basis[2]`` from ``camera.center``: negative before it,
            positive behind it, NaN on the background.
        camera: where it is seen from.
        qc: fraction of the cable length inside the frame.
        near_um: depth of the frontmost point of the neuron; no depth of the view is smaller.
        far_um: depth of its rearmost point; no depth of the view is larger.
        zoom_bw: ``(height, width)`` uint8 silhouette around the soma, 255 on the neuron; ``None`` when not asked for.
        has_zoom: whether ``zoom_bw`` shows something: there is a soma and a zoom was asked for.
    """

    index: int
    tier: str
    mask: NDArray[np.uint8]
    depth_um: NDArray[np.float32] = field(repr=False)
    camera: Camera
    qc: float
    near_um: float
    far_um: float
    zoom_bw: NDArray[np.uint8] | None = None
    has_zoom: bool = False

    @property
    def direction(self) -> Array:
        """``(3,)`` unit vector that the viewer looks along, ``camera.basis[2]``."""
        return np.asarray(self.camera.basis[2])

    @property
    def silhouette(self) -> NDArray[np.bool_]:
        """``(height, width)``, true on the neuron."""
        return np.asarray(self.mask > 0)

    def _repr_png_(self) -> bytes:
        """The picture that a notebook shows."""
        from axonet.rendering.shown import view_png

        return view_png(self)

    def depth_image(self, bits: Literal[8, 16] = 8) -> NDArray[Any]:
        """Depth as an image: 0 on the background, 1 at ``near_um`` to the highest value at ``far_um``.

        Args:
            bits: 8 or 16.

        Returns:
            ``(height, width)`` uint8 or uint16; :func:`depth_from_image` inverts it.
        """
        highest = 2**bits - 1
        span = max(self.far_um - self.near_um, 1e-30)
        image = np.zeros(self.mask.size, dtype=np.uint8 if bits == 8 else np.uint16)
        drawn = self._drawn()
        fraction = (np.take(self.depth_um, drawn).astype(np.float64) - self.near_um) / span
        image[drawn] = 1 + np.rint(np.clip(fraction, 0.0, 1.0) * (highest - 1)).astype(image.dtype)
        return image.reshape(self.mask.shape)

    def class_fractions(self) -> Array:
        """``(6,)`` share of each mask class in the foreground; the background's is 0."""
        labels = np.take(self.mask, self._drawn())
        counts = np.bincount(labels, minlength=N_CLASSES)[:N_CLASSES].astype(np.float64)
        return np.asarray(counts / max(counts.sum(), 1.0))

    def _drawn(self) -> NDArray[np.int64]:
        """Places of the foreground in the flattened image: a fiftieth of it, so worth looking up."""
        return np.flatnonzero(self.mask > 0)


def depth_from_image(image: NDArray[Any], near_um: float, far_um: float) -> NDArray[np.float32]:
    """Depth in um of a depth image: the inverse of :meth:`View.depth_image` up to half a step.

    Args:
        image: ``(height, width)`` uint8 or uint16.
        near_um: depth of value 1.
        far_um: depth of the highest value.

    Returns:
        ``(height, width)`` float32, NaN where the image is 0.
    """
    highest = np.iinfo(image.dtype).max
    depth = near_um + (image.astype(np.float64) - 1.0) / (highest - 1) * (far_um - near_um)
    return np.where(image > 0, depth, np.nan).astype(np.float32)
