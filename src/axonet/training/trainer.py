"""Train Stage 1: ``python -m axonet.training.trainer``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from axonet.core.config import run_command
from axonet.core.errors import UserError
from axonet.learning.settings import Stage1Settings
from axonet.training.inputs import IO, TrainingViews

if TYPE_CHECKING:
    from axonet.datasets.view_store import ViewStore


class Stage1Config(Stage1Settings, TrainingViews):
    """Train SegVAE2D to recover compartments and depth from silhouettes.

    Views are named either by a data directory and manifests, or by a split file with packed shards. Writes best.ckpt,
    last.ckpt, history.csv and run.json into --save-dir, TensorBoard logs and pictures of predictions into --log-dir.
    """

    measure_dir: Path | None = Field(
        None,
        description="folder of the measurements that vectors have to predict; with --data-dir by default the "
        "measure.parquet in it, which is made from the SWC files where it is missing",
        json_schema_extra=IO,
    )
    save_dir: Path = Field(
        Path("checkpoints/stage1"), description="folder for checkpoints and history", json_schema_extra=IO
    )
    log_dir: Path = Field(Path("logs/stage1"), description="folder for TensorBoard logs", json_schema_extra=IO)

    @model_validator(mode="after")
    def _one_way_to_name_views(self) -> Stage1Config:
        workflow = [self.splits, self.shards, self.render_dir]
        if self.data_dir is not None and any(workflow):
            raise ValueError("give --data-dir with manifests, or --splits, --shards and --render-dir, not both")
        if self.data_dir is None and not all(workflow):
            raise ValueError(
                "views are named by --data-dir (with manifests), or by --splits, --shards and --render-dir"
            )
        return self


def open_views(config: Stage1Config) -> tuple[ViewStore, ViewStore | None]:
    """The training views and, where there are any, the validation views."""
    from axonet.datasets.selection import load_split_views

    if config.data_dir is not None:
        train = _named_by_manifest(config.data_dir, config.manifest_train or config.data_dir / "manifest_train.jsonl")
        return train, None if config.manifest_val is None else _named_by_manifest(config.data_dir, config.manifest_val)
    train, val = (
        load_split_views(split, splits=config.splits, index=config.shards, render_dir=config.render_dir)
        for split in ("train", "val")
    )
    if len(train) == 0:
        raise UserError(f"{config.splits}: no neuron of its split train has views in {config.render_dir}")
    return train, val if len(val) else None


def _named_by_manifest(data_dir: Path, manifest: Path) -> ViewStore:
    from axonet.datasets.selection import load_split_views
    from axonet.learning.image_files import check_image_files

    store = load_split_views("", data_dir=data_dir, manifest=manifest)
    if len(store) == 0:
        raise UserError(f"{manifest}: names no views, so there is nothing to train on or to validate with")
    check_image_files(store, data_dir, manifest)
    return store


def open_measures(config: Stage1Config, stores: Sequence[ViewStore]) -> dict[str, Mapping[str, Any]]:
    """Measurements by neuron id, those that are not there yet made of the SWC files; none when nobody asks for them."""
    from axonet.datasets.measured import measures_of, read_measures
    from axonet.datasets.selection import shard_files

    if config.lambda_morphometrics == 0:
        return {}
    if config.measure_dir is None:
        return {} if config.data_dir is None else measures_of(config.data_dir, stores, max(1, config.workers))
    if config.shards is not None:
        return read_measures(shard_files(config.shards, config.measure_dir, ".parquet"))
    return read_measures([config.measure_dir / "measure.parquet"])


def run(config: Stage1Config) -> None:
    """Train, and record the run."""
    from axonet.core.provenance import run_record

    train, val = open_views(config)
    from axonet.learning.fit import choose_precision  # takes seconds; a wrong path is reported before
    from axonet.learning.stage1 import train_stage1

    choose_precision(config.precision, config.accelerator)  # what the machine cannot do is told before measuring
    measures = open_measures(config, [train] if val is None else [train, val])
    inputs = [path for path in (config.manifest_train, config.manifest_val, config.splits, config.shards) if path]
    with run_record(config.save_dir, "axonet.training.trainer", config, inputs) as record:
        result = train_stage1(
            config,
            train,
            val,
            save_dir=config.save_dir,
            log_dir=config.log_dir,
            resume=config.resume,
            measures=measures,
        )
        record.add(
            device=result.device, steps=result.steps, best_epoch=result.best_epoch + 1, best_value=result.best_value
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(Stage1Config, run, argv)


if __name__ == "__main__":
    sys.exit(main())
