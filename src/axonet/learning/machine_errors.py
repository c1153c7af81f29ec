"""What the machine cannot do becomes one line that says which setting to change."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from axonet.core.errors import UserError
from axonet.core.files import FULL_DISK, naming_full_disk

_NO_MEMORY = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
_WORKER_DIED = ("DataLoader worker", "shared memory")


@contextmanager
def plain_machine_errors(memory_advice: str) -> Iterator[None]:
    """Turn running out of memory, dead reading processes and a missing compiler into a :class:`UserError`.

    Args:
        memory_advice: what was asked for, and which settings to lower.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise UserError(f"out of memory: {memory_advice}") from error
    except RuntimeError as error:
        if explanation := _explanation(error, memory_advice):
            raise UserError(explanation) from error
        raise


@contextmanager
def full_disk_told_once(log_dir: Path) -> Iterator[None]:
    """Let a disk that is full be one error, with a name.

    TensorBoard writes in a thread. An error there ends the training, too, and need not be shown by the thread itself.

    Args:
        log_dir: folder of the logs, which the error of their writer does not name.
    """
    former = threading.excepthook

    def show(arguments: threading.ExceptHookArgs) -> None:
        error = arguments.exc_value
        if not (isinstance(error, OSError) and error.errno in FULL_DISK):
            former(arguments)

    threading.excepthook = show
    try:
        with naming_full_disk(log_dir):
            yield
    finally:
        threading.excepthook = former


def _explanation(error: RuntimeError, memory_advice: str) -> str | None:
    text = str(error)
    if any(words in text for words in _NO_MEMORY):
        return f"out of memory: {memory_advice}"
    if all(words in text for words in _WORKER_DIED) or ("DataLoader worker" in text and "signal" in text):
        return f"a process that reads views was killed, probably for want of memory: lower --num-workers ({text})"
    if type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
        first = text.strip().splitlines()[0]
        return f"--compile: this machine cannot compile the network; leave it out, or install a C++ compiler ({first})"
    return None
