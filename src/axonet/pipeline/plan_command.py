"""``axonet plan``: what a run will take, before anything runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from axonet.core.bucket import names_below
from axonet.core.config import CommandSettings, run_command
from axonet.core.errors import UserError
from axonet.core.files import read_json
from axonet.core.progress import say
from axonet.pipeline import figures
from axonet.pipeline.estimate import Size, Step, steps
from axonet.pipeline.folder import plan_of
from axonet.pipeline.places import Bucket
from axonet.pipeline.plan import INDEX, Plan

# Threads that a job can use, as the rules have them.
THREADS = {"stage1": 16, "stage2": 16, "encode_stage1": 4, "encode_stage2": 4, "evaluate": 8}
LOCAL = ("acquire",)  # runs where Snakemake runs


class PlanConfig(CommandSettings):
    """Jobs, hours, gigabytes, files and money of the run that config.yaml describes.

    Counted are results that are missing; what is stale although it is there, snakemake -n tells. Figures are measured
    ones where there are any (docs/explanation/scale.md), so expect to be off by a half, and by more on a GPU.
    """

    directory: Path = Field(Path(), description="the workflow's working directory")
    neurons: int | None = Field(
        None, ge=1, description="plan for so many neurons; default: those acquired, else those that the sources list"
    )
    where: Literal["here", "slurm", "google"] = Field("here", description="decides what the start of a job takes")
    cores: int = Field(8, ge=1, description="CPU cores that work at a time, over all machines")
    gpu_type: str | None = Field(
        None, description=f"GPU that trains and encodes: {', '.join(figures.GPU_TFLOP_S)}; none: the CPU does"
    )
    gpus: int = Field(1, ge=1, description="number of such GPUs at a time")
    gpu_tflops: float | None = Field(
        None, gt=0, description="arithmetic of a GPU in TFLOP/s, as you measured it; default: a guess by its type"
    )
    cpu_hour_price: float = Field(
        0.0, ge=0, description="money for a core and its memory for an hour; Google n1-standard about 0.048 USD"
    )
    gpu_hour_price: float = Field(0.0, ge=0, description="money for a GPU for an hour; Google T4 0.35, V100 2.48 USD")
    gb_month_price: float = Field(
        0.0, ge=0, description="money for a gigabyte for a month; Google Cloud Storage 0.02 USD"
    )


class Cost(NamedTuple):
    """Hours until a step is done, core hours and GPU hours that are paid for."""

    hours: float
    core_hours: float
    gpu_hours: float


def run(config: PlanConfig) -> None:
    """Count and print."""
    plan = plan_of(config.directory)
    size, exists = _size(plan, config)
    found = steps(plan, size, exists)
    costs = [cost(step, config) for step in found]
    say(f"{size.neurons:,} neurons in {size.shards:,} shards\n")
    say(f"{'step':<14}{'jobs':>8}{'hours':>12}{'core h':>14}{'GPU h':>11}{'GB':>9}{'files':>9}{'money':>11}")
    for step, own in zip(found, costs, strict=True):
        say(_line(step.rule, step.jobs, own, step.gigabytes, step.files, _money(own, config)))
    whole = Cost(*(sum(column) for column in zip(*costs, strict=True)))
    gigabytes = sum(step.gigabytes for step in found)
    say(
        _line(
            "together",
            sum(step.jobs for step in found),
            whole,
            gigabytes,
            sum(step.files for step in found),
            _money(whole, config),
        )
    )
    if config.gb_month_price:
        say(f"\nkeeping it: {gigabytes * config.gb_month_price:,.2f} a month")
    if config.gpu_type and config.gpu_tflops is None:
        say("\nThe GPU's speed is a guess from its data sheet; --gpu-tflops takes a measured one.")


def cost(step: Step, config: PlanConfig) -> Cost:
    """Hours of a step."""
    if not step.jobs:
        return Cost(0.0, 0.0, 0.0)
    start = figures.START_S["here" if step.rule in LOCAL else config.where] / 3600
    if step.gflop and config.gpu_type is not None:
        speed = config.gpu_tflops or figures.GPU_TFLOP_S[config.gpu_type]
        at_once = config.gpus if step.jobs == 1 else min(config.gpus, step.jobs)
        gpu_hours = step.gflop / (speed * 1000) / 3600 + start * step.jobs
        hours = max(gpu_hours / at_once, start) + step.core_hours
        return Cost(hours, step.core_hours + gpu_hours * THREADS.get(step.rule, 1) / at_once, gpu_hours)
    threads = min(THREADS.get(step.rule, 1), config.cores)
    encodes = step.rule.startswith("encode")
    speed = figures.CORE_ENCODES_GFLOP_S if encodes else figures.CORE_TRAINS_GFLOP_S
    core_hours = step.core_hours + step.gflop / speed / 3600
    at_once = max(1, min(step.jobs, config.cores // threads))
    return Cost((core_hours / threads + start * step.jobs) / at_once, core_hours + start * step.jobs * threads, 0.0)


def _money(own: Cost, config: PlanConfig) -> float:
    return own.core_hours * config.cpu_hour_price + own.gpu_hours * config.gpu_hour_price


def _line(name: str, jobs: int, own: Cost, gigabytes: float, files: int, money: float) -> str:
    hours = f"{own.hours:>12,.2f}{own.core_hours:>14,.2f}{own.gpu_hours:>11,.2f}"
    return f"{name:<14}{jobs:>8,}{hours}{gigabytes:>9,.2f}{files:>9,}{money:>11,.2f}"


def _size(plan: Plan, config: PlanConfig) -> tuple[Size, Callable[[str], bool] | None]:
    """How much there is, and how to ask whether a result is there; None before anything was acquired."""
    index = plan.data.find(INDEX)
    if index is None or config.neurons is not None:
        neurons = config.neurons if config.neurons is not None else _listed(plan)
        shards = min(1 << plan.config.acquire.shard_bits, neurons)
        return Size(neurons, shards), None
    rows = [row["n"] for row in read_json(index)["shards"] if row["n"]]
    return Size(sum(rows), len(rows)), _existing(plan)


def _existing(plan: Plan) -> Callable[[str], bool]:
    places = {plan.home, plan.data}
    known = {name for place in places if isinstance(place, Bucket) for name in names_below(place.address("results"))}

    def exists(name: str) -> bool:
        return any(
            place.address(name) in known if isinstance(place, Bucket) else (place.root / name).is_file()
            for place in places
        )

    return exists


def _listed(plan: Plan) -> int:
    """How many neurons the sources list.

    Raises:
        UserError: a source that has to be asked over the network.
    """
    settings, neurons = plan.config.acquire, 0
    for source in settings.sources:
        if source == "folder" and settings.folder.swc_dir is not None:
            from axonet.sources.swc_files import iter_swc_files

            neurons += sum(1 for _ in iter_swc_files(settings.folder.swc_dir))
        elif source == "manifest" and settings.manifest.file is not None:
            from axonet.sources.manifest import read_manifest

            neurons += len(read_manifest(settings.manifest.file))
        elif source == "demo":
            from axonet.sources.demo import read_demo_table
            from axonet.sources.listing import demo_table

            rows = read_demo_table(demo_table(settings.demo))
            neurons += sum(row.fetch != "full" or settings.demo.full for row in rows)
        else:
            raise UserError(f"how many neurons {source} has is known only after acquiring; give --neurons")
    return neurons


def main(argv: Sequence[str] | None = None) -> int:
    """Command-line entry."""
    return run_command(PlanConfig, run, argv, program="axonet plan")


if __name__ == "__main__":
    sys.exit(main())
