"""How long the first result of ``axonet search`` takes in a process that starts from nothing.

    python benchmarks/explore/search_cold.py demo/results [SWC]

Prints wall and CPU seconds of each way to ask, three times each; on a busy machine the CPU seconds are what counts.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

REPEATS = 3


def main() -> int:
    results = Path(sys.argv[1])
    command = [sys.executable, "-m", "axonet.cli", "search", "--results", str(results), "-k", "8"]
    words = "a mouse Purkinje cell with a planar dendrite"
    asked = {"words": [words], "words, approximate": [words, "--approximate"]}
    if len(sys.argv) > 2:
        asked["swc"] = ["--swc", sys.argv[2]]
    for name, flags in asked.items():
        for _ in range(REPEATS):
            started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([*command, *flags], check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            print(f"{name}: {time.monotonic() - started:.1f} s, of CPU {cpu:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
