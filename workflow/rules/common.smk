# What all rules share: the checked config, the plan (names, digests, flags) and the functions that ask the checkpoint
# which shards there are.
import os
import sys

from axonet.core.errors import UserError
from axonet.pipeline.closing import SAID_BY_CALLER, closing_lines
from axonet.pipeline.code_epochs import code_states, read_record, write_record
from axonet.pipeline.interpreter import use_this_python
from axonet.pipeline.plan import (
    CATALOG,
    CODE_RECORD,
    EXPLORER_PAGE,
    INDEX,
    QUALITY_PAGE,
    Plan,
    describe_drift,
    root_values,
)
from axonet.pipeline.root_config import load_config

try:
    root_config = load_config(config)
    CODE = code_states(read_record(Path(CODE_RECORD)), root_config.code.policy)
    PLAN = Plan(root_config, CODE)
    PLAN.check_inputs()
except UserError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)
use_this_python()
config.clear()
config.update(root_values(root_config))
drift = describe_drift(CODE)
if drift and workflow.is_main_process:
    logger.warning(drift)


wildcard_constraints:
    shard="[0-9a-f]+-[0-9a-f]{12}",
    run="[A-Za-z0-9_-]+",
    split="[0-9a-f]{8}",
    assignments="[0-9a-f]{12}",


localrules:
    all,
    acquire,
    quality,
    split,


# Rules take what depends on the shards by functions that ask the checkpoint, even where the name is fixed: a job
# without one keeps the reason to run that it had before the checkpoint was evaluated, and runs for nothing.
def acquired():
    return checkpoints.acquire.get().output


def measures(wildcards):
    return PLAN.measures(acquired().index)


def views(wildcards):
    return PLAN.views(acquired().index)


def split_of_run(wildcards):
    acquired()
    return PLAN.split_file(wildcards.run)


def vectors(stage):
    def files(wildcards):
        return PLAN.vectors(wildcards.run, stage, acquired().index)

    return files


def checkpoint_of(stage):
    def file(wildcards):
        acquired()
        return PLAN.checkpoint(wildcards.run, stage)

    return file


def trained(wildcards):
    """The checkpoints that this run trains itself."""
    acquired()
    stages = (
        []
        if PLAN.given("stage2")
        else ["stage2"] if PLAN.given("stage1") else ["stage1", "stage2"]
    )
    return [PLAN.checkpoint(run, stage) for run in PLAN.config.runs for stage in stages]


def went_to_its_end():
    """Whether this run made all there is to make; one that was cut short (--until, a single file) has no figures."""
    finished = [job for job in workflow.dag.jobs if workflow.dag.finished(job)]
    return workflow.is_main_process and any(job.rule.name == "all" for job in finished)


def cores(most):
    """A job's threads: what there is, but no more than it can use."""
    return min(most, workflow.cores or 1)


onsuccess:
    write_record(Path(CODE_RECORD), CODE)
    if went_to_its_end() and SAID_BY_CALLER not in os.environ:
        print("", *closing_lines(PLAN, Path()), sep="\n", file=sys.stderr)


include: "cluster.smk"
