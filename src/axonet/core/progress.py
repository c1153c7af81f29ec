"""What a long step says while it works: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 10.0


def say(text: str) -> None:
    """Print one line for the reader of a terminal or a log."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is the one place that prints


def warn(text: str) -> None:
    """Print one line about something that the user should know, though the run goes on."""
    say(f"warning: {text}")


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yield the items while showing how far the work is.

    On a terminal this is a bar with the time that is left; elsewhere a line at most every ten seconds, and a last one.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    if sys.stderr.isatty() and "NO_PROGRESS" not in os.environ:
        yield from _bar(items, description, total)
    else:
        yield from _lines(items, description, total)


def _bar(items: Iterable[T], description: str, total: int | None) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield from progress.track(items, total=total, description=description)


def _lines(items: Iterable[T], description: str, total: int | None) -> Iterator[T]:
    started = last = time.monotonic()
    done = 0
    of = "" if total is None else f" of {total:,}"
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES and done != total:
            last = now
            say(f"{description}: {done:,}{of} ({done / (now - started):.3g} per second)")
    say(f"{description}: {done:,}{of} done in {time.monotonic() - started:.1f} s")
