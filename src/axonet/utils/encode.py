"""Command: vectors of rendered views by a trained model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator
from pydantic.config import JsonDict

from axonet.core.config import CommandSettings, run_command

IO: JsonDict = {"io": True}


class EncodeConfig(CommandSettings):
    """Encode every view of a data directory or of one packed shard with a Stage 1 or Stage 2 checkpoint."""

    checkpoint: Path = Field(description="checkpoint of Stage 1 or Stage 2", json_schema_extra=IO)
    data_dir: Path | None = Field(
        None, description="data directory of dataset_generator; with --manifest", json_schema_extra=IO
    )
    manifest: Path | None = Field(
        None, description="which views of the data directory, e.g. its manifest_val.jsonl", json_schema_extra=IO
    )
    shard: Path | None = Field(None, description="a packed shard of views, instead of both", json_schema_extra=IO)
    measures: Path | None = Field(
        None,
        description="table of measurements, for a Stage 2 model that joins them: joined vectors are written too; "
        "measure.parquet in --data-dir by default",
        json_schema_extra=IO,
    )
    merge_dendrites: bool = Field(
        False,
        description="show basal and apical dendrites as one, to see what a model that sees types makes of neurons "
        "without that distinction",
    )
    out: Path = Field(description="Parquet file to write: one vector per view", json_schema_extra=IO)
    batch_size: int = Field(64, ge=1, description="images per step; lower it when memory runs out")
    workers: int = Field(0, ge=0, description="processes that read images besides this one")
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = Field(
        "auto", description="what to compute on; auto takes a GPU when there is one"
    )

    @model_validator(mode="after")
    def _names_views_in_one_way(self) -> EncodeConfig:
        by_manifest = self.data_dir is not None and self.manifest is not None
        neither = self.data_dir is None and self.manifest is None
        if (self.shard is None and not by_manifest) or (self.shard is not None and not neither):
            raise ValueError("name the views by --data-dir and --manifest, or by --shard alone")
        return self


def run(config: EncodeConfig) -> None:
    """Read views, encode them, write the vectors."""
    from axonet.core.progress import say, warn
    from axonet.datasets.measured import read_measures
    from axonet.datasets.view_store import ViewStore
    from axonet.inference.device import torch_device
    from axonet.inference.encode import encode_store, load_view_encoder
    from axonet.inference.vectors import write_vectors

    device = torch_device(config.accelerator)
    encoder = load_view_encoder(config.checkpoint, device=device, merge_dendrites=config.merge_dendrites)
    if config.merge_dendrites and encoder.spec.inputs == "silhouette":
        say(f"{config.checkpoint}: sees silhouettes, so --merge-dendrites makes no difference")
    if config.shard is not None:
        store = ViewStore.from_shards([config.shard])
    else:
        assert config.data_dir is not None
        assert config.manifest is not None
        store = ViewStore.from_manifest(config.data_dir, config.manifest)
    measures = None
    if encoder.stage == 2 and encoder.spec.morphometrics:
        table = config.measures or (None if config.data_dir is None else config.data_dir / "measure.parquet")
        if table is not None and (config.measures is not None or table.is_file()):
            measures = read_measures([table])
        else:
            warn("no --measures: vectors of the pictures alone, though the model joins morphometrics")
    elif config.measures is not None:
        say(f"{config.checkpoint}: joins no morphometrics; {config.measures} is not needed")
    vectors = encode_store(encoder, store, config.batch_size, config.workers, measures)
    write_vectors(config.out, vectors)
    say(
        f"{config.out}: {len(vectors):,} views of {len(set(vectors.neuron_id)):,} neurons, "
        f"{encoder.dim} numbers each (Stage {encoder.stage}, checkpoint {encoder.fingerprint})"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(EncodeConfig, run, argv)


if __name__ == "__main__":
    sys.exit(main())
