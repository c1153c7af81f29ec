"""The ``config.yaml`` of a run in the cloud: what the user gives, completed by what the command knows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from axonet.cloud.settings import GenerateDataset, Train
from axonet.core.bucket import in_bucket, read_bytes, version_of
from axonet.core.errors import UserError
from axonet.pipeline.root_config import load_config
from axonet.sources.manifest import read_manifest

NAME = "config.yaml"
NEURONS_PER_SHARD = 512
# Settled when the data set was made.
OF_THE_DATA = ("acquire", "render", "data")
# Of these sections only the memory of the working directory tells with which settings a file was made.
REMEMBERED = ("seed", "stage1", "stage2", "evaluate", "runs")


def given_config(file: Path | None) -> dict[str, Any]:
    """The settings that the user gives.

    Raises:
        UserError: no such file, no YAML, or a wrong key or value.
    """
    if file is None:
        return {}
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from None
    except yaml.YAMLError as error:
        raise UserError(f"{file}: not YAML ({' '.join(str(error).split())})") from None
    load_config(values or {})
    return dict(values or {})


def stored_config(place: str) -> dict[str, Any] | None:
    """The config that a former run left in a place; None where there was none."""
    address = f"{place}/{NAME}"
    if version_of(address) is None:
        return None
    return dict(yaml.safe_load(read_bytes(address)) or {})


def dataset_config(settings: GenerateDataset) -> dict[str, Any]:
    """The config that makes a data set of a manifest.

    The number of shards is settled by the first run: another one would draw every neuron again.
    """
    if version_of(settings.manifest) is None:
        raise UserError(f"{settings.manifest}: no such file")
    values = given_config(settings.config)
    acquire = dict(values.get("acquire") or {})
    former = (stored_config(settings.output) or {}).get("acquire", {}).get("shard_bits")
    if former is not None:
        acquire["shard_bits"] = former
    elif "shard_bits" not in acquire:
        acquire["shard_bits"] = shard_bits(len(read_manifest(settings.manifest)))
    values["acquire"] = {**acquire, "sources": ["manifest"], "manifest": {"file": settings.manifest}}
    render = dict(values.get("render") or {})
    if settings.gpu_type is not None:
        render.setdefault("backend", "gl")
    values["render"] = render
    load_config(values)
    return values


def shard_bits(n_neurons: int) -> int:
    """So many that a shard holds about 512 neurons."""
    return max(0, min(16, math.ceil(math.log2(max(1, n_neurons) / NEURONS_PER_SHARD))))


def training_config(settings: Train) -> dict[str, Any]:
    """The config that trains on a data set.

    Raises:
        UserError: the data set is none, the user's settings want another one, or a checkpoint lies on this machine.
    """
    made = stored_config(settings.data)
    if made is None:
        raise UserError(
            f"{settings.data}/{NAME}: no such file; --data is the --output of axonet-cloud generate-dataset"
        )
    given = given_config(settings.config)
    for name in OF_THE_DATA:
        if name in given and given[name] != made.get(name):
            raise UserError(f"{settings.config}: {name} was settled when {settings.data} was made; leave it out")
    values = {**made, **given, "data": None if settings.data == settings.output else settings.data}
    for stage in ("stage1", "stage2"):
        section = dict(values.get(stage) or {})
        if settings.devices is not None:
            section["devices"] = settings.devices
        checkpoint = section.get("checkpoint")
        if checkpoint is not None and not in_bucket(checkpoint):
            raise UserError(f"{stage}.checkpoint: {checkpoint} is on this machine; copy it to the bucket first")
        values[stage] = section
    load_config(values)
    return values


def refuse_forgotten(settings: Train, values: Mapping[str, Any]) -> None:
    """Refuse to go on in a place that was filled with other settings, when nothing here remembers which file by which.

    Raises:
        UserError: that is so.
    """
    former = stored_config(settings.output)
    if former is None or (settings.directory / ".snakemake" / "metadata").is_dir():
        return
    before, now = load_config(former), load_config(values)
    changed = [name for name in REMEMBERED if getattr(before, name) != getattr(now, name)]
    if changed:
        raise UserError(
            f"{settings.output} was filled with other settings ({', '.join(changed)}), and {settings.directory} does "
            "not remember by which its files were made; go on in the folder of that run (--directory), or take another "
            "--output"
        )
