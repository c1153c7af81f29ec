"""SWC structure types and mask classes: the only table that links the two."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Compartment(IntEnum):
    """Class of a mask pixel, and of a node or edge that is drawn there."""

    BACKGROUND = 0
    SOMA = 1
    AXON = 2
    BASAL = 3
    APICAL = 4
    OTHER = 5


CLASS_NAMES: tuple[str, ...] = ("background", "soma", "axon", "basal dendrite", "apical dendrite", "other")
N_CLASSES = len(CLASS_NAMES)

# Hues of Okabe and Ito and of Tol. Every pair differs by 25 or more in CIE Lab for normal vision and for the three
# kinds of color blindness; all are light enough for the black background of a mask and dark enough for a white page.
PALETTE: NDArray[np.uint8] = np.array(
    [
        (0, 0, 0),  # background: black
        (240, 228, 66),  # soma: yellow
        (86, 180, 233),  # axon: sky blue
        (213, 94, 0),  # basal dendrite: vermilion
        (170, 68, 153),  # apical dendrite: purple
        (150, 150, 150),  # other: gray
    ],
    dtype=np.uint8,
)
PALETTE.flags.writeable = False

# SWC structure types 1 to 4 are the four named compartments; 0, 5, 6, 7 and above are "other".
_CLASS_OF_TYPE: NDArray[np.uint8] = np.array(
    [Compartment.OTHER, Compartment.SOMA, Compartment.AXON, Compartment.BASAL, Compartment.APICAL, Compartment.OTHER],
    dtype=np.uint8,
)


def mask_class(swc_type: ArrayLike) -> NDArray[np.uint8]:
    """Mask class of SWC structure types.

    Args:
        swc_type: integers of any shape, as in the second column of an SWC file.

    Returns:
        uint8 array of the same shape with values of :class:`Compartment`, never ``BACKGROUND``.
    """
    types = np.asarray(swc_type)
    named = (types >= 1) & (types <= 4)
    classes: NDArray[np.uint8] = _CLASS_OF_TYPE[np.where(named, types, 0).astype(np.intp)]
    return classes
