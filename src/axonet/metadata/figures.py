"""Measurements as figures of a caption: which ones a neuron has, how they are spoken, and what they claim."""

from __future__ import annotations

from dataclasses import dataclass

from axonet.metadata.grammar import counted, length_text, spoken_length
from axonet.metadata.shape import AXON, BRANCH_POINTS, CABLE, REACH, STEMS, TIPS, Shape

# In the order of speech; the first three are those of the fixed caption.
FIGURES = (BRANCH_POINTS, STEMS, CABLE, TIPS, REACH, AXON)

_COUNTED = {BRANCH_POINTS: ("branch point",), STEMS: ("primary process", "primary processes"), TIPS: ("tip",)}
_LENGTHS = {CABLE: "a total length of", REACH: "a longest path of", AXON: "an axon of"}

# Below these a figure says nothing: an axon of a few um is a stub of one.
_LEAST = {BRANCH_POINTS: 0.0, AXON: 100.0}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement.

    Attributes:
        name: of the morphometric.
        value: measured.
    """

    name: str
    value: float

    @property
    def is_unbranched(self) -> bool:
        """Whether it is the count of branch points of a neuron without any, which has a word of its own."""
        return self.name == BRANCH_POINTS and self.value == 0

    def text(self) -> str:
        """The figure with its noun: ``127 branch points``, ``a total length of 4.2 mm``."""
        if self.name in _COUNTED:
            return counted(round(self.value), *_COUNTED[self.name])
        return f"{_LENGTHS[self.name]} {length_text(self.value)}"

    def claim(self) -> str:
        """What is claimed: the figure that is spoken, so that equal texts make equal claims."""
        return f"{spoken_length(self.value) if self.name in _LENGTHS else self.value:.0f}"


def figures(shape: Shape) -> list[Figure]:
    """The figures that may be said of a shape."""
    found = []
    for name in FIGURES:
        value = shape.get(name)
        if value is None or value < _LEAST.get(name, 1.0):
            continue
        # Where no dendrites are told apart, the axon's length is the total length once more.
        if name != AXON or "dendrites" in (shape.traced or ()):
            found.append(Figure(name, value))
    return found
