"""Train Stage 2: ``python -m axonet.training.clip_trainer``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from axonet.core.config import run_command
from axonet.core.errors import UserError
from axonet.core.progress import warn
from axonet.learning.clip_settings import ClipSettings
from axonet.metadata.settings import TableColumns
from axonet.training.inputs import IO, TrainingViews

if TYPE_CHECKING:
    from axonet.learning.clip_neurons import Measures
    from axonet.learning.clip_views import Views


class ClipConfig(ClipSettings, TableColumns, TrainingViews):
    """Align views of neurons with descriptions that are generated from their metadata and measurements.

    Views are named either by a data directory and manifests, or by a split file with packed shards (or with the
    vectors of a frozen encoder). Writes best.ckpt, last.ckpt, history.csv, run.json, skipped.jsonl (neurons without
    metadata) and unmatched.jsonl (metadata without a neuron) into --save-dir, TensorBoard logs into --log-dir.
    """

    stage1_checkpoint: Path = Field(description="best.ckpt of Stage 1", json_schema_extra=IO)
    metadata: Path = Field(description="metadata of the neurons: metadata.jsonl or a table", json_schema_extra=IO)
    source: str = Field(
        "neuromorpho", description="dialect of --metadata: neuromorpho, allen or table", json_schema_extra=IO
    )
    measure_dir: Path | None = Field(
        None, description="folder of the measurements; with manifests --data-dir by default", json_schema_extra=IO
    )
    swc_dir: Path | None = Field(
        None,
        description="folder of the SWC files, for neurons that measure.parquet of --data-dir lacks; by default the "
        "folder that was rendered, or swc beside --metadata or --data-dir",
        json_schema_extra=IO,
    )
    encode_dir: Path | None = Field(
        None, description="folder of Stage 1 vectors made by encode, for --freeze-encoder", json_schema_extra=IO
    )
    save_dir: Path = Field(
        Path("checkpoints/clip"), description="folder for checkpoints and history", json_schema_extra=IO
    )
    log_dir: Path = Field(Path("logs/clip"), description="folder for TensorBoard logs", json_schema_extra=IO)

    @model_validator(mode="after")
    def _one_way_to_name_views(self) -> ClipConfig:
        if self.data_dir is not None and any([self.splits, self.shards, self.render_dir]):
            raise ValueError("give --data-dir with manifests, or --splits with --shards, not both")
        images = self.render_dir is not None or self.encode_dir is not None
        if self.data_dir is None and not (self.splits and self.shards and images):
            raise ValueError(
                "views are named by --data-dir (with manifests), or by --splits, --shards and --render-dir (or "
                "--encode-dir)"
            )
        if self.encode_dir is not None and not self.freeze_encoder:
            raise ValueError("--encode-dir holds vectors of the encoder as it is: give --freeze-encoder too")
        if self.swc_dir is not None and (self.data_dir is None or self.measure_dir is not None):
            raise ValueError("--swc-dir is measured for --data-dir without --measure-dir; leave it out")
        return self


def open_views(config: ClipConfig, fingerprint: str) -> tuple[Views, Views | None]:
    """The training views and, where there are any, the validation views."""
    from axonet.datasets.selection import ids_of_split, load_split_views, shard_files
    from axonet.learning.clip_views import stored_views, vector_views

    if config.data_dir is not None:
        manifests = [config.manifest_train or config.data_dir / "manifest_train.jsonl", config.manifest_val]
        train, val = (None if manifest is None else _named_by_manifest(config, manifest) for manifest in manifests)
    else:
        assert config.splits is not None
        assert config.shards is not None
        if config.encode_dir is not None:
            files = shard_files(config.shards, config.encode_dir, ".parquet")
            ids = [ids_of_split(config.splits, split).to_pylist() for split in ("train", "val")]
            train, val = (vector_views(files, names, fingerprint) for names in ids)
        else:
            where = {"splits": config.splits, "index": config.shards, "render_dir": config.render_dir}
            train, val = (
                stored_views(load_split_views(split, **where), named_by_swc=False) for split in ("train", "val")
            )
    assert train is not None
    if len(train) == 0:
        raise UserError(f"{config.splits}: no neuron of its split train has views")
    return train, val if val is not None and len(val) else None


def _named_by_manifest(config: ClipConfig, manifest: Path) -> Views:
    from axonet.datasets.selection import load_split_views
    from axonet.learning.clip_views import stored_views
    from axonet.learning.image_files import check_image_files

    assert config.data_dir is not None
    store = load_split_views("", data_dir=config.data_dir, manifest=manifest)
    if len(store) == 0:
        raise UserError(f"{manifest}: names no views, so there is nothing to train on or to validate with")
    if config.encode_dir is None:  # with vectors at hand no image is read
        check_image_files(store, config.data_dir, manifest)
    return stored_views(store, named_by_swc=True)


def open_measures(config: ClipConfig, views: Sequence[Views | None] = ()) -> dict[str, Measures]:
    """Measurements by neuron id; what a data directory lacks is measured from the SWC files that its manifests name.

    Raises:
        UserError: --swc-dir is no folder.
    """
    from axonet.datasets.measured import measures_of, read_measures
    from axonet.datasets.selection import shard_files

    if config.shards is not None:
        return read_measures(
            [] if config.measure_dir is None else shard_files(config.shards, config.measure_dir, ".parquet")
        )
    if config.measure_dir is not None:
        return read_measures([config.measure_dir / "measure.parquet"])
    assert config.data_dir is not None
    if config.swc_dir is not None and not config.swc_dir.is_dir():
        raise UserError(f"--swc-dir {config.swc_dir}: no such folder")
    stores = [part.store for part in views if part is not None and part.store is not None]
    folder = config.swc_dir or config.metadata.parent / "swc"
    return measures_of(config.data_dir, stores, max(1, config.workers), [folder])


def files_of_other_splits(config: ClipConfig) -> list[str]:
    """SWC files that the data directory's manifests name, whatever their split: their rows are not without a file."""
    from axonet.datasets.manifest import named_files
    from axonet.datasets.splits import SPLITS

    if config.data_dir is None:
        return []
    used = [config.manifest_train or config.data_dir / "manifest_train.jsonl", config.manifest_val]
    manifests = [config.data_dir / f"manifest_{split}.jsonl" for split in SPLITS]
    found: list[str] = []
    for manifest in manifests:
        if manifest.is_file() and manifest not in used:
            try:
                found += named_files(manifest)
            except UserError as error:
                warn(f"{error}; rows of its neurons count as without an SWC file")
    return found


