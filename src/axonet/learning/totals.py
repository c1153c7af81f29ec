"""Sums over a whole validation set, kept on the device and over all processes."""

from __future__ import annotations

from typing import Any

from torch import Tensor


class Totals:
    """Named running sums of tensors."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}

    def add(self, name: str, value: Tensor) -> None:
        """Add a batch's contribution; it is not read here, so the device need not be waited for."""
        value = value.detach()
        self._sums[name] = self._sums[name] + value if name in self._sums else value

    def reduced(self, strategy: Any) -> dict[str, Tensor]:
        """The sums over all processes, on the CPU; starts anew.

        Args:
            strategy: Lightning's strategy, which knows the other processes.
        """
        sums = {name: strategy.reduce(value, reduce_op="sum").cpu() for name, value in self._sums.items()}
        self._sums = {}
        return sums
