"""Named random streams: what is drawn for a neuron depends on nothing but the seed and the neuron's name."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def _digest(seed: int, names: tuple[str | int, ...]) -> bytes:
    # The separator is no character of an ordinary name, so ("a", "b") and ("ab",) are different streams.
    text = "\x1f".join([str(seed), *(str(name) for name in names)])
    return hashlib.sha256(text.encode("utf-8")).digest()


def stable_seed(seed: int, *names: str | int) -> int:
    """A 32-bit seed for the stream of these names; the same on every machine and in every process."""
    return int.from_bytes(_digest(seed, names)[:4], "big")


def rng(seed: int, *names: str | int) -> np.random.Generator:
    """The generator of a named stream, e.g. ``rng(seed, "views", neuron_id)``."""
    import numpy as np

    return np.random.default_rng(int.from_bytes(_digest(seed, names)[:16], "big"))


def uniform(seed: int, *names: str | int) -> float:
    """One number in [0, 1) that belongs to these names."""
    return int.from_bytes(_digest(seed, names)[:8], "big") / 2**64
