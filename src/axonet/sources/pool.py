"""The same function on many inputs, by threads, with results as they come and never many inputs taken ahead."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_SECONDS_TO_END = 2.0


def map_unordered(
    function: Callable[[T], R], items: Iterable[T], jobs: int, stop: Callable[[], None] | None = None, ahead: int = 1
) -> Iterator[R]:
    """Apply a function to every item.

    The threads are daemons: when the caller stops early, by an error or Ctrl-C, nothing waits for an answer that may
    take a minute.

    Args:
        function: called by several threads at a time; an exception of it is raised here.
        items: its inputs, taken as they are needed, by the caller's thread alone.
        jobs: number of threads.
        stop: called when the rest is not wanted any more; makes ``function`` return soon.
        ahead: inputs that wait, or results that were not fetched yet, per thread.
    """
    inputs: queue.SimpleQueue[tuple[T] | None] = queue.SimpleQueue()
    outputs: queue.SimpleQueue[tuple[R] | BaseException] = queue.SimpleQueue()

    def work() -> None:
        while (item := inputs.get()) is not None:
            try:
                outputs.put((function(item[0]),))
            except BaseException as error:  # handed over to the caller's thread
                outputs.put(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    source = iter(items)
    pending = 0
    is_empty = False
    try:
        while True:
            while not is_empty and pending < (1 + ahead) * jobs:
                try:
                    inputs.put((next(source),))
                    pending += 1
                except StopIteration:
                    is_empty = True
            if not pending:
                return
            outcome = outputs.get()
            pending -= 1
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome[0]
    finally:
        if pending and stop is not None:
            stop()
        _end(threads, inputs)


def _end(threads: list[threading.Thread], inputs: queue.SimpleQueue[tuple[T] | None]) -> None:
    while not inputs.empty():  # what was not begun is dropped
        try:
            inputs.get_nowait()
        except queue.Empty:
            break
    for _ in threads:
        inputs.put(None)
    for thread in threads:
        thread.join(_SECONDS_TO_END / len(threads))
