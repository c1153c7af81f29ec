"""Render SWC files into 2D views: ``python -m axonet.training.dataset_generator``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic.config import JsonDict

from axonet.core.config import CommandSettings, run_command, setting_values
from axonet.datasets.parts import DEFAULT_SHARD_BITS, Part
from axonet.datasets.splits import SplitSettings
from axonet.metadata.settings import TableColumns
from axonet.rendering.settings import RenderSettings

IO: JsonDict = {"io": True}
NOT_OF_A_SHARD = {*SplitSettings.model_fields, "metadata"}


class DatasetGeneratorConfig(RenderSettings, SplitSettings, TableColumns, CommandSettings):
    """Render 2D views of SWC files, and divide the neurons into training, validation and test.

    A neuron that is finished is not rendered again: after a stop, the same command goes on. With --shard, several
    processes share the work. With --catalog, only the packed shard --catalog-shard is made.
    """

    swc_dir: Path | None = Field(None, description="folder of SWC files, with its sub-folders", json_schema_extra=IO)
    out: Path = Field(description="folder to write", json_schema_extra=IO)
    layout: Literal["png", "shards"] = Field("png", description="PNG files, or packed files of many neurons")
    shard: str | None = Field(
        None,
        description="k/n, such as 3/16: render part k of n of the neurons and leave the others to processes with the "
        "same flags and another k, at the same time if you like; the last to finish writes manifests and splits, and "
        "so does a call without --shard",
        json_schema_extra=IO,
    )
    shard_bits: int | None = Field(
        None,
        ge=0,
        le=16,
        description="with --layout shards: how many packed files are written, 2^bits; default 4, aim at 512 neurons a "
        "file; it has nothing to do with --shard, which divides the work",
    )
    metadata: Path | None = Field(None, description="tells donors and labs for --split-by", json_schema_extra=IO)
    source: Literal["neuromorpho", "allen", "table"] = Field("neuromorpho", description="dialect of --metadata")
    jobs: int = Field(1, ge=1, description="parallel workers", json_schema_extra={"io": True, "short": "j"})
    catalog: Path | None = Field(None, description="catalog of neurons, instead of --swc-dir", json_schema_extra=IO)
    catalog_shard: str | None = Field(None, description="which shard, as <shard>-<digest>", json_schema_extra=IO)

    @model_validator(mode="after")
    def _one_way_to_name_neurons(self) -> Self:
        if (self.swc_dir is None) == (self.catalog is None) or (self.catalog is None) != (self.catalog_shard is None):
            raise ValueError("neurons are named by --swc-dir, or by --catalog with --catalog-shard")
        if self.shard_bits is not None and (self.layout != "shards" or self.catalog is not None):
            raise ValueError("--shard-bits is for --layout shards with --swc-dir")
        if self.part is not None and self.catalog is not None:
            raise ValueError("--shard divides the neurons of --swc-dir; of a catalog, --catalog-shard is the part")
        if self.part is not None and self.layout == "shards":
            n_files = 1 << (DEFAULT_SHARD_BITS if self.shard_bits is None else self.shard_bits)
            if self.part.of > n_files:
                raise ValueError(
                    f"--shard {self.part}: {n_files} packed files make work for at most {n_files} processes, as one "
                    "file is written by one; raise --shard-bits"
                )
        other = [n for n, f in type(self).model_fields.items() if n in NOT_OF_A_SHARD and getattr(self, n) != f.default]
        if self.catalog is not None and other:
            raise ValueError(f"a shard of a catalog is not split here: leave out {', '.join(other)}")
        return self

    @field_validator("shard")
    @classmethod
    def _is_a_part(cls, value: str | None) -> str | None:
        return None if value is None else str(Part.parse(value))

    @property
    def part(self) -> Part | None:
        """The part of the neurons that this process renders; all of them without one."""
        return None if self.shard is None else Part.parse(self.shard)


def run(config: DatasetGeneratorConfig) -> None:
    """Make a data directory, or one shard of a catalog."""
    from axonet.core.progress import say
    from axonet.core.provenance import run_record
    from axonet.datasets.build import DatasetRequest, build_dataset
    from axonet.datasets.build_shard import build_catalog_shard

    for notice in config.notices:
        say(notice)
    render = RenderSettings(**setting_values(config, list(RenderSettings.model_fields)))
    if config.catalog is not None and config.catalog_shard is not None:
        build_catalog_shard(config.catalog, config.catalog_shard, config.out, render, config.jobs)
        return
    fields = ("swc_dir", "out", "layout", "shard_bits", "metadata", "source", "columns", "part", "jobs")
    request = DatasetRequest(**{name: getattr(config, name) for name in fields}, render=render, split=config)
    inputs = filter(None, [config.metadata])
    file_name = "run.json" if config.part is None else f"run-{config.part.number}-of-{config.part.of}.json"
    with run_record(config.out, "axonet.training.dataset_generator", config, inputs, file_name=file_name) as record:
        record.add(counts=vars(build_dataset(request)))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(DatasetGeneratorConfig, run, argv)


if __name__ == "__main__":
    sys.exit(main())
