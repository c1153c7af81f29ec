"""Every step of the workflow on a disk that is full: one line, nothing cut, and the same results once there is room."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.outputs import reproducible
from tests.integration.project import Project

pytestmark = pytest.mark.workflow

PAGE = 4096  # bytes; what a file takes of a tmpfs is a multiple of it
STEPS = (
    *("acquire", "measure", "render", "quality", "split", "stage1", "encode_stage1", "stage2", "evaluate"),
    *("export", "explore"),
)


class Disk:
    """A small file system of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def leave(self, n_bytes: int) -> None:
        """Fill it until so many bytes are free."""
        free = shutil.disk_usage(self.folder).free
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - n_bytes // PAGE * PAGE)

    def make_room(self) -> None:
        """Take the filling away."""
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def commands(finished: Project) -> dict[str, tuple[list[str], list[str]]]:
    """Each rule's command and outputs, as Snakemake calls it (of the first shard, where there are several)."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for row in finished.say("--detailed-summary").splitlines():
        cells = row.split("\t")
        if len(cells) == 8 and cells[2] in STEPS:
            arguments = shlex.split(cells[5].partition(" > ")[0])[2:]
            known, outputs = found.setdefault(cells[2], (arguments, []))
            if known == arguments:
                outputs.append(cells[0])
    return found


class Steps:
    """The steps of a finished project, one of which is undone in a copy and done again."""

    def __init__(self, finished: Project, commands: dict[str, tuple[list[str], list[str]]], folder: Path) -> None:
        self.finished, self.commands, self._folder = finished, commands, folder
        self._expected: dict[str, dict[str, bytes]] = {}

    def undone(self, step: str, folder: Path) -> tuple[Project, int]:
        """A copy of the project without what the step made, and how many bytes that was."""
        project = self.finished.copy_to(folder)
        outputs = [project.folder / output for output in self.commands[step][1]]
        size = sum(output.stat().st_size for output in outputs)
        for output in outputs:
            output.unlink()
        if step.startswith("stage"):  # what it goes on from, too
            shutil.rmtree(outputs[0].parent)
        return project, size

    def run(self, step: str) -> int:
        """Do the step in the working directory."""
        module, *arguments = self.commands[step][0]
        code: int = importlib.import_module(module).main(arguments)
        return code

    def expected(self, step: str) -> dict[str, bytes]:
        """What there is after the step when nothing disturbs it.

        Training depends on the number of threads, which Snakemake sets and this process does not: it is done here, too.
        """
        if not step.startswith("stage"):
            return reproducible(self.finished.folder)
        if step not in self._expected:
            project, _ = self.undone(step, self._folder / step)
            with contextlib.chdir(project.folder):
                assert self.run(step) == 0
            self._expected[step] = reproducible(project.folder)
        return self._expected[step]


@pytest.fixture(scope="module")
def steps(finished, commands, tmp_path_factory) -> Steps:
    return Steps(finished, commands, tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize("share", [0.0, 0.6])
@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk_is_one_line_and_the_step_goes_on_when_there_is_room(step, share, disk, steps, monkeypatch, capsys):
    expected = steps.expected(step)
    project, size = steps.undone(step, disk.folder / "project")
    before = set(reproducible(project.folder))
    monkeypatch.chdir(project.folder)
    capsys.readouterr()

    disk.leave(int(share * size))
    others = set(multiprocessing.active_children())  # of tests before this one, as loaders that nobody has closed
    assert steps.run(step) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("error: results/")
    assert said[-1].endswith(": No space left on device; make room, then run again")
    assert not any("Traceback" in line for line in said)
    assert not set(multiprocessing.active_children()) - others
    # A journal (.unfinished) is what the next run goes on from.
    left = {name: data for name, data in reproducible(project.folder).items() if not name.endswith(".unfinished")}
    assert [name for name in set(left) - before if left[name] != expected.get(name)] == []

    disk.make_room()
    assert steps.run(step) == 0
    found = reproducible(project.folder)
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
