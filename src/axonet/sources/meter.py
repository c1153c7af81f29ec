"""How far a download is: a bar with rate, time left and failures on a terminal, one line per tenth in a log."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from axonet.core.progress import say

_RECENT = 30.0  # seconds over which the rate is taken


class Meter:
    """Counts what is done.

    Args:
        total: how many there will be.
        description: what is counted.
        clock: seconds of a clock that never goes back.
        show: called after each count; does the drawing.
    """

    def __init__(
        self,
        total: int,
        description: str,
        clock: Callable[[], float] = time.monotonic,
        show: Callable[[Meter], None] | None = None,
    ) -> None:
        self.total = total
        self.description = description
        self.done = 0
        self.failed = 0
        self._clock = clock
        self._show = show
        self._marks: deque[tuple[float, int]] = deque([(clock(), 0)])

    def advance(self, *, failed: bool = False) -> None:
        """Count one more."""
        self.done += 1
        self.failed += failed
        now = self._clock()
        if now - self._marks[-1][0] >= 1.0:
            self._marks.append((now, self.done))
            while len(self._marks) > 2 and now - self._marks[0][0] > _RECENT:
                self._marks.popleft()
        if self._show is not None:
            self._show(self)

    @property
    def rate(self) -> float:
        """How many a second, lately."""
        since, before = self._marks[0]
        seconds = self._clock() - since
        return (self.done - before) / seconds if seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds that the rest takes at this rate; None while nothing is known."""
        return (self.total - self.done) / self.rate if self.rate > 0 else None

    def line(self) -> str:
        """One line that says how far it is."""
        share = 100 * self.done // max(1, self.total)
        parts = [f"{self.description}: {share} % ({self.done:,} of {self.total:,})", f"{self.rate:.3g} per second"]
        if self.done < self.total and self.seconds_left is not None:
            parts.append(f"{duration(self.seconds_left)} left")
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """A span of time in the two largest units: ``45 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@contextmanager
def meter(total: int, description: str) -> Iterator[Meter]:
    """A meter that shows itself: as a bar on a terminal, otherwise as one line per tenth."""
    if total and sys.stderr.isatty() and "NO_PROGRESS" not in os.environ:
        with _bar(total, description) as shown:
            yield shown
        say(shown.line())
    else:
        yield Meter(total, description, show=_Lines())


class _Lines:
    """Says a line whenever another tenth is done."""

    def __init__(self) -> None:
        self._tenth = 0

    def __call__(self, counted: Meter) -> None:
        tenth = 10 * counted.done // max(1, counted.total)
        if tenth > self._tenth:
            self._tenth = tenth
            say(counted.line())


@contextmanager
def _bar(total: int, description: str) -> Iterator[Meter]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.3g}/s"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failed]} failed"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=total, rate=0.0, failed=0)

        def show(counted: Meter) -> None:
            progress.update(task, completed=counted.done, rate=counted.rate, failed=counted.failed)

        yield Meter(total, description, show=show)
