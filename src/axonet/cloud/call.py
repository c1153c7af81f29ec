"""The one call of Snakemake that a command of ``axonet-cloud`` makes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from axonet.cloud.machines import Machine, machine, refuse_odd_pair, with_gpu
from axonet.cloud.settings import CloudSettings, GenerateDataset, Train
from axonet.core.resources import project_file
from axonet.version import __version__

PROFILE = "profiles/google-batch/config.yaml"
DRAWING = ("render",)
TRAINING = ("stage1", "encode_stage1", "stage2", "encode_stage2")
DATASET_RULES = ("measure", "render", "quality")
TARGET = {"1": "pretrained", "2": "aligned", "all": "all"}


def options(settings: CloudSettings, project: str) -> dict[str, Any]:
    """Snakemake's options: those of the profile, with what the settings say otherwise.

    Args:
        settings: of the command.
        project: that pays.

    Raises:
        UserError: an unknown machine type.
    """
    found: dict[str, Any] = yaml.safe_load(project_file(PROFILE).read_text(encoding="utf-8"))
    found |= {
        "default-storage-prefix": settings.output,
        "storage-gcs-project": project,
        "googlebatch-project": project,
        "googlebatch-region": settings.region,
        "googlebatch-labels": ",".join(f"{k}={v}" for k, v in {"app": "axonet", **settings.labels}.items()),
        "googlebatch-service-account": settings.service_account,
        "preemptible-retries": settings.spot_retries,
    }
    if settings.jobs is not None:
        found["jobs"] = settings.jobs
    if not settings.spot:
        del found["preemptible-rules"], found["preemptible-retries"]
    resources: dict[str, dict[str, Any]] = found["set-resources"]
    for rule, own in resources.items():
        own["googlebatch_container"] = settings.container or image(rule, project, settings.region)
    for rule in DRAWING if isinstance(settings, GenerateDataset) else TRAINING:
        _choose(resources[rule], settings)
        if settings.machine_type is not None:
            found["set-threads"][rule] = machine(settings.machine_type).cpus
    for own in resources.values():
        chosen: Machine = machine(own["googlebatch_machine_type"])
        own |= {"googlebatch_cpu_milli": chosen.cpus * 1000, "googlebatch_memory": chosen.job_memory}
    return found


def target(settings: CloudSettings) -> str:
    """The rule that Snakemake is asked for."""
    return TARGET[settings.stage] if isinstance(settings, Train) else "dataset"


def image(rule: str, project: str, region: str) -> str:
    """The image that a rule's jobs run in, unless another one is given."""
    target = "dataset" if rule in DATASET_RULES else "train"
    return f"{region}-docker.pkg.dev/{project}/axonet/{target}:{__version__}"


def _choose(own: dict[str, Any], settings: CloudSettings) -> None:
    """Let the settings decide what machine a rule has."""
    if settings.machine_type is not None:
        own["googlebatch_machine_type"] = settings.machine_type
    elif settings.gpu_type is not None:
        own["googlebatch_machine_type"] = with_gpu(settings.gpu_type)
    gpu = settings.gpu_type or machine(own["googlebatch_machine_type"]).gpu
    if gpu is not None:
        refuse_odd_pair(own["googlebatch_machine_type"], gpu)
        own["nvidia_gpu"] = gpu
    if settings.max_run_duration is not None:
        own["googlebatch_max_run_duration"] = settings.max_run_duration
    if settings.boot_disk_gb is not None:
        own["googlebatch_boot_disk_gb"] = settings.boot_disk_gb


def arguments(chosen: Mapping[str, Any]) -> list[str]:
    """Options as command-line arguments."""
    return [argument for name, value in chosen.items() for argument in _argument(f"--{name}", value)]


def _argument(flag: str, value: Any) -> Iterator[str]:
    if value is None or value is False or value == [] or value == {}:
        return
    yield flag
    if isinstance(value, Mapping):
        for rule, own in value.items():
            if isinstance(own, Mapping):
                yield from (f"{rule}:{name}={item}" for name, item in own.items())
            else:
                yield f"{rule}={own}"
    elif isinstance(value, list):
        yield from map(str, value)
    elif value is not True:
        yield str(value)


def printed(call: list[str]) -> str:
    """A call as a shell command, an option a line."""
    lines = [""]
    for argument in call:
        lines += [""] if argument.startswith("--") else []
        lines[-1] += f" {shlex.quote(argument)}"
    return " \\\n ".join(line.strip() for line in lines)
