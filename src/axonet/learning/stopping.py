"""Signals take effect between two steps, in all processes alike."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch import Tensor

from axonet.core.progress import say
from axonet.learning.processes import is_first_process

_HEARD = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class StopBetweenSteps(Callback):
    """Lets Ctrl-C and a scheduler's signals take effect between two steps, where a run can be taken up without loss.

    SIGTERM comes with a preemption or a cancelled job, SIGUSR1 by convention some time before a job's time is over
    (``sbatch --signal=USR1@120``). A second Ctrl-C takes effect at once. It is enough that one of several processes
    hears a signal: before every step they ask each other, and stop one step later together.

    Attributes:
        asked: the signal that was heard.
    """

    def __init__(self) -> None:
        self.asked: signal.Signals | None = None
        self._council: _Council | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Leave the handling of signals as it was before the block."""
        # Other threads get no signals.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = [signal.getsignal(number) for number in _HEARD]
        signal.signal(signal.SIGINT, self._hear)
        signal.signal(signal.SIGUSR1, self._hear)
        try:
            yield
        finally:
            for number, handler in zip(_HEARD, former, strict=True):
                signal.signal(number, handler)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take over from Lightning, which would stop within a step of several batches.

        Of several processes it lets the first decide, by a message that is sent while the signal is handled, whatever
        other messages are on their way, and by one before every batch that waits for the device.
        """
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._hear)
        if trainer.world_size > 1:
            self._council = _Council()
            trainer.fit_loop.epoch_loop._broadcast_sigterm_tensor = _say_nothing  # type: ignore[method-assign]

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Stop before the next step."""
        if batch_idx % trainer.accumulate_grad_batches:
            return
        if self._council is not None:
            number = self._council.highest_asked_before(int(self.asked or 0))
            if number == 0:
                return
            self.asked = signal.Signals(number)
        if self.asked is None:
            return
        if self.asked is signal.SIGINT:
            raise KeyboardInterrupt
        raise SIGTERMException

    def _hear(self, number: int, _: Any) -> None:
        if number == signal.SIGINT and self.asked is not None:
            raise KeyboardInterrupt
        self.asked = signal.Signals(number)
        if not is_first_process():
            return
        if number == signal.SIGINT:
            say("stopping after this batch or validation; interrupt again to stop at once")
        else:
            say(f"{self.asked.name}: stopping after this batch or validation")


class _Council:
    """Several processes agree on a signal without waiting for each other or for a device."""

    def __init__(self) -> None:
        self._group = dist.new_group(backend="gloo")
        self._asked: tuple[Tensor, Any] | None = None

    def highest_asked_before(self, number: int) -> int:
        """Put a number to the others; what the highest of all was when this was last done, 0 at first."""
        former = self._asked
        mine = torch.tensor([number])
        self._asked = mine, dist.all_reduce(mine, dist.ReduceOp.MAX, group=self._group, async_op=True)
        if former is None:
            return 0
        value, arrives = former
        arrives.wait()
        return int(value)


def _say_nothing() -> None:
    """In the place of a message that nobody waits for."""
