"""Whether a Slurm cluster can run what the workflow asks for: asked before anything is submitted."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WHERE = "profiles/slurm/config.yaml"


@dataclass(frozen=True)
class Demand:
    """What a rule asks of the cluster: its partition (None for the cluster's default) and the number of GPUs."""

    rule: str
    partition: str | None
    gpus: int


def demands(resources: Mapping[str, Mapping[str, Any]]) -> list[Demand]:
    """What each rule asks for.

    Args:
        resources: of each rule; a value that only the job can tell (a function) counts as not set.
    """
    found = []
    for rule, values in resources.items():
        partition, gpus = _value(values.get("slurm_partition")), _value(values.get("gpu", 0))
        found.append(
            Demand(
                rule,
                partition if isinstance(partition, str) and partition else None,
                gpus if isinstance(gpus, int) else 0,
            )
        )
    return found


def _value(resource: Any) -> Any:
    # Snakemake wraps values. One from the command line or a profile is an expression until a job asks for it; a plain
    # word there stands for itself.
    if not hasattr(resource, "is_evaluable"):
        return resource
    if not resource.is_evaluable():
        return resource.value
    return resource.raw if isinstance(resource.raw, str) and re.fullmatch(r"[\w,-]+", resource.raw) else None


def problem(wanted: list[Demand], folder: Path, status_command: str | None) -> str | None:
    """Why the cluster cannot run this, in one line with the remedy; None where it can.

    Args:
        wanted: what the rules ask for.
        folder: where the workflow runs.
        status_command: how Snakemake will ask for the state of jobs; None where it chooses.
    """
    try:
        partitions = _partitions(_tell("sinfo", "--noheader", "--format=%P|%a|%G"))
    except (OSError, subprocess.SubprocessError) as error:
        return f"Slurm does not answer ({_reason(error)}); run this on a login node of the cluster"
    found = _partition_problem(wanted, partitions) or _left_over_problem(folder)
    if found is None and status_command != "squeue":
        found = _accounting_problem()
    return found


def _partition_problem(wanted: list[Demand], partitions: dict[str, bool]) -> str | None:
    names = ", ".join(sorted(name for name in partitions if name)) or "none"
    for demand in wanted:
        partition = demand.partition or ""
        if partition not in partitions:
            if partition:
                return (
                    f"rule {demand.rule}: Slurm has no partition {partition} (there are: {names}); "
                    f"change slurm_partition in {WHERE}"
                )
            return (
                f"rule {demand.rule}: Slurm has no default partition (there are: {names}); "
                f"set slurm_partition under default-resources in {WHERE}"
            )
        if demand.gpus and not partitions[partition]:
            named = f"partition {partition}" if partition else "the default partition"
            return (
                f"rule {demand.rule}: no node of {named} has a GPU; give it one that has under set-resources in "
                f"{WHERE}, or train without: --set-resources {demand.rule}:gpu=0"
            )
    return None


def _left_over_problem(folder: Path) -> str | None:
    # A run that was killed leaves its jobs behind, and two jobs would write the same files.
    jobs = _tell("squeue", "--noheader", "--me", "--format=%A|%Z").splitlines()
    mine = sorted({number for number, _, where in (job.partition("|") for job in jobs) if where == str(folder)})
    if not mine:
        return None
    return (
        f"{len(mine)} jobs of a former run still work in {folder}; wait for them, or cancel them first: "
        f"scancel {' '.join(mine)}"
    )


def _accounting_problem() -> str | None:
    try:
        _tell("sacct", "--noheader", "--format=JobID", "--starttime=now")
    except (OSError, subprocess.SubprocessError) as error:
        return (
            f"this Slurm keeps no accounts ({_reason(error)}), so the state of jobs cannot be asked with sacct; "
            f"set slurm-status-command: squeue in {WHERE}"
        )
    return None


def _partitions(listing: str) -> dict[str, bool]:
    """Partitions that are up, each with whether one of its nodes has a GPU; the default one also as an empty name."""
    found: dict[str, bool] = {}
    for line in listing.splitlines():
        name, state, devices = [*line.strip().split("|"), "", ""][:3]
        if state != "up":
            continue
        for key in {name.rstrip("*"), ""} if name.endswith("*") else {name}:
            found[key] = found.get(key, False) or "gpu" in devices
    return found


def _tell(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = (error.stderr or error.stdout or "").strip().splitlines()
        return lines[-1] if lines else f"exit code {error.returncode}"
    return f"{error.filename}: command not found" if isinstance(error, FileNotFoundError) else str(error)
