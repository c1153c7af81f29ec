"""The workflow on a real Slurm: a controller and two nodes on this machine (tests/slurm/cluster.py)."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.corpus import write_corpus
from tests.integration.project import CONFIG, REPOSITORY, Project
from tests.slurm.cluster import Cluster, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")

# The profile as it is, but for its waiting times.
PROFILE = [
    *("--profile", str(REPOSITORY / "profiles" / "slurm"), "--latency-wait", "20"),
    *("--slurm-init-seconds-before-status-checks", "1", "--seconds-between-status-checks", "1"),
]
WHOLE = {"measure": 2, "render": 2, "stage1": 1, "encode_stage1": 2, "stage2": 1, "encode_stage2": 2, "evaluate": 1}
WHOLE |= {"export": 1, "explore": 1}
PATIENCE = 180.0


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


def test_the_whole_run_also_when_a_job_is_killed_for_memory_at_first(cluster, project, finished):
    starving = "render:mem_mb=30 if attempt == 1 else 2000"
    ran = project.run(*PROFILE, "--set-resources", starving)
    assert {rule: ran[rule] for rule in WHOLE} == WHOLE
    for views in (finished.folder / "results" / "render").rglob("*.arrow"):
        assert (project.folder / views.relative_to(finished.folder)).read_bytes() == views.read_bytes()
    states = cluster.tell("squeue", "--noheader", "--states=all", "--format=%T|%b|%C|%m")
    jobs = [line.split("|") for line in states.splitlines()]
    assert [job[0] for job in jobs].count("COMPLETED") == sum(WHOLE.values())
    assert len(jobs) == sum(WHOLE.values()) + 2, states  # both shards' first attempts
    asked = cluster.tell("scontrol", "show", "jobs")
    assert asked.count("TresPerJob=gres:gpu:1") == sum(WHOLE[rule] for rule in WHOLE if rule.startswith(("st", "en")))
    assert project.plan(*PROFILE) == {}


def test_a_shard_that_always_fails_leaves_the_others(project):
    starving = "render:mem_mb=30 if wildcards.shard.startswith('00') else 2000"
    result = project.call(*PROFILE, "--retries", "0", "--set-resources", starving)
    assert result.returncode == 1
    views = [file.name[:2] for file in (project.folder / "results" / "render").rglob("*.arrow")]
    assert views == ["01"]
    assert len(list((project.folder / "results" / "measure").rglob("*.parquet"))) == 2
    rest = project.plan(*PROFILE)
    assert rest["render"] == 1
    assert "measure" not in rest


@pytest.mark.slow  # Slurm holds a job that lost its node back for two minutes
def test_training_goes_on_after_a_lost_node_and_a_killed_controller(cluster, project):
    project.configure(stage1={"max_steps": 100_000, "max_epochs": 100_000, "batch_size": 8})
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
        wait(lambda: job()[0] == number and job()[1] not in ("", node))  # queued again, on the other node
        wait(lambda: "resum" in log.read_text().lower())
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

    # A run that may end: the steps are no part of what a resumed run must share with the former one.
    steps = len((training / "history.csv").read_text().splitlines())
    project.configure(stage1={"max_steps": 20 * steps, "max_epochs": 2 * steps})
    ran = project.run(*PROFILE)
    assert ran["stage1"] == 1
    assert "resum" in log.read_text().lower()
    assert "render" not in ran


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["--default-resources", "slurm_partition=nowhere"], "Slurm has no partition nowhere (there are: main)"),
        (["--slurm-status-command", "sacct"], "set slurm-status-command: squeue"),
    ],
)
def test_what_the_cluster_lacks_is_one_line_before_anything_is_submitted(project, changed, said):
    result = project.call(*PROFILE, *changed)
    assert result.returncode == 2
    lines = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    assert said in lines[0]
    assert not (project.folder / "results").exists()
