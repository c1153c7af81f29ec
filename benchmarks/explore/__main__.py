"""The goals of the explorer, measured: ``python -m benchmarks.explore --work /tmp/explore``.

Server: started as a command, until it answers; then searches over HTTP, and what it holds in memory. Page: ready, heap,
another color, a filter, in headless Chromium (with software rendering where there is no GPU). Wall time, so on a busy
machine it is an upper bound; the processor time of server and browser is told as well.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from benchmarks.explore.made_up import write_folder

from axonet.explore.neighbors import nearest
from tests.e2e.browser import browser, why_not

PORT = 18765
GOALS = {
    "server_ready_s": 4.0,
    "similar_median_ms": 150.0,
    "page_heap_mb": 200.0,
    "recolor_s": 0.5,
    "filter_s": 0.3,
}


def cpu_seconds(pid: int) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_server(folder: Path, found: dict[str, Any], visit_page: bool) -> None:
    started = time.monotonic()
    command = [sys.executable, "-m", "axonet.cli", "explore", str(folder), "--no-browser", "--port", str(PORT)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=60) as client:
            while True:
                try:
                    client.get("/").raise_for_status()
                    break
                except httpx.TransportError:
                    time.sleep(0.02)
            found["server_ready_s"] = time.monotonic() - started
            found["server_ready_cpu_s"] = cpu_seconds(server.pid)
            before = time.monotonic()
            client.get("/api/similar/0?k=24").raise_for_status()
            found["similar_first_ms"] = 1000 * (time.monotonic() - before)
            times, cpu = [], cpu_seconds(server.pid)
            for row in (number * 997 % int(found["n"]) for number in range(1, 31)):
                before = time.monotonic()
                client.get(f"/api/similar/{row}?k=24").raise_for_status()
                times.append(1000 * (time.monotonic() - before))
            found["similar_median_ms"] = float(np.median(times))
            found["similar_worst_ms"] = max(times)
            found["similar_cpu_ms"] = 1000 * (cpu_seconds(server.pid) - cpu) / len(times)
        status = Path(f"/proc/{server.pid}/status").read_text()
        found["server_resident_mb"] = int(status.partition("VmRSS:")[2].split()[0]) / 1000
        if visit_page:
            measure_page(f"http://127.0.0.1:{PORT}/", found)
    finally:
        server.terminate()
        server.wait()


def browser_cpu_seconds() -> float:
    """Processor time of everything below this process that draws or runs pages."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, parent = int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(pid)
    todo, total = [os.getpid()], 0.0
    while todo:
        for pid in parents.get(todo.pop(), []):
            todo.append(pid)
            try:
                total += cpu_seconds(pid) if "chrom" in Path(f"/proc/{pid}/comm").read_text() else 0.0
            except OSError:
                continue
    return total


def timed(page: Any, script: str) -> tuple[float, float]:
    """Processor time of the browser during a script, and what the script says about wall time."""
    before = browser_cpu_seconds()
    wall = float(page.evaluate(script))
    return browser_cpu_seconds() - before, wall


def measure_page(address: str, found: dict[str, Any]) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, browser(playwright) as chromium:
        page = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce").new_page()
        page.set_default_timeout(120_000)
        before = time.monotonic()
        page.goto(address)
        page.wait_for_selector("body[data-ready=true]")
        found["page_ready_s"] = time.monotonic() - before
        found["page_ready_cpu_s"] = browser_cpu_seconds()
        session = page.context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        found["page_heap_mb"] = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
        found["page_buffers_mb"] = session.send("Runtime.getHeapUsage").get("backingStorageSize", 0) / 1e6
        found["recolor_cpu_s"], found["recolor_s"] = timed(
            page,
            """async () => {
            const start = performance.now(), select = document.querySelector("#color");
            select.value = "region";
            select.dispatchEvent(new Event("change"));
            while (document.body.dataset.color !== "region") await new Promise(requestAnimationFrame);
            return (performance.now() - start) / 1000;
        }""",
        )
        found["filter_cpu_s"], found["filter_s"] = timed(
            page,
            """async () => {
            const start = performance.now(), before = document.body.dataset.shown;
            document.querySelectorAll("#legend .entry")[0].click();
            while (document.body.dataset.shown === before) await new Promise(requestAnimationFrame);
            return (performance.now() - start) / 1000;
        }""",
        )
        found["find_by_name_cpu_s"], found["find_by_name_s"] = timed(
            page,
            """async () => {
            const start = performance.now();
            document.querySelector("#query").value = "cell-000007";
            document.querySelector("#search").requestSubmit();
            while (!document.body.dataset.results) await new Promise((done) => setTimeout(done, 5));
            return (performance.now() - start) / 1000;
        }""",
        )


def measure_static(file: Path, found: dict[str, Any]) -> None:
    """A page as a file: its size, and until it is ready."""
    from playwright.sync_api import sync_playwright

    found["static_mb"] = file.stat().st_size / 1e6
    with sync_playwright() as playwright, browser(playwright) as chromium:
        times = []
        for _ in range(3):
            page = chromium.new_context(reduced_motion="reduce").new_page()
            before = time.monotonic()
            page.goto(file.as_uri())
            page.wait_for_selector("body[data-ready=true]")
            times.append(time.monotonic() - before)
            page.context.close()
        found["static_ready_s"] = min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=300_000, help="neurons")
    parser.add_argument("--dim", type=int, default=512, help="length of their vectors")
    parser.add_argument("--work", type=Path, required=True, help="folder for the made-up export; it is kept")
    parser.add_argument(
        "--static", type=Path, help="also a page that axonet explore --static wrote, such as the demo's"
    )
    arguments = parser.parse_args()
    folder = arguments.work / f"results-{arguments.n}-{arguments.dim}" / "explore"
    if not (folder / "meta.json").exists():
        write_folder(folder, arguments.n, arguments.dim)
    found: dict[str, Any] = {"n": arguments.n, "dim": arguments.dim}
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    nearest(vectors, vectors[0], 24)
    before = time.process_time()
    for row in range(5):
        nearest(vectors, vectors[row], 24)
    found["numpy_search_cpu_ms"] = 1000 * (time.process_time() - before) / 5
    reason = why_not()
    measure_server(folder, found, visit_page=reason is None)
    if arguments.static and reason is None:
        measure_static(arguments.static, found)
    rounded = {name: round(value, 3) if isinstance(value, float) else value for name, value in found.items()}
    goals = {name: {"goal": goal, "met": found[name] <= goal} for name, goal in GOALS.items() if name in found}
    print(json.dumps({**rounded, "no_browser": reason, "load": os.getloadavg()[0], "goals": goals}, indent=1))


if __name__ == "__main__":
    main()
