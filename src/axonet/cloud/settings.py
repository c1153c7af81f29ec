"""The settings of ``axonet-cloud``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic.config import JsonDict

from axonet.core.bucket import bucket_and_name
from axonet.core.config import CommandSettings
from axonet.core.errors import UserError

SHORT_J: JsonDict = {"short": "j"}
_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class CloudSettings(CommandSettings):
    """What both commands of ``axonet-cloud`` take."""

    output: str = Field(description="where results go: gs://bucket/folder")
    config: Path | None = Field(
        None, description="settings of the workflow, as in config.yaml; what it does not name keeps its default"
    )
    machine_type: str | None = Field(
        None, description="machine of the jobs that draw or train, such as n1-standard-8; default: that of the profile"
    )
    gpu_type: str | None = Field(
        None, description="GPU of those jobs, such as nvidia-tesla-t4; generate-dataset draws on the CPU without one"
    )
    project: str | None = Field(
        None, description="Google Cloud project that pays; default: that of the credentials on this machine"
    )
    region: str = Field("us-central1", description="where machines are started; take the bucket's own region")
    container: str | None = Field(
        None,
        description="image that jobs run in; default: axonet/dataset or axonet/train with axonet's version in the "
        "project's Artifact Registry",
    )
    spot: bool = Field(True, description="draw and encode on spot machines, which are cheaper and can be taken away")
    spot_retries: int = Field(3, ge=0, le=10, description="how often Google tries a job of a spot machine again")
    max_run_duration: str | None = Field(
        None, pattern=r"^\d+s$", description="longest run of a job that draws or trains, such as 7200s"
    )
    labels: dict[str, str] = Field({}, description="labels on all machines, as name=value: for the bill")
    boot_disk_gb: int | None = Field(
        None, ge=30, description="disk of the jobs that draw or train, in GB; training needs room for all views"
    )
    service_account: str | None = Field(
        None, description="account that the machines act as; default: the project's own"
    )
    jobs: int | None = Field(
        None, ge=1, description="jobs at a time; lower it below your quota", json_schema_extra=SHORT_J
    )
    directory: Path = Field(
        Path("axonet-cloud"),
        description="folder on this machine for the workflow and its memory of which settings made what: keep it",
    )
    dry_run: bool = Field(False, description="print the call of Snakemake and do nothing")

    @field_validator("output", "data", "manifest", check_fields=False)
    @classmethod
    def _lies_in_a_bucket(cls, address: str) -> str:
        try:
            bucket_and_name(address)
        except UserError as error:
            raise ValueError(str(error)) from None
        return address.rstrip("/")

    @field_validator("labels")
    @classmethod
    def _google_takes_the_labels(cls, labels: dict[str, str]) -> dict[str, str]:
        for name, value in labels.items():
            if not _LABEL.fullmatch(name) or not re.fullmatch(r"[a-z0-9_-]{0,63}", value):
                raise ValueError(f"{name}={value}: lower-case letters, digits, _ and - only, a letter first")
        return labels


class GenerateDataset(CloudSettings):
    """Measure and draw the neurons of a manifest on Google Batch.

    The manifest has a JSON object a line: id, swc (an address in a bucket; a relative one starts at the manifest's
    folder), sha256, and metadata. A second run draws only what is new or changed.
    """

    manifest: str = Field(description="list of neurons: gs://bucket/manifest.jsonl")


class Train(CloudSettings):
    """Train and evaluate on Google Batch, on what generate-dataset has made."""

    data: str = Field(description="what generate-dataset has made: its --output")
    devices: int | None = Field(
        None, ge=1, le=16, description="GPUs that train together; default: devices of stage1 and stage2, or 1"
    )
    stage: Literal["1", "2", "all"] = Field(
        "all", description="1: SegVAE2D; 2: also the model of shapes and words; all: also the evaluation"
    )
