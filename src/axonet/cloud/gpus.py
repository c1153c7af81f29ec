"""Type and number of GPUs at once, which the executor plugin cannot say."""

from __future__ import annotations

from typing import Any


def count_gpus() -> None:
    """Let a job have as many GPUs of its type as its resource ``gpu`` says.

    The plugin (0.5.1) reads ``nvidia_gpu`` either as a number of T4 or as a type of which there is one. The resource
    ``gpu`` is what the rules ask for everywhere else.
    """
    from snakemake_executor_plugin_googlebatch.executor import GoogleBatchExecutor

    plain = GoogleBatchExecutor.get_accelerators
    if getattr(plain, "counts_gpus", False):
        return

    def get_accelerators(self: Any, job: Any) -> list[Any]:
        wanted = int(job.resources.get("gpu") or 0)
        found: list[Any] = plain(self, job) if wanted else []
        for accelerator in found:
            accelerator.count = wanted
        return found

    get_accelerators.counts_gpus = True  # type: ignore[attr-defined]
    GoogleBatchExecutor.get_accelerators = get_accelerators
