"""The same function on many inputs, by processes, with results in the order of the inputs."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, TypeVar

from axonet.core.errors import UserError

T = TypeVar("T")
R = TypeVar("R")

_PENDING_PER_WORKER = 4


def _end_with_parent() -> None:
    """Wait for the parent's death, however it comes, and die as well: idle workers would stay for ever."""
    import multiprocessing
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _start_worker() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Each worker is one of several: libraries that start threads of their own would only get in each other's way.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def map_ordered(function: Callable[[T], R], items: Iterable[T], jobs: int) -> Iterator[R]:
    """Apply a function to every item; results come in the order of the items, whatever ``jobs`` is.

    Args:
        function: a module-level function; with several jobs it runs in freshly started processes.
        items: its inputs; taken as they are needed.
        jobs: number of processes; 1 runs here.

    Raises:
        UserError: a worker process died.
    """
    if isinstance(items, Sized):
        jobs = min(jobs, len(items))
    if jobs <= 1:
        yield from map(function, items)
        return
    import multiprocessing
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    context = multiprocessing.get_context("spawn")  # forking after threads or graphics contexts exist can hang
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker)
    pending: deque[Future[Any]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= jobs * _PENDING_PER_WORKER:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process died, most likely for lack of memory: run again with fewer jobs; what is finished is kept"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
