"""The one table of compartments, and colors that everybody can tell apart."""

from itertools import combinations

import numpy as np
import pytest

from axonet.morphology.compartments import CLASS_NAMES, N_CLASSES, PALETTE, Compartment, mask_class

# Linear RGB seen by people without red, green or blue cones (Machado et al., IEEE TVCG 15, 2009, severity 1).
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
XYZ_OF_RGB = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colors, vision):
    """CIE Lab of sRGB colors as seen with a kind of vision."""
    value = colors / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ VISION[vision].T, 0, 1) @ XYZ_OF_RGB.T / XYZ_OF_RGB.sum(axis=1)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


@pytest.mark.parametrize("vision", VISION)
def test_every_pair_of_classes_differs_for_every_kind_of_vision(vision):
    seen = lab(PALETTE.astype(float), vision)
    closest = min(np.linalg.norm(seen[a] - seen[b]) for a, b in combinations(range(N_CLASSES), 2))
    assert closest > 24


def test_the_table_has_a_name_and_a_color_for_every_class():
    assert N_CLASSES == len(CLASS_NAMES) == len(PALETTE) == len(Compartment) == 6
    assert PALETTE.dtype == np.uint8
    assert PALETTE[Compartment.BACKGROUND].tolist() == [0, 0, 0]
    assert [name.split()[0].upper() for name in CLASS_NAMES] == [compartment.name for compartment in Compartment]


@pytest.mark.parametrize(
    ("swc_type", "expected"),
    [(0, 5), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 5), (7, 5), (16, 5), (-1, 5), (10**12, 5)],
)
def test_types_become_classes(swc_type, expected):
    assert mask_class(swc_type) == expected
    assert mask_class(np.array([[swc_type] * 3])).tolist() == [[expected] * 3]
    assert mask_class([swc_type]).dtype == np.uint8


def test_the_palette_cannot_be_repainted():
    with pytest.raises(ValueError, match="read-only"):
        PALETTE[0] = 255
