"""Settings of a download from the Allen Institute."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from axonet.sources.download_settings import DownloadSettings, ServerUrl, server_root

Dataset = Literal["cell-types", "patch-seq-mouse", "patch-seq-human"]
Reconstruction = Literal["transformed", "raw"]

DEFAULT_URL = "https://api.brain-map.org"
URL_VARIABLE = "AXONET_ALLEN_URL"
DEFAULT_BIL_URL = "https://download.brainimagelibrary.org"
BIL_URL_VARIABLE = "AXONET_BIL_URL"


class AllenSettings(DownloadSettings):
    """Which cells of the Allen Institute, and what of them."""

    dataset: list[Dataset] = Field(
        ["cell-types", "patch-seq-mouse", "patch-seq-human"],
        min_length=1,
        description="cell-types: the Cell Types Database; patch-seq-mouse, patch-seq-human: cells with a "
        "transcriptomic type",
    )
    include_metadata: bool = Field(False, description="also write what is known of the cells")
    reconstruction: Reconstruction = Field(
        "transformed",
        description="patch-seq files: transformed (upright, corrected for shrinkage and tilt) or raw, never both",
    )
    tables: Path | None = Field(
        None,
        description="folder with patch-seq tables and file manifests (CSV) of another edition; default: those of 2020 "
        "that the Python package ipfx carries, fetched once",
    )
    base_url: ServerUrl = Field(
        None,
        description=f"server of the Cell Types Database; default: the environment variable {URL_VARIABLE}, or "
        f"{DEFAULT_URL}",
    )
    bil_url: ServerUrl = Field(
        None,
        description=f"server of the patch-seq files; default: the environment variable {BIL_URL_VARIABLE}, or "
        f"{DEFAULT_BIL_URL}",
    )

    @field_validator("dataset")
    @classmethod
    def _named_once(cls, dataset: list[Dataset]) -> list[Dataset]:
        if len(set(dataset)) != len(dataset):
            raise ValueError("a data set is named twice")
        return dataset

    @property
    def allen_site(self) -> str:
        """Server of the Cell Types Database, without a slash at its end."""
        return server_root(self.base_url, URL_VARIABLE, DEFAULT_URL)

    @property
    def bil_site(self) -> str:
        """Server of the patch-seq files, without a slash at its end."""
        return server_root(self.bil_url, BIL_URL_VARIABLE, DEFAULT_BIL_URL)
