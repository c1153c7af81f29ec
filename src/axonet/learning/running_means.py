"""Means over the batches of a training epoch that a stop within the epoch does not cut short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor


class RunningMeans:
    """Weighted sums of an epoch's values, kept on the device; nothing waits for it."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.sums: Tensor | None = None

    def add(self, values: Mapping[str, Tensor], weight: float) -> None:
        """Add a batch.

        Args:
            values: scalars by name, the same names in every batch.
            weight: e.g. the number of its views.
        """
        self.names = tuple(values)
        batch = torch.stack([value.detach().float() for value in values.values()])
        batch = torch.cat([batch, batch.new_ones(1)]) * weight  # (names + 1,)
        self.sums = batch if self.sums is None else self.sums.to(batch.device) + batch

    def level(self, strategy: Any) -> None:
        """Give every process the mean of all their sums, so that each of them can stand for all in a checkpoint."""
        if self.sums is not None:
            self.sums = strategy.reduce(self.sums, reduce_op="mean")

    def take(self, strategy: Any) -> dict[str, Tensor]:
        """The means over all batches of all processes, none if there were no batches; starts anew.

        Args:
            strategy: Lightning's strategy, which knows the other processes.
        """
        if self.sums is None:
            return {}
        total = strategy.reduce(self.sums, reduce_op="sum")
        self.sums = None
        return dict(zip(self.names, (total[:-1] / total[-1]).unbind(), strict=True))


class EpochMeans(Callback):
    """Logs means at the end of an epoch, and carries the sums so far in the checkpoint.

    Lightning's own means are not saved: those of a resumed epoch would be of its rest.
    """

    def __init__(self, means: RunningMeans) -> None:
        self.means = means

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log; a resumed run that ends an epoch once more has nothing to tell."""
        if values := self.means.take(trainer.strategy):
            pl_module.log_dict(values, on_step=False, on_epoch=True)

    def state_dict(self) -> dict[str, Any]:
        """The sums so far: those of the process that writes them stand for all."""
        sums = self.means.sums
        return {"names": list(self.means.names), "sums": None if sums is None else sums.clone()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the sums of the run that is resumed."""
        self.means.names, self.means.sums = tuple(state_dict["names"]), state_dict["sums"]
