"""How reading processes answer for bad input, and to signals that ask the run to stop."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from axonet.core.errors import UserError

_RAISED_AS = f"{UserError.__module__}.{UserError.__qualname__}: "


@contextmanager
def plain_worker_errors() -> Iterator[None]:
    """Raise a :class:`UserError` of a reading process as it was raised there.

    torch hands such an error over with the other process's traceback as its message, at whose end the message stands.
    """
    try:
        yield
    except UserError as error:
        _, raised, message = str(error).rpartition(_RAISED_AS)
        if not raised:
            raise
        raise UserError(message.strip()) from error


def leave_stopping_to_the_parent(worker: int) -> None:
    """Have a reading process go on when it is asked to stop: it ends with the process that it reads for.

    A scheduler sends its signals to all processes of a job. Without its readers, the training process would fail in the
    batch that it wants to finish before it saves and stops.
    """
    for number in (signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGUSR1", signal.SIGTERM)):
        signal.signal(number, signal.SIG_IGN)
