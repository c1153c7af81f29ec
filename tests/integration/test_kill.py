"""Killed at any moment and taken up again, the workflow ends with the bytes of an undisturbed run."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from tests.integration.outputs import reproducible
from tests.integration.project import Project

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def longer(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished project whose training can be met in its middle."""
    project = anew(finished, tmp_path_factory.mktemp("longer") / "project")
    project.configure(stage1={"max_steps": 40, "max_epochs": 8}, stage2={"max_steps": 40, "max_epochs": 8})
    project.run()
    return project


def anew(finished: Project, folder: Path) -> Project:
    """A project in which nothing ran yet. The sources keep their times, which the index of the neurons remembers."""
    shutil.copytree(finished.folder, folder, ignore=shutil.ignore_patterns("results", ".snakemake"))
    return Project(folder)


def killed(project: Project, jobs: int, delay: float) -> bool:
    """Run, and kill the whole process group so many finished jobs and seconds later; whether it was hit in time."""
    said = []
    with subprocess.Popen(
        project.command(), cwd=project.folder, env=project.environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as runner:  # fmt: skip
        timer = threading.Timer(delay, os.killpg, [runner.pid, signal.SIGKILL])
        for line in runner.stderr or ():
            said.append(line)
            if timer.ident is None and sum(one.startswith("Finished jobid") for one in said) >= jobs:
                timer.start()
        timer.cancel()
    assert runner.returncode in (0, -signal.SIGKILL), "".join(said)
    return runner.returncode != 0


def killed_and_resumed(finished: Project, folder: Path, seed: int, kills: int) -> None:
    """Kill so many runs; whenever one gets through to its end, compare, and begin with another folder."""
    expected = reproducible(finished.folder)
    draw = random.Random(seed)
    n = n_folders = 0
    while n < kills:
        n_folders += 1
        project = anew(finished, folder / f"disturbed-{n_folders}")
        while n < kills and killed(project, draw.randint(0, 4), draw.uniform(0, 5)):
            n += 1
            project.call("--unlock")
        project.run()
        found = reproducible(project.folder)
        assert sorted(found) == sorted(expected), f"after {n} kills"
        assert [name for name in expected if found[name] != expected[name]] == []
        assert project.plan() == {}


def test_killed_three_times_the_results_are_those_of_an_undisturbed_run(finished, tmp_path):
    killed_and_resumed(finished, tmp_path, seed=1, kills=3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_killed_ten_times_the_results_are_those_of_an_undisturbed_run(seed, longer, tmp_path):
    killed_and_resumed(longer, tmp_path, seed=seed, kills=10)
