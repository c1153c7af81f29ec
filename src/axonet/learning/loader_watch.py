"""Measures how long training waits for its images, and says so when that is what makes it slow."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from axonet.core.progress import warn

SHARE = 0.3
MEASURED_AT_LEAST = 20.0  # seconds
BATCHES_AT_LEAST = 30


class LoaderWatch(Callback):
    """Compares the time between two batches with the whole of it; warns once.

    The first batch of an epoch is left out: reading processes have to start there. On a GPU steps run while the next
    batch is fetched, so a wait that can be measured is one that the GPU feels too.

    Args:
        num_workers: reading processes.
        clock: seconds that only rise.
    """

    def __init__(self, num_workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.num_workers = num_workers
        self._clock = clock
        self._ended: float | None = None
        self._waited = self._measured = 0.0
        self._batches = 0
        self._warned = False

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget the former epoch's last batch, after which validation came."""
        self._ended = None

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        """The batch is here."""
        if self._ended is not None:
            self._waited += self._clock() - self._ended

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """The step is done, or on its way."""
        now = self._clock()
        if self._ended is not None:
            self._measured += now - self._ended
            self._batches += 1
        self._ended = now
        enough = self._measured >= MEASURED_AT_LEAST and self._batches >= BATCHES_AT_LEAST
        if enough and not self._warned and self._waited > SHARE * self._measured and trainer.is_global_zero:
            self._warned = True
            warn(
                f"training waits for images during {self._waited / self._measured:.0%} of its time: raise "
                f"--num-workers (now {self.num_workers}) if there are idle cores; packed shards, and views rendered "
                "at the size that --width asks for, are read faster"
            )
