"""Compiling the inner loops of the CPU backend."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

from axonet.core.files import sha256_bytes

Function = TypeVar("Function", bound=Callable[..., object])

KERNEL_FILES = ("rendering/*.py", "datasets/deflate*.py")
"""Of the package: files whose kernels call those of another file."""


def kernel(function: Function) -> Function:
    """Compile a function of numbers and arrays with numba, once per machine, to run without the GIL.

    Without ``fastmath``: sums keep their order, so a picture is the same bytes on every run. Division by zero gives
    infinity as in numpy.
    """
    compiler = importlib.import_module("numba")
    config, folder = compiler.config, cache_folder(compiler.config.CACHE_DIR)
    # The cache of numba looks at a function's own file only, but kernels call kernels of other files: a folder per
    # state of the sources keeps stale code out. The setting is read when a function is decorated.
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder or "")
    try:
        compiled = compiler.njit(cache=folder is not None, nogil=True, error_model="numpy")(function)
    finally:
        config.CACHE_DIR = before
    return cast(Function, compiled)


@cache
def cache_folder(chosen: str) -> Path | None:
    """Where compiled kernels are kept: where the user chose, beside the sources, or in the user's cache folder.

    Args:
        chosen: ``NUMBA_CACHE_DIR``, or nothing.

    Returns:
        A folder that belongs to the present sources; ``None`` if nothing can be written anywhere.
    """
    sources = Path(__file__).parent
    files = sorted(path for pattern in KERNEL_FILES for path in sources.parent.glob(pattern))
    digest = sha256_bytes(b"".join(path.read_bytes() for path in files))[:12]
    candidates = [Path(chosen)] if chosen else [sources / "__pycache__", Path("~/.cache/axonet").expanduser()]
    for candidate in candidates:
        folder = candidate / f"kernels-{digest}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return None
