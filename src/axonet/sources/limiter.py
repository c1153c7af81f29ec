"""Politeness: never more requests per second, or in flight, than asked for, counted where it matters: at the server."""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopped(Exception):
    """The download was told to stop while a request waited for its turn."""


class Slot:
    """The right to send one request."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._is_out = True

    def answered(self) -> None:
        """Say that the first byte of the answer is there, so that the server has had the request by now."""
        if self._is_out:
            self._is_out = False
            self._limiter.give_back_token()


class Limiter:
    """Gives out slots for requests.

    A request that was sent in time may still arrive late, close to the next one. So a token is free again only a
    second after the answer to its last request began: the server had that request before. With as many tokens as
    requests per second, no second of the server's clock sees more requests than that.

    Args:
        rate: requests per second; 0 for no limit. Below 1, or with a fraction, the mean rate is kept as well.
        jobs: requests in flight at the same time.
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, rate: float, jobs: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._free_jobs = jobs
        self._limited = rate > 0
        tokens = math.ceil(rate)
        self._period = tokens / rate if self._limited else 0.0
        self._spacing = 1 / rate if self._limited else 0.0
        self._tokens = [0.0] * tokens  # heap of the times from which each is free
        self._next_send = 0.0
        self._paused_until = 0.0
        self._stopped = False

    def stop(self) -> None:
        """Give out no slot any more; whoever waits for one gets :class:`Stopped`."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def pause(self, seconds: float) -> None:
        """Give out no slot for a while: the server asked for it."""
        with self._condition:
            self._paused_until = max(self._paused_until, self._clock() + seconds)

    def sleep(self, seconds: float) -> None:
        """Wait outside of any slot.

        Raises:
            Stopped: told to stop.
        """
        end = self._clock() + seconds
        with self._condition:
            while not self._stopped and (left := end - self._clock()) > 0:
                self._condition.wait(left)
            if self._stopped:
                raise Stopped

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """Wait for the right to send a request; it is in flight until the block ends.

        Raises:
            Stopped: told to stop.
        """
        self._take()
        slot = Slot(self)
        try:
            yield slot
        finally:
            slot.answered()
            with self._condition:
                self._free_jobs += 1
                self._condition.notify_all()

    def give_back_token(self) -> None:
        """The server has had the request of a token by now."""
        if not self._limited:
            return
        with self._condition:
            heapq.heappush(self._tokens, self._clock() + self._period)
            self._condition.notify_all()

    def _take(self) -> None:
        with self._condition:
            while True:
                if self._stopped:
                    raise Stopped
                left = self._seconds_left()
                if left <= 0:
                    break
                self._condition.wait(None if left == math.inf else left)
            self._free_jobs -= 1
            if self._limited:
                heapq.heappop(self._tokens)
                self._next_send = self._clock() + self._spacing

    def _seconds_left(self) -> float:
        """Seconds until a slot may be free; infinite when only the end of another request can free one."""
        if self._free_jobs == 0 or (self._limited and not self._tokens):
            return math.inf
        earliest = max(self._paused_until, self._next_send, self._tokens[0] if self._limited else 0.0)
        return earliest - self._clock()
