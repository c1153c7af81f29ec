"""Errors of bad input that arise in a reading process."""

from __future__ import annotations

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
