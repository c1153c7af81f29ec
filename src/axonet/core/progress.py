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
    if on_terminal():
        yield from _bar(items, description, total)
    else:
        yield from _lines(items, description, total)


def on_terminal() -> bool:
    """Whether a bar can be shown: on a terminal, unless NO_PROGRESS is set."""
    return sys.stderr.isatty() and "NO_PROGRESS" not in os.environ


def duration(seconds: float) -> str:
    """A time span as people say it: ``12.3 s``, ``4 min 10 s``, ``3 h 20 min``, ``2 d 4 h``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for large, small, size, part in (("min", "s", 60, 1), ("h", "min", 3600, 60), ("d", "h", 86400, 3600)):
        number, rest = divmod(whole, size)
        if whole < size * (24 if large == "h" else 60) or large == "d":
            return f"{number} {large} {rest // part} {small}" if rest // part else f"{number} {large}"
    raise AssertionError("a day holds every longer span")


def how_many(number: int, singular: str, plural: str | None = None) -> str:
    """A count with its noun, in figures: ``1 batch``, ``1,234 batches``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


class Bar:
    """A bar on a terminal for work that is not a loop over items; lines said meanwhile appear above it."""

    def __init__(self, description: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task(description, total=total, text="")
        self._progress.start()

    def show(self, done: int, text: str | None = None) -> None:
        """Move the bar; the text behind it stays when None is given."""
        self._progress.update(self._task, completed=done)
        if text is not None:
            self._progress.update(self._task, text=text)

    def close(self) -> None:
        """Take the bar away."""
        self._progress.stop()


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
