"""The paths that commands take alike: how views are named, and where a trainer writes."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic.config import JsonDict

from axonet.core.config import CommandSettings

IO: JsonDict = {"io": True}


class PackedViews(CommandSettings):
    """Views named by a split file with packed shards."""

    splits: Path | None = Field(None, description="split file, instead of manifests", json_schema_extra=IO)
    shards: Path | None = Field(None, description="index of the shards, with --splits", json_schema_extra=IO)
    render_dir: Path | None = Field(None, description="folder of the packed views, with --splits", json_schema_extra=IO)


class TrainingViews(PackedViews):
    """Views to train on, named by a data directory and manifests or by a split file; what can be resumed."""

    data_dir: Path | None = Field(None, description="folder made by dataset_generator", json_schema_extra=IO)
    manifest_train: Path | None = Field(
        None, description="training views; manifest_train.jsonl in --data-dir by default", json_schema_extra=IO
    )
    manifest_val: Path | None = Field(
        None,
        description="validation views, which choose the best epoch; without them the training value does",
        json_schema_extra=IO,
    )
    resume: str | None = Field(
        None,
        description="last.ckpt to go on from, or auto: what a stopped run left in --save-dir, if anything",
        json_schema_extra=IO,
    )
