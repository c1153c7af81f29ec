"""Whether a Slurm cluster can run what the workflow asks for: asked before anything is submitted."""

from __future__ import annotations

import math
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WHERE = "profiles/slurm/config.yaml"


@dataclass(frozen=True)
class Demand:
    """What a rule's first try asks of the cluster; None or 0 where only the job itself can tell.

    Args:
        rule: its name.
        partition: one, or several with commas between them; None for the cluster's default.
        gpus: number of GPUs.
        cores: number of cores.
        memory: MB.
        minutes: run time.
    """

    rule: str
    partition: str | None
    gpus: int = 0
    cores: int = 0
    memory: int = 0
    minutes: int = 0


@dataclass
class Offer:
    """The most that a node of a partition has, and that a job may run there."""

    gpus: bool = False
    cores: int = 0
    memory: int = 0
    minutes: float = 0.0


def demands(resources: Mapping[str, Mapping[str, Any]]) -> list[Demand]:
    """What each rule asks for, from its resources as Snakemake holds them."""
    found = []
    for rule, values in resources.items():
        partition = _value(values.get("slurm_partition"))
        numbers = (_value(values.get(name, 0)) for name in ("gpu", "_cores", "mem_mb", "runtime"))
        gpus, cores, memory, minutes = (number if isinstance(number, int) else 0 for number in numbers)
        name = partition if isinstance(partition, str) and partition else None
        found.append(Demand(rule, name, gpus, cores, memory, minutes))
    return found


def _value(resource: Any) -> Any:
    # Snakemake wraps values. One from the command line or a profile is an expression until a job asks for it; a plain
    # word there stands for itself.
    if not hasattr(resource, "is_evaluable"):
        return resource
    if not resource.is_evaluable():
        return resource.value
    if isinstance(resource.raw, str) and re.fullmatch(r"[A-Za-z_][\w,-]*", resource.raw):
        return resource.raw
    try:
        return resource.evaluate(None, attempt=1).value
    except Exception:  # whatever a function says that wants to see the job
        return None


def problem(wanted: list[Demand], folder: Path, status_command: str | None) -> str | None:
    """Why the cluster cannot run this, in one line with the remedy; None where it can.

    Args:
        wanted: what the rules ask for.
        folder: where the workflow runs.
        status_command: how Snakemake will ask for the state of jobs; None where it chooses.
    """
    try:
        partitions = _partitions(_tell("sinfo", "--noheader", "--exact", "--format=%P|%a|%G|%c|%m|%l"))
    except (OSError, subprocess.SubprocessError) as error:
        return f"Slurm does not answer ({_reason(error)}); run this on a login node of the cluster"
    found = _partition_problem(wanted, partitions) or _left_over_problem(folder)
    if found is None and status_command != "squeue":
        found = _accounting_problem()
    return found


def _partition_problem(wanted: list[Demand], partitions: dict[str, Offer]) -> str | None:
    there = ", ".join(sorted(name for name in partitions if name)) or "none"
    for demand in wanted:
        names = (demand.partition or "").split(",")
        for name in names:
            if name not in partitions and name:
                return (
                    f"rule {demand.rule}: Slurm has no partition {name} (there are: {there}); "
                    f"change slurm_partition in {WHERE}"
                )
            if name not in partitions:
                return (
                    f"rule {demand.rule}: Slurm has no default partition (there are: {there}); "
                    f"set slurm_partition under default-resources in {WHERE}"
                )
        lacking = _lack(demand, [partitions[name] for name in names])
        if lacking is not None:
            return f"rule {demand.rule}: {lacking}"
    return None


def _lack(demand: Demand, offers: list[Offer]) -> str | None:
    """What none of the partitions has that a rule may be sent to."""
    place = f"partition {demand.partition}" if demand.partition else "the default partition"
    change = f"--set-resources {demand.rule}:"
    if demand.gpus and not any(offer.gpus for offer in offers):
        return (
            f"no node of {place} has a GPU; give it one that has under set-resources in {WHERE}, "
            f"or train without: {change}gpu=0"
        )
    cores, memory = max(offer.cores for offer in offers), max(offer.memory for offer in offers)
    if demand.cores > cores:
        return (
            f"no node of {place} has the {demand.cores} cores that it asks for (at most {cores}); "
            f"set them under set-threads in {WHERE}"
        )
    if demand.memory > memory:
        return (
            f"no node of {place} has the {demand.memory} MB that it asks for (at most {memory}); "
            f"name another partition in {WHERE}, or try with less: {change}mem_mb={memory}"
        )
    minutes = max(offer.minutes for offer in offers)
    if demand.minutes > minutes:
        return (
            f"{place} lets no job run for the {demand.minutes} minutes that it asks for (at most {minutes:.0f}); "
            f"name another in {WHERE}, or ask for less: {change}runtime={minutes:.0f}"
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


def _partitions(listing: str) -> dict[str, Offer]:
    """Partitions that are up, each with the most that its nodes have; the default one also as an empty name."""
    found: dict[str, Offer] = {}
    for line in listing.splitlines():
        name, state, devices, cores, memory, limit = [*line.strip().split("|"), *[""] * 6][:6]
        if state != "up":
            continue
        for key in {name.rstrip("*"), ""} if name.endswith("*") else {name}:
            offer = found.setdefault(key, Offer())
            offer.gpus |= "gpu" in devices
            offer.cores = max(offer.cores, _number(cores))
            offer.memory = max(offer.memory, _number(memory))
            offer.minutes = max(offer.minutes, _minutes(limit))
    return found


def _number(text: str) -> int:
    digits = re.match(r"\d+", text)
    return int(digits[0]) if digits else 0


def _minutes(limit: str) -> float:
    """Minutes of Slurm's ``days-hours:minutes:seconds``, of which the first two may be absent."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", limit)
    if match is None:
        return math.inf  # no limit, or none that sinfo tells
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return (days * 24 + hours) * 60 + minutes + seconds / 60


def _tell(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = (error.stderr or error.stdout or "").strip().splitlines()
        return lines[-1] if lines else f"exit code {error.returncode}"
    return f"{error.filename}: command not found" if isinstance(error, FileNotFoundError) else str(error)
