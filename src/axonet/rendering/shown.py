"""Views as a notebook shows them: one as a picture, all of a neuron as a page."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from axonet.rendering.camera import Array
from axonet.rendering.view import View

if TYPE_CHECKING:
    from axonet.morphology.neuron import Neuron


class Views(list[View]):
    """The views of a neuron: a list that shows itself as a page of pictures.

    Args:
        views: of one neuron.
        name: of the neuron.
        axes: ``(3, 3)`` its principal axes, by which directions are named.
    """

    def __init__(self, views: Iterable[View] = (), name: str = "", axes: Array | None = None) -> None:
        super().__init__(views)
        self._name = name
        self._axes = np.eye(3) if axes is None else axes

    @classmethod
    def of(cls, neuron: Neuron, views: Iterable[View]) -> Views:
        """The views of a neuron."""
        from axonet.rendering.geometry import build_geometry

        return cls(views, neuron.name, build_geometry(neuron).axes())

    def _repr_png_(self) -> bytes | None:
        """The page that a notebook shows; the plain list where it is empty."""
        if not self:
            return None
        from axonet.rendering.contact_sheet import contact_sheet

        return png(contact_sheet(self, self._axes, self._name, [f"{len(self)} views"]))


def view_png(view: View) -> bytes:
    """A view as a PNG file: a color per compartment on white, paler with depth."""
    from axonet.rendering.contact_sheet import color_on_white

    return png(color_on_white(view))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file of ``(h, w, 3)`` RGB."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()
