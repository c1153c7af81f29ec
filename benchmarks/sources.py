"""Speed, memory and politeness of the downloads, against the replica on loopback.

    python -m benchmarks.sources [--neurons 20000] [--jobs 8]

Prints one JSON object: files per second from the first listed page to the end of the command, peak memory of the
client at two sizes of the collection, requests, and what the server saw of the limits. The server runs on the same
cores as the client.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.fakes.neuromorpho import NeuroMorpho
from tests.fakes.server import Replica


def run_client(url: str, out: Path, *flags: str) -> tuple[float, float]:
    """Run the bulk download in a process of its own; returns its seconds and its peak memory in MiB."""
    command = [sys.executable, "-m", "axonet.utils.neuromorpho_bulk", "--query", "species:mouse", "--out", str(out)]
    environment = {**os.environ, "AXONET_NEUROMORPHO_URL": url}
    started = time.perf_counter()
    process = subprocess.Popen([*command, *flags], env=environment, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the download failed: {status}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def serve(port_file: Path, log_file: Path, neurons: int) -> None:
    """Serve in this process until standard input closes, then write what was seen."""
    with Replica(NeuroMorpho.large(neurons)) as replica:
        port_file.write_text(replica.url, encoding="utf-8")
        sys.stdin.read()
        seen = {
            "requests": len(replica.log),
            "files": len(replica.paths("/dableFiles/")),
            "morphometry": len(replica.paths("/morphometry/")),
            "pages": len(replica.paths("/neuron/select")),
            "most_in_flight": replica.most_in_flight(),
            "busiest_second": replica.busiest_second(),
        }
    log_file.write_text(json.dumps(seen), encoding="utf-8")


def measure(folder: Path, neurons: int, *flags: str) -> dict[str, Any]:
    """One download against a fresh server."""
    url_file, log_file, out = folder / "url", folder / "log.json", folder / "out"
    url_file.unlink(missing_ok=True)
    arguments = ["--serve", str(url_file), str(log_file), "--neurons", str(neurons)]
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.sources", *arguments], stdin=subprocess.PIPE)
    while not (url_file.exists() and url_file.read_text(encoding="utf-8")):
        time.sleep(0.05)
    seconds, mib = run_client(url_file.read_text(encoding="utf-8"), out, *flags)
    server.communicate()
    written = sum(1 for _ in (out / "swc").iterdir())
    shutil.rmtree(out)
    seen = json.loads(log_file.read_text(encoding="utf-8"))
    result = {"neurons": neurons, "written": written, "seconds": round(seconds, 1), "peak_mib": round(mib, 1), **seen}
    return result | {"files_per_second": round(written / seconds, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--neurons", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--serve", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        serve(*arguments.serve, arguments.neurons)
        return
    jobs = ["--jobs", str(arguments.jobs)]
    with tempfile.TemporaryDirectory() as folder:
        full = [*jobs, "--rate", "0", "--fetch-morphometry"]
        report = {
            "small": measure(Path(folder), arguments.neurons // 10, *full),
            "large": measure(Path(folder), arguments.neurons, *full),
            "limited to 40 per second": measure(Path(folder), 200, *jobs, "--rate", "40"),
        }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
