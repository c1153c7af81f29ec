"""Asking a cluster to run a job again that it is about to end."""

from __future__ import annotations

import os
import subprocess

from axonet.core.progress import say, warn


def requeue_job() -> None:
    """Ask SLURM to queue this job again, if this is one; a line says what came of it."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        return
    if (array := os.environ.get("SLURM_ARRAY_JOB_ID")) is not None:
        job = f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    try:
        done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        warn(f"job {job} could not be queued again ({error}); submit it again with --resume auto")
        return
    if done.returncode:
        warn(f"job {job} could not be queued again ({done.stderr.strip()}); submit it again with --resume auto")
    else:
        say(f"job {job} is queued again")
