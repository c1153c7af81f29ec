"""What a cluster lacks, asked of programs that answer as Slurm's do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from axonet.pipeline.slurm_check import Demand, demands, problem

TWO = "main*|up|(null)|16|64000|2-00:00:00\ngpu|up|gpu:a100:4(S:0-1)|64|512000|infinite"
Cluster = Callable[..., None]


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Sets what ``sinfo``, ``squeue`` and ``sacct`` say; None: the program is not there."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def say(sinfo: str | None = TWO, squeue: str = "", sacct: str | None = "") -> None:
        for name, text in (("sinfo", sinfo), ("squeue", squeue), ("sacct", sacct)):
            if text is not None:
                failing = text.startswith("error")
                body = "".join(f'echo "{line}"{" >&2" if failing else ""}\n' for line in text.splitlines())
                (tmp_path / name).write_text(f"#!/bin/sh\n{body}exit {int(failing)}\n")
                (tmp_path / name).chmod(0o755)

    return say


@pytest.mark.parametrize(
    ("demand", "said"),
    [
        (Demand("render", None, cores=16, memory=64000, minutes=2880), None),
        (Demand("stage1", "gpu", gpus=1, cores=64, memory=512000, minutes=99999), None),
        (Demand("measure", "main,gpu", memory=512000), None),
        (Demand("measure", "long"), "rule measure: Slurm has no partition long (there are: gpu, main); change"),
        (Demand("measure", "main,long"), "has no partition long"),
        (Demand("stage1", None, gpus=1), "no node of the default partition has a GPU"),
        (Demand("stage1", "main", gpus=1), "no node of partition main has a GPU"),
        (Demand("render", None, cores=17), "the 17 cores that it asks for (at most 16)"),
        (Demand("render", None, memory=64001), "(at most 64000); name another partition"),
        (Demand("render", None, minutes=2881), "lets no job run for the 2881 minutes that it asks for (at most 2880)"),
    ],
)
def test_a_demand_is_met_or_refused_with_a_remedy(demand: Demand, said: str | None, cluster: Cluster, tmp_path: Path):
    cluster()
    answer = problem([Demand("fine", None), demand], tmp_path, "squeue")
    assert answer is None if said is None else said in (answer or "")
    assert "\n" not in (answer or "")


def test_a_cluster_without_a_default_partition_wants_one_named(cluster: Cluster, tmp_path: Path):
    cluster("main|up|(null)|16|64000|infinite\nold*|down|(null)|16|64000|infinite")
    answer = problem([Demand("measure", None)], tmp_path, "squeue") or ""
    assert "Slurm has no default partition (there are: main); set slurm_partition" in answer


@pytest.mark.parametrize(("status", "asked"), [("squeue", False), ("sacct", True), (None, True)])
@pytest.mark.parametrize("sacct", [None, "error: Slurm accounting storage is disabled"])
def test_accounting_is_needed_where_sacct_is_asked(status, asked, sacct, cluster: Cluster, tmp_path: Path):
    cluster(sacct=sacct)
    answer = problem([Demand("measure", None)], tmp_path, status)
    assert ("set slurm-status-command: squeue" in (answer or "")) == asked


def test_jobs_of_a_former_run_in_the_same_folder_are_in_the_way(cluster: Cluster, tmp_path: Path):
    cluster(squeue=f"7|{tmp_path}\n8|/elsewhere\n9|{tmp_path}")
    answer = problem([], tmp_path, "squeue") or ""
    assert answer.startswith(f"2 jobs of a former run still work in {tmp_path};")
    assert answer.endswith("scancel 7 9")


@pytest.mark.parametrize("sinfo", [None, "error: Unable to contact slurm controller"])
def test_where_no_slurm_answers_the_run_ends(sinfo, cluster: Cluster, tmp_path: Path):
    cluster(sinfo)
    assert "Slurm does not answer (" in (problem([], tmp_path, "squeue") or "")


def test_what_a_rule_asks_for_is_read_off_its_resources():
    from snakemake.resources import Resource

    values = {
        "gpu": Resource("gpu", 1),
        "_cores": Resource("_cores", 8),
        "mem_mb": Resource("mem_mb", lambda wildcards, attempt: 16000 * attempt),
        "runtime": Resource("runtime", "48h"),
    }
    asking = Resource("mem_mb", lambda wildcards, attempt: len(wildcards.shard) * attempt)
    assert demands({"stage1": values, "render": {"mem_mb": asking, "slurm_partition": "gpu"}, "measure": {}}) == [
        Demand("stage1", None, gpus=1, cores=8, memory=16000, minutes=2880),
        Demand("render", "gpu"),
        Demand("measure", None),
    ]
