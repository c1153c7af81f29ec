"""Several processes, one for each GPU: which of them speaks and writes."""

from __future__ import annotations

import os


def is_first_process() -> bool:
    """Whether this is the process that the user started; with several GPUs it starts the others."""
    return os.environ.get("LOCAL_RANK", "0") == "0"
