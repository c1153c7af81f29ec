"""Trains, and kills the training at random moments, again and again; a program, so that children start at once.

python -m tests.unit.learning.kill_runs FOLDER SETTINGS(JSON) N_RUNS SEED
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from .stage1_runs import train


def attempt(folder: Path, changed: dict, seconds: float | None) -> bool:
    """Train in a child, for some seconds at most; whether it ended by itself."""
    child = os.fork()  # nothing was computed here, so there are no threads that the child would miss
    if child == 0:
        os.setsid()
        train(folder, resume="auto", **changed)
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0, "the training failed"
    return not os.WIFSIGNALED(status)


def main(folder: Path, changed: dict, n_runs: int, seed: int) -> None:
    """Train undisturbed in ``whole``, then in ``killed_0`` and on, each until it ends; prints the number of kills."""
    started = time.monotonic()
    attempt(folder / "whole", changed, None)
    whole = time.monotonic() - started
    moments, kills = random.Random(seed), 0
    for run in range(n_runs):
        while not attempt(folder / f"killed_{run}", changed, moments.uniform(0.05, 0.6) * whole):
            kills += 1
    print(kills)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
