# What all rules share: the checked config, the plan (names, digests, flags) and the functions that ask the checkpoint
# which shards there are.
import os
import sys

from snakemake.io import get_flag_value

from axonet.core.bucket import in_bucket
from axonet.core.errors import UserError
from axonet.pipeline.closing import SAID_BY_CALLER, closing_lines
from axonet.pipeline.code_epochs import remember, states_at
from axonet.pipeline.interpreter import use_this_python
from axonet.pipeline.places import place
from axonet.pipeline.plan import (
    CATALOG,
    EXPLORER_PAGE,
    INDEX,
    QUALITY_PAGE,
    Plan,
    describe_drift,
    root_values,
)
from axonet.pipeline.root_config import load_config

HOME = place(workflow.storage_settings.default_storage_prefix)
try:
    root_config = load_config(config)
    DATA = HOME if root_config.data is None else place(root_config.data)
    CODE = states_at(HOME, DATA, root_config.code.policy)
    PLAN = Plan(root_config, CODE, HOME)
    # A job on another machine may see less, and was planned with all of it.
    if workflow.is_main_process:
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


report: "../report/workflow.rst"


wildcard_constraints:
    shard="[0-9a-f]+-[0-9a-f]{12}",
    run="[A-Za-z0-9_-]+",
    split="[0-9a-f]{8}",
    assignments="[0-9a-f]{12}",


localrules:
    all,
    acquire,
    split,


if not in_bucket(HOME.root):  # else the page would take all views out of the bucket

    localrules:
        quality,


# Files lie in the working directory or in a bucket: those of the run by Snakemake's default storage, those of the data
# set and given checkpoints where the config says.
def at(address):
    """A file by its path or by its address in a bucket."""
    return storage(address) if in_bucket(address) else address


def data(name):
    """A file of the data set."""
    return name if PLAN.config.data is None else at(DATA.address(name))


def folder(name, where=HOME):
    """The folder in which commands find and leave the files of a folder: itself, or that of the copies."""
    address = where.address(name)
    if not in_bucket(address):
        return address
    return str(get_flag_value(storage(address), "storage_object").local_path())


# Rules take what depends on the shards by functions that ask the checkpoint, even where the name is fixed: a job
# without one keeps the reason to run that it had before the checkpoint was evaluated, and runs for nothing.
def acquired():
    return checkpoints.acquire.get().output


def measures(wildcards):
    acquired()
    return [data(name) for name in PLAN.measures()]


def views(wildcards):
    acquired()
    return [data(name) for name in PLAN.views()]


def split_of_run(wildcards):
    acquired()
    return PLAN.split_file(wildcards.run)


def vectors(stage):
    def files(wildcards):
        acquired()
        return PLAN.vectors(wildcards.run, stage)

    return files


def encoded(run, stage):
    """The folder of a run's vectors after a stage."""
    return folder(f"results/encode/{PLAN.model(run, stage)}")


def checkpoint_of(stage):
    def file(wildcards):
        acquired()
        return at(PLAN.checkpoint(wildcards.run, stage))

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


def checkpoints_after(stage):
    def files(wildcards):
        acquired()
        return [at(PLAN.checkpoint(run, stage)) for run in PLAN.config.runs]

    return files


def exported(wildcards):
    acquired()
    return rules.export.output


def workers(path, threads):
    """The folder to write to; with more threads than one, also so many worker processes."""
    return path if threads == 1 else f"{path} --jobs {threads}"


def went_to_its_end():
    """Whether this run made all there is to make; one that was cut short (--until, a single file) has no figures."""
    finished = [job for job in workflow.dag.jobs if workflow.dag.finished(job)]
    return workflow.is_main_process and any(job.rule.name == "all" for job in finished)


def cores(most):
    """A job's threads: what there is, but no more than it can use; on a cluster what the profile says."""
    return min(most, workflow.resource_settings.cores or most)


def more_each_try(mb):
    """Memory of a job: a second try, after one that was killed for it, gets twice as much."""
    return lambda wildcards, attempt: mb * attempt


onsuccess:
    remember(HOME, CODE)
    if went_to_its_end() and SAID_BY_CALLER not in os.environ:
        print("", *closing_lines(PLAN), sep="\n", file=sys.stderr)


include: "cluster.smk"
include: "targets.smk"
