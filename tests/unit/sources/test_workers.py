from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from axonet.core.errors import UserError
from axonet.sources.workers import map_ordered


def squared(number: int) -> int:
    return number * number


def die(number: int) -> int:
    if number == 3:
        os._exit(1)
    return number


def refuse(number: int) -> int:
    raise UserError(f"not {number}")


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_items(jobs: int) -> None:
    assert list(map_ordered(squared, range(20), jobs)) == [n * n for n in range(20)]


def test_a_dead_worker_is_one_clear_line() -> None:
    with pytest.raises(UserError, match="fewer jobs"):
        list(map_ordered(die, range(10), 2))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, time\n"
        "from axonet.sources.workers import map_ordered\n"
        "def tell(folder):\n"
        "    open(os.path.join(folder, str(os.getpid())), 'w').close()\n"
        "    time.sleep(0.2)\n"
        "if __name__ == '__main__':\n"
        f"    list(map_ordered(tell, [{str(tmp_path / 'pids')!r}] * 1000, 2))\n"
    )
    (tmp_path / "pids").mkdir()
    with subprocess.Popen([sys.executable, str(script)]) as parent:
        assert eventually(lambda: len(list((tmp_path / "pids").iterdir())) == 2)
        parent.kill()
    pids = [int(path.name) for path in (tmp_path / "pids").iterdir()]
    assert eventually(lambda: not any(is_running(pid) for pid in pids))


def eventually(holds: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def is_running(pid: int) -> bool:
    """Whether a process computes or waits; one that only awaits its burial does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_a_worker_reaches_the_caller(jobs: int) -> None:
    with pytest.raises(UserError, match="not 0"):
        list(map_ordered(refuse, range(4), jobs))
