"""Errors of the disk in one line: full, write-protected, gone. What is finished is kept, whichever it is."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axonet.core.errors import UserError

_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: OSError | sqlite3.Error) -> bool:
    """Whether an error says that there is no space left."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return "disk is full" in str(error)


def full_line(place: Path) -> str:
    """What to say when the disk is full."""
    return f"{place}: the disk is full; free some space and run the same command again: what is finished is kept"


def write_trouble(error: OSError, place: Path) -> UserError:
    """The error for the user behind one of the system.

    Args:
        error: what the system says.
        place: the file or folder.
    """
    if is_full(error):
        return UserError(full_line(place))
    return UserError(f"{error.filename or place}: cannot be written or read ({error.strerror or error})")


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn errors of the disk, wherever they come from, into one line.

    Raises:
        UserError: in their place.
    """
    try:
        yield
    except BrokenPipeError:  # of a terminal, not of a disk
        raise
    except OSError as error:
        raise write_trouble(error, folder) from error
