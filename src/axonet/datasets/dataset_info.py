"""``dataset.json``: what the images of a data directory are, and the settings that made them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from axonet.core.config import Settings
from axonet.core.errors import UserError
from axonet.core.files import read_json, write_json
from axonet.core.input_spec import InputSpec

FILE_NAME = "dataset.json"

Layout = Literal["png", "shards"]


class DatasetInfo(Settings):
    """Content of ``dataset.json``."""

    format: Literal[1] = Field(1, description="version of this file")
    layout: Layout = Field("png", description="a folder of PNG files per neuron, or packed shards")
    depth_bits: Literal[8, 16] = Field(8, description="bits of a depth value")
    input_spec: InputSpec = Field(InputSpec(), description="what an image is")
    settings: dict[str, Any] = Field({}, description="every setting that the images, or which of them exist, depend on")

    def difference(self, other: DatasetInfo) -> list[str]:
        """Phrases that name what ``other`` was made with instead of this; empty when both are alike."""
        mine, theirs = self._flat(), other._flat()
        names = mine.keys() | theirs.keys()
        if self.layout != other.layout:
            names -= {"shard_bits"}  # only one of the layouts has it
        return [
            f"{name} {_said(mine.get(name))} instead of {_said(theirs.get(name))}"
            for name in sorted(names)
            if mine.get(name) != theirs.get(name)
        ]

    def _flat(self) -> dict[str, Any]:
        return {"layout": self.layout, "depth_bits": self.depth_bits, **self.settings}


def _said(value: Any) -> str:
    return "none" if value is None else str(value)


def write_dataset_info(data_dir: Path, info: DatasetInfo) -> None:
    """Write ``dataset.json`` into a data directory."""
    write_json(data_dir / FILE_NAME, info.model_dump(mode="json"))


def read_dataset_info(data_dir: Path) -> DatasetInfo:
    """Read ``dataset.json`` of a data directory.

    Raises:
        UserError: missing or not what this version writes.
    """
    path = data_dir / FILE_NAME
    if not path.is_file():
        raise UserError(f"{path}: no such file; make the data with python -m axonet.training.dataset_generator")
    try:
        return DatasetInfo.model_validate(read_json(path))
    except ValidationError as error:
        raise UserError(f"{path}: not a dataset description of this version ({error.error_count()} errors)") from error
