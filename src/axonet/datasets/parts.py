"""``--shard k/n``: which neurons one of several processes renders, whatever else is in the folder."""

from __future__ import annotations

import re
from dataclasses import dataclass

from axonet.sources.catalog import shard_of

_BITS = 16  # so many parts there can be: 2^16
MOST_PARTS = 1 << _BITS
DEFAULT_SHARD_BITS = 4  # of packed files


@dataclass(frozen=True)
class Part:
    """Part ``number`` of ``of``, counted from 1. Which part a neuron is in depends on its name and ``of`` alone."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read ``3/16``.

        Raises:
            ValueError: it is no part; the message says why.
        """
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if match is None:
            raise ValueError("must be k/n, such as 3/16")
        number, of = int(match[1]), int(match[2])
        if not 1 <= number <= of <= MOST_PARTS:
            raise ValueError(f"must be k/n with k from 1 to n, and n at most {MOST_PARTS}")
        return cls(number, of)

    def __str__(self) -> str:
        """``3/16``."""
        return f"{self.number}/{self.of}"

    def has_neuron(self, neuron_id: str) -> bool:
        """Whether a neuron belongs to this part."""
        return int(shard_of(neuron_id, _BITS), 16) % self.of == self.number - 1

    def has_packed(self, shard: str) -> bool:
        """Whether a packed file, by its hexadecimal name, belongs to this part: a file is written by one process."""
        return int(shard, 16) % self.of == self.number - 1
