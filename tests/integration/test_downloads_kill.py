"""Killed at any moment and started again, a download ends with the same bytes and asks for nothing it has."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.fakes.allen import Allen
from tests.fakes.folders import stable_files, status
from tests.fakes.neuromorpho import NeuroMorpho
from tests.fakes.server import Replica

N = 60
JOBS = 4
COMMANDS = {
    "neuromorpho": [
        "axonet.utils.neuromorpho_bulk",
        "--query",
        "species:mouse",
        "--fetch-morphometry",
        "--page-size",
        "9",
    ],
    "allen": ["axonet.utils.allen_bulk", "--include-metadata"],
}


class Runner:
    """Starts the command against a replica, and kills it when the replica has seen so many requests."""

    def __init__(self, source: str, folder: Path) -> None:
        self.out = folder / "out"
        site = NeuroMorpho.made_up(N) if source == "neuromorpho" else Allen.made_up(N // 3, N // 3, N // 3)
        self.replica = Replica(site, latency=0.004, on_request=self._seen)
        cache = site.write_package(folder / "cache") if isinstance(site, Allen) else folder
        variables = ("AXONET_NEUROMORPHO_URL", "AXONET_ALLEN_URL", "AXONET_BIL_URL")
        self._environment = {**os.environ, **dict.fromkeys(variables, self.replica.url), "AXONET_CACHE": str(cache)}
        self._environment |= {"NO_PROXY": "*", "OMP_NUM_THREADS": "1"}
        self._command = [sys.executable, "-m", *COMMANDS[source], "--rate", "0", "--jobs", str(JOBS)]
        self._process: subprocess.Popen[str] | None = None
        self._deadline = 0
        self._delay = 0.0
        self._signal = signal.SIGKILL

    def _seen(self, number: int) -> None:
        if self._process is not None and number == self._deadline:
            # By a timer: the answer goes out, and the client may be anywhere when it is hit.
            threading.Timer(self._delay, self._process.send_signal, [self._signal]).start()

    def run(self, stop_after: int = 0, delay: float = 0.0, stop_by: signal.Signals = signal.SIGKILL) -> tuple[int, str]:
        """Run to the end, or to so many requests from now; returns the exit code and what was said."""
        self._deadline = len(self.replica.log) + stop_after if stop_after else 0
        self._delay, self._signal = delay, stop_by
        self._process = subprocess.Popen(
            [*self._command, "--out", str(self.out)],
            env=self._environment,
            stderr=subprocess.PIPE,
            text=True,
            # What a shell starts in the background ignores Ctrl-C, and hands that down.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        _, said = self._process.communicate(timeout=60)
        return self._process.returncode, said


@pytest.fixture(params=list(COMMANDS))
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runner]:
    one = Runner(request.param, tmp_path)
    with one.replica:
        yield one


def killed_and_finished(
    runner: Runner, tmp_path: Path, seed: int, kills: int, longest_run: int, longest_delay: float = 0.3
) -> None:
    """Kill so many runs; whenever one gets through to its end, compare, and begin with another folder.

    Args:
        runner: starts and kills.
        tmp_path: gets the folders.
        seed: of the moments.
        kills: in all.
        longest_run: requests before a kill, at most.
        longest_delay: seconds from the last of them to the kill, at most.
    """
    runner.out = tmp_path / "undisturbed"
    assert runner.run()[0] == 0
    expected = stable_files(runner.out)
    draw = random.Random(seed)
    in_all = in_this_folder = n_folders = 0
    is_new = True
    for _ in range(4 * kills + 4):
        if is_new:  # never a folder that a run has finished: nothing would be left to kill
            n_folders, in_this_folder, is_new = n_folders + 1, 0, False
            runner.out = tmp_path / f"disturbed-{n_folders}"
            runner.replica.log.clear()
        is_last = in_all >= kills
        delay = draw.choice([0.0, draw.uniform(0, 0.05), draw.uniform(0, longest_delay)])
        code, said = runner.run(0 if is_last else draw.randint(1, longest_run), delay)
        if code == -signal.SIGKILL:
            in_all, in_this_folder = in_all + 1, in_this_folder + 1
            whole = (runner.out / "swc").glob("[!.]*") if (runner.out / "swc").exists() else ()
            assert all(path.read_bytes().endswith(b"\n") and path.suffix == ".swc" for path in whole)
            continue
        assert code == 0, said
        compare(runner, expected, in_this_folder)
        is_new = True
        if is_last:
            return
    pytest.fail(f"only {in_all} of {kills} runs were hit in time")


def compare(runner: Runner, expected: dict[str, bytes], kills: int) -> None:
    """The folder has what an undisturbed run has, and no finished file was asked for again."""
    assert stable_files(runner.out) == expected
    assert {row["ok"] for row in status(runner.out).values()} == {True}
    assert not list(runner.out.rglob("*.part*"))
    files = [path for part in ("/dableFiles/", "_download/", "/biccn/") for path in runner.replica.paths(part)]
    assert len(set(files)) == N
    assert len(files) <= N + kills * JOBS


def test_killed_ten_times_the_data_are_those_of_an_undisturbed_run(runner: Runner, tmp_path: Path) -> None:
    killed_and_finished(runner, tmp_path, seed=1, kills=10, longest_run=20, longest_delay=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 5))
def test_killed_at_many_moments_the_data_are_those_of_an_undisturbed_run(
    seed: int, runner: Runner, tmp_path: Path
) -> None:
    killed_and_finished(runner, tmp_path, seed=seed, kills=24, longest_run=12)


@pytest.mark.parametrize("runner", ["neuromorpho"], indirect=True)
def test_ctrl_c_leaves_a_state_that_goes_on_and_says_so(runner: Runner) -> None:
    code, said = runner.run(stop_after=30, stop_by=signal.SIGINT)
    assert code == 130
    lines = said.splitlines()
    assert "the same command goes on from there" in lines[-2]
    assert lines[-1] == "interrupted"
    rows = status(runner.out)
    assert len(rows) == N
    assert 5 < sum(row["ok"] for row in rows.values()) < N
    assert {row["reason"] for row in rows.values() if not row["ok"]} == {"not_tried"}
    before = len(runner.replica.log)
    assert runner.run()[0] == 0
    again = list(runner.replica.paths("/dableFiles/"))
    assert len(again) <= N + JOBS
    assert not [entry for entry in runner.replica.log[before:] if entry.path.endswith("/neuron/select")]
