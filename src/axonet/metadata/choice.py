"""What a caption leaves out: fixed for evaluation, at random for training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")

# Detail of a caption: whether the fixed caption has it, and how often a drawn one does.
DETAILS: dict[str, tuple[bool, float]] = {
    "species": (True, 0.85),
    "place": (True, 0.85),
    "modifier": (True, 0.8),
    "marker": (True, 0.8),
    "size": (True, 0.6),
    "branching": (True, 0.6),
    "stage, sex, strain": (False, 0.2),
    "type name": (True, 0.5),
    "spines": (True, 0.8),
    "apical": (True, 0.7),
    "single process": (True, 0.5),
    "few or many processes": (False, 0.4),
    "driver": (False, 0.4),
    "exact place": (True, 0.8),
    "condition": (False, 0.3),
    "untraced": (True, 0.6),
}


class Choice:
    """Decides on the details of one caption.

    Args:
        stream: random numbers; None for the fixed caption.
    """

    def __init__(self, stream: np.random.Generator | None) -> None:
        self._stream = stream

    @property
    def is_fixed(self) -> bool:
        """Whether this is the fixed caption."""
        return self._stream is None

    def wants(self, detail: str) -> bool:
        """Whether the caption has this detail."""
        fixed, probability = DETAILS[detail]
        return fixed if self._stream is None else bool(self._stream.random() < probability)

    def one(self, options: Sequence[T], weights: Sequence[float]) -> T:
        """One of the options by weight; the first one in a fixed caption."""
        return options[0] if self._stream is None else pick(self._stream, options, weights)

    def some(self, options: Sequence[T], fixed: int, least: int, most: int) -> list[T]:
        """Some of the options in their order: the first ``fixed`` ones, or ``least`` to ``most`` at random."""
        if self._stream is None:
            return list(options[:fixed])
        counts = range(min(least, len(options)), min(most, len(options)) + 1)
        count = pick(self._stream, counts, [1.0] * len(counts))
        order = sorted(range(len(options)), key=[self._stream.random() for _ in options].__getitem__)
        return [options[index] for index in sorted(order[:count])]


def pick(stream: np.random.Generator, options: Sequence[T], weights: Sequence[float]) -> T:
    """One of the options by weight.

    Only ``random`` is asked of the stream: it gives the same numbers in every version of numpy, ``choice`` may not.
    """
    position, total = stream.random() * sum(weights), 0.0
    for option, weight in zip(options, weights, strict=True):
        total += weight
        if position < total:
            return option
    return options[-1]
