"""Killed at any moment and started again, a run renders no finished neuron twice and ends with the same bytes."""

from __future__ import annotations

import gzip
import json
import os
import random
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.training.tiny_datasets import SMALL, TREE, tree

N = 14
FLAGS = [*SMALL, "--val-ratio", "0.3"]
LAYOUTS = {"png": ["--layout", "png"], "shards": ["--layout", "shards", "--shard-bits", "1"]}

# Runs the command, writes down who is rendered, and is killed some time after the n-th neuron was begun.
DRIVER = """
import os, signal, sys, threading
from axonet.datasets import build_shard, png_jobs
from axonet.training.dataset_generator import main

log, begun, delay = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
render, calls = png_jobs.render_entry, []

def noted(entry, settings):
    calls.append(entry.name)
    if len(calls) == begun:
        threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
    with open(log, "a") as file:
        file.write(entry.name + "\\n")
    return render(entry, settings)

png_jobs.render_entry = build_shard.render_entry = noted
sys.exit(main(sys.argv[4:]))
"""


class Runner:
    """Runs the command on a folder of neurons, with kills."""

    def __init__(self, folder: Path, layout: str) -> None:
        self.swc_dir, self.out, self.log = folder / "swc", folder / "data", folder / "rendered.txt"
        self.swc_dir.mkdir()
        for number in range(N):
            (self.swc_dir / f"neuron_{number:03d}.swc").write_text(TREE.format(fork=12 + 2 * number))
        (self.swc_dir / "page.swc").write_text("<html><body>not found</body></html>\n")
        self.layout = layout

    def run(self, begun: int, delay: float, out: Path | None = None) -> tuple[bool, list[str]]:
        """Run; returns whether it came to its end, and who was rendered."""
        self.log.unlink(missing_ok=True)
        command = [sys.executable, "-c", DRIVER, str(self.log), str(begun), str(delay)]
        command += ["--swc-dir", str(self.swc_dir), "--out", str(out or self.out), *FLAGS, *LAYOUTS[self.layout]]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert result.returncode in (0, -9), result.stderr
        return result.returncode == 0, self.log.read_text().split() if self.log.exists() else []

    def finished(self) -> set[str]:
        """Who is finished by what is on the disk: by notes of PNG files, by journals and shards of packed ones."""
        if self.layout == "png":
            notes = (self.out / ".finished").glob("[!.]*.json.gz")
            return {json.loads(gzip.decompress(note.read_bytes()))["measure"]["neuron_id"] for note in notes}
        return {name for file in (self.out / "shards").glob(".*.unfinished") for name in journaled(file)}


def journaled(file: Path) -> Iterator[str]:
    """Neurons of the whole records of a journal: length, CRC-32, length of the facts, facts, images."""
    data = file.read_bytes()
    position = data.find(b"\n") + 1
    while position + 20 <= len(data):
        length, _, n_facts = struct.unpack_from("<QIQ", data, position)
        if position + 12 + length > len(data):
            return
        yield json.loads(data[position + 20 : position + 20 + n_facts])["measure"]["neuron_id"]
        position += 12 + length


def kill_and_finish(runner: Runner, folder: Path, seed: int, kills: int) -> None:
    """Kill that many runs, start again whenever one comes to its end, and compare with a run that was let alone."""
    draw, everyone = random.Random(seed), {*(f"neuron_{number:03d}" for number in range(N)), "page"}
    ended, rendered = runner.run(-1, 0, folder / "whole")
    assert ended
    assert sorted(rendered) == sorted(everyone)
    whole = tree(folder / "whole")
    done, counts, rounds = 0, dict.fromkeys(everyone, 0), 0
    while True:
        before = runner.finished()
        last = done >= kills
        ended, rendered = runner.run(-1 if last else draw.choice([1, 2, 4, 7, N + 1]), draw.uniform(0, 0.05))
        assert not before & set(rendered), "a finished neuron was rendered again"
        assert len(rendered) == len(set(rendered))
        done += not ended
        for name in rendered:
            counts[name] += 1
        if ended:
            assert tree(runner.out) == whole
            # Of every killed run at most the neuron that was under way is rendered once more.
            assert sum(counts.values()) <= len(everyone) + done
            if last:
                return
            rounds += 1
            runner.out.rename(folder / f"round_{rounds}")
            counts = dict.fromkeys(everyone, 0)


@pytest.mark.skipif(os.name != "posix", reason="kills with SIGKILL")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, layout: str) -> None:
    kill_and_finish(Runner(tmp_path, layout), tmp_path, seed=1, kills=4)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills with SIGKILL")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_run_that_is_killed_many_times_goes_on_where_it_was(tmp_path: Path, layout: str, seed: int) -> None:
    kill_and_finish(Runner(tmp_path, layout), tmp_path, seed=100 + seed, kills=40)
