"""What tests of the dataset command share: a small neuron, quick settings, and what a run left behind."""

from __future__ import annotations

from pathlib import Path

TREE = (
    "1 1 0 0 0 5 -1\n2 3 20 0 0 1 1\n3 3 40 {fork} 3 0.8 2\n4 3 40 -15 -4 0.8 2\n"
    "5 2 0 -30 2 0.5 1\n6 2 10 -90 -5 0.5 5\n7 4 -5 40 0 1.2 1\n8 4 -9 110 6 0.9 7\n"
)
SMALL = ["--width", "32", "--height", "24", "--supersample-factor", "1"]
SMALL += ["--canonical-views", "2", "--biased-views", "1", "--random-views", "1"]


def tree(folder: Path, times: str = "run.json") -> dict[str, bytes]:
    """Bytes of every file but those that tell times.

    Args:
        folder: with its sub-folders.
        times: pattern of the names that are left out.
    """
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.match(times))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
