"""The outputs of a workflow run that are the same bytes after any history."""

from __future__ import annotations

from pathlib import Path


def reproducible(folder: Path) -> dict[str, bytes]:
    """Files under ``results/`` by path, but for what tells of the run itself: logs, events, times, ``run.json``."""
    results = folder / "results"
    return {
        path.relative_to(results).as_posix(): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file() and not _tells_of_the_run(path.relative_to(results))
    }


def _tells_of_the_run(path: Path) -> bool:
    in_logs = path.parts[0] in ("logs", "benchmarks") or (path.parts[0] == "runs" and "logs" in path.parts)
    # The test neurons keep count of who looked at them, and when.
    return in_logs or path.name in ("run.json", "test_touches.jsonl")