def run(config: ClipConfig) -> None:
    """Train, and record the run."""
    from axonet.core.provenance import run_record
    from axonet.metadata.adapters import load_records

    records = load_records(config.metadata, config.source, config.columns)
    from axonet.learning.clip_fit import describe, train_clip  # takes seconds; a wrong path is reported before
    from axonet.models.checkpoint import load_checkpoint

    stage1 = load_checkpoint(config.stage1_checkpoint, 1)
    train, val = open_views(config, stage1["fingerprint"])
    measures = open_measures(config, [train, val])
    data = describe(train, val, records, measures, config.metadata, files_of_other_splits(config))
    vector_files = sorted(config.encode_dir.glob("*.parquet")) if config.encode_dir and config.data_dir else []
    paths = [config.stage1_checkpoint, config.metadata, config.manifest_train, config.manifest_val, config.splits]
    inputs = [path for path in [*paths, config.shards] if path]
    with run_record(config.save_dir, "axonet.training.clip_trainer", config, inputs) as record:
        result = train_clip(
            config,
            stage1,
            data,
            save_dir=config.save_dir,
            log_dir=config.log_dir,
            resume=config.resume,
            vector_files=vector_files,
        )
        record.add(
            device=result.device,
            steps=result.steps,
            best_epoch=result.best_epoch + 1,
            best_value=result.best_value,
            train_neurons=len(data.train),
            val_neurons=0 if data.val is None else len(data.val),
            skipped_neurons=len(data.skipped),
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(ClipConfig, run, argv)


if __name__ == "__main__":
    sys.exit(main())
