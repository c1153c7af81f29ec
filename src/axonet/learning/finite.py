"""A loss that is no longer a number stops a run with a line that names the images, without slowing down the steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor

from axonet.core.errors import UserError

NAMED = 4


class NotFiniteError(UserError):
    """The loss of a batch is not a number: the weights may be lost, so they are not saved."""


class LossWatch:
    """Looks at every loss once it has arrived from the device, which is not waited for.

    On a CPU that is at once, before the weights change; on a GPU a few steps later.

    Attributes:
        name_row: how a row of the data is called, e.g. its neuron and view.
    """

    def __init__(self) -> None:
        self.name_row: Callable[[int], str] = lambda row: f"row {row}"
        self._pending: deque[tuple[_HostCopy, str]] = deque()

    def look(self, loss: Tensor, sound: Tensor, rows: Tensor, place: str) -> None:
        """Take note of a batch, and judge those that have arrived.

        Args:
            loss: scalar.
            sound: ``(b,)`` bool: nothing of this image is infinite or not a number.
            rows: ``(b,)`` int64.
            place: where in the run this is.

        Raises:
            NotFiniteError: a loss is not a finite number.
        """
        packed = torch.cat([torch.isfinite(loss.detach()).reshape(1).long(), sound.long(), rows])
        self._pending.append((_HostCopy(packed), place))
        while self._pending and self._pending[0][0].has_arrived():
            self._judge(*self._pending.popleft())

    def finish(self) -> None:
        """Judge what is left, waiting for it."""
        while self._pending:
            self._judge(*self._pending.popleft())

    def _judge(self, copied: _HostCopy, place: str) -> None:
        finite, *values = copied.wait()
        if finite:
            return
        n_images = len(values) // 2
        sound, rows = values[:n_images], values[n_images:]
        unsound = [row for row, fine in zip(rows, sound, strict=True) if not fine]
        if unsound and len(unsound) < n_images:
            raise NotFiniteError(
                f"the loss is not a number in {place}, because of {self._names(unsound)}: look at what the manifest "
                "tells of them and at their images, and leave them out if they are broken"
            )
        raise NotFiniteError(
            f"training diverged in {place}: the loss of this batch is not a number ({self._names(rows)}); lower --lr, "
            "set --gradient-clip-val 1 or add --lr-warmup-steps"
        )

    def _names(self, rows: list[int]) -> str:
        named = "; ".join(self.name_row(row) for row in rows[:NAMED])
        return named + (f" and {len(rows) - NAMED} more images" if len(rows) > NAMED else "")


class _HostCopy:
    """Integers on their way to the host."""

    def __init__(self, values: Tensor) -> None:
        self._event: torch.cuda.Event | None = None
        self._values = values
        if values.device.type == "cuda":
            self._values = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
            self._values.copy_(values, non_blocking=True)
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record()

    def has_arrived(self) -> bool:
        return self._event is None or bool(self._event.query())  # type: ignore[no-untyped-call]

    def wait(self) -> list[int]:
        if self._event is not None:
            self._event.synchronize()
        return [int(value) for value in self._values.tolist()]
