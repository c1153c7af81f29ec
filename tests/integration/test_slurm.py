"""The workflow on a real Slurm: a controller and two nodes on this machine (tests/slurm/cluster.py)."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from axonet.pipeline.slurm_check import Demand, problem
from tests.integration.corpus import write_corpus
from tests.integration.outputs import reproducible
from tests.integration.project import CONFIG, REPOSITORY, Project
from tests.slurm.cluster import Cluster, why_not

pytestmark = [pytest.mark.workflow, pytest.mark.skipif(why_not() is not None, reason=why_not() or "")]

# The profile as it is, but for its waiting times.
PROFILE = [
    *("--profile", str(REPOSITORY / "profiles" / "slurm"), "--latency-wait", "20"),
    *("--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1"),
]
WHOLE = {"measure": 2, "render": 2, "stage1": 1, "encode_stage1": 2, "stage2": 1, "encode_stage2": 2, "evaluate": 1}
WHOLE |= {"export": 1, "explore": 1}
PATIENCE = 240.0
EPOCHS = 40  # enough to be met in the middle


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def project(cluster: Cluster, tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    write_corpus(folder)
    project = Project(folder)
    project.configure(**CONFIG)
    project.variables = cluster.environment
    return project


def wait(until: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.1)


def test_a_job_killed_for_memory_comes_back_with_more_and_one_failing_shard_leaves_the_others(
    cluster, project, finished
):
    starving = "render:mem_mb=30 if attempt == 1 or wildcards.shard.startswith('00') else 2000"
    flags = [*PROFILE, "--retries", "1", "--set-resources", starving, "render:gpu=1"]
    result = project.call(*flags)  # training has to wait for the views that always fail
    assert result.returncode == 1, result.stderr
    views = list((project.folder / "results" / "render").rglob("*.arrow"))
    assert [file.name[:2] for file in views] == ["01"]
    assert views[0].read_bytes() == (finished.folder / views[0].relative_to(project.folder)).read_bytes()
    assert len(list((project.folder / "results" / "measure").rglob("*.parquet"))) == 2

    rows = cluster.tell("squeue", "--noheader", "--states=all", "--format=%T|%m|%l|%k").splitlines()
    states, memory, limits, _ = zip(*(row.split("|", 3) for row in rows), strict=True)
    assert states.count("COMPLETED") == 3, rows
    assert sorted(memory) == ["1000M"] * 2 + ["2000M"] + ["30M"] * 3  # two tries of each shard's views
    assert sorted(limits) == ["1:00:00"] * 2 + ["2:00:00"] * 4
    assert cluster.tell("scontrol", "show", "jobs").count("TresPerJob=gres:gpu:1") == 4

    rest = project.plan(*PROFILE)
    assert rest["render"] == 1
    assert "measure" not in rest


@pytest.mark.slow
def test_the_whole_run(cluster, project, finished):
    ran = project.run(*PROFILE)
    assert {rule: ran[rule] for rule in WHOLE} == WHOLE
    # Training depends on the number of threads, which is another one here.
    expected, found = (
        {
            name: data
            for name, data in reproducible(one.folder).items()
            if name.startswith(("measure/", "render/", "split"))
        }
        for one in (finished, project)
    )
    assert found == expected
    assert project.plan(*PROFILE) == {}


@pytest.mark.slow  # Slurm holds a job that lost its node back for two minutes
def test_training_goes_on_after_a_lost_node_and_a_killed_controller(cluster, project):
    project.configure(stage1={"max_steps": 3 * EPOCHS, "batch_size": 8})  # 3 batches an epoch
    training = project.folder / "results" / "runs" / "main" / "stage1"
    log = project.folder / "results" / "logs" / "main" / "stage1.log"

    def job() -> tuple[str, str]:
        rows = cluster.tell("squeue", "--noheader", "--states=RUNNING", "--format=%A|%N|%k").splitlines()
        mine = [row.split("|") for row in rows if "stage1" in row and "encode" not in row]
        return (mine[0][0], mine[0][1]) if mine else ("", "")

    runner = subprocess.Popen(
        project.command(*PROFILE), cwd=project.folder, env=project.environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    node = ""
    try:
        wait((training / ".training" / "last.ckpt").exists)
        number, node = job()
        cluster.fail_node(node)
        assert not cluster.processes(node)
        wait(lambda: job()[0] == number and job()[1] not in ("", node))  # queued again, on the other node
        wait(lambda: "resuming from" in log.read_text())
        cluster.tell("scontrol", "suspend", number)  # so that it does not end while the controller is looked at
    finally:
        os.killpg(runner.pid, signal.SIGKILL)
        runner.wait()
    cluster.start_node(node)

    project.call("--unlock")
    refused = project.call(*PROFILE)
    assert refused.returncode == 2
    assert f"scancel {number}" in refused.stderr
    cluster.tell("scancel", number)
    wait(lambda: not cluster.tell("squeue", "--noheader").strip())

    ran = project.run(*PROFILE)
    assert ran["stage1"] == ran["evaluate"] == 1
    assert ran["render"] == 0
    assert "resuming from" in log.read_text()
    assert len((training / "history.csv").read_text().splitlines()) == 1 + EPOCHS
    assert not (training / "former").exists()


def test_what_the_cluster_lacks_is_one_line_before_anything_is_submitted(project):
    result = project.call(*PROFILE, "--default-resources", "slurm_partition=nowhere")
    assert result.returncode == 2
    lines = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    assert "Slurm has no partition nowhere (there are: main, poor)" in lines[0]
    assert not (project.folder / "results").exists()


@pytest.mark.parametrize(
    ("demand", "said"),
    [
        (Demand("stage1", "nowhere"), "there are: main, poor"),
        (Demand("stage1", "poor", gpus=1), "no node of partition poor has a GPU"),
        (Demand("stage1", "poor", cores=8), "the 8 cores that it asks for (at most 4)"),
        (Demand("stage1", "poor", memory=16000), "the 16000 MB that it asks for (at most 8000)"),
        (Demand("stage1", "poor", minutes=2880), "the 2880 minutes that it asks for (at most 720)"),
    ],
)
def test_a_real_cluster_tells_what_it_lacks(demand, said, cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", cluster.environment["PATH"])
    enough = Demand("stage1", None, gpus=1, cores=8, memory=16000, minutes=2880)
    assert problem([enough, Demand("measure", "main,poor", memory=16000)], tmp_path, "squeue") is None
    assert said in (problem([demand], tmp_path, "squeue") or "")
    assert "set slurm-status-command: squeue" in (problem([enough], tmp_path, "sacct") or "")
