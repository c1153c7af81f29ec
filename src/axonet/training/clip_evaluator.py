"""Judge a Stage 2 checkpoint: ``python -m axonet.training.clip_evaluator``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, model_validator

from axonet.core.config import run_command
from axonet.evaluation.settings import EvaluationSettings
from axonet.metadata.settings import TableColumns
from axonet.training.inputs import IO, PackedViews


class EvaluateConfig(EvaluationSettings, TableColumns, PackedViews):
    """Judge a Stage 2 checkpoint: retrieval, zero-shot, probes and baselines, with intervals.

    Views are named by a data directory and a manifest, or by a split file with packed shards. Writes metrics.json,
    eval_report.txt, report.html, tsne_cell_type.png, tsne_region.png, confusion_matrix.png and run.json into
    --output-dir, and vectors.parquet where no vectors were given. Each look at test neurons adds a line to
    test_touches.jsonl there, before any figure is computed, so that a run that is stopped counts as well.
    """

    checkpoint: Path = Field(description="best.ckpt of Stage 2", json_schema_extra=IO)
    data_dir: Path | None = Field(None, description="folder made by dataset_generator", json_schema_extra=IO)
    manifest: Path | None = Field(None, description="the judged views, with --data-dir", json_schema_extra=IO)
    manifest_train: Path | None = Field(
        None,
        description="views that probes and baselines learn on; manifest_train.jsonl in --data-dir where there is one, "
        "else they learn by cross-validation inside --manifest",
        json_schema_extra=IO,
    )
    metadata: Path = Field(description="metadata of the neurons, in the dialect of --source", json_schema_extra=IO)
    source: str = Field(
        "neuromorpho", description="dialect of --metadata: neuromorpho, allen or table", json_schema_extra=IO
    )
    output_dir: Path = Field(Path("eval_results"), description="folder for all outputs", json_schema_extra=IO)
    vectors: Path | None = Field(
        None, description="vectors of all these views (a file or a folder); encoded by default", json_schema_extra=IO
    )
    measure_dir: Path | None = Field(
        None, description="folder of the measurements; with manifests --data-dir by default", json_schema_extra=IO
    )
    encode_dir: Path | None = Field(
        None, description="folder of the checkpoint's vectors, with --splits; encoded by default", json_schema_extra=IO
    )

    @model_validator(mode="after")
    def _one_way_to_name_views(self) -> EvaluateConfig:
        workflow = {name: getattr(self, name) for name in ("splits", "shards", "render_dir", "encode_dir")}
        by_manifest = {name: getattr(self, name) for name in ("data_dir", "manifest", "manifest_train")}
        if any(workflow.values()) and any(by_manifest.values()):
            raise ValueError(
                "name the views by --data-dir and --manifest, or by --splits, --shards and --render-dir, not both"
            )
        if any(workflow.values()):
            if not (self.splits and self.shards and self.render_dir):
                raise ValueError("--splits, --shards and --render-dir belong together")
        elif self.data_dir is None or self.manifest is None:
            raise ValueError("--data-dir and --manifest are required (or --splits, --shards and --render-dir)")
        elif "split" in self.model_fields_set:
            raise ValueError("--split chooses from a split file; the neurons of --manifest are judged as they are")
        return self


def run(config: EvaluateConfig) -> None:
    """Judge the checkpoint and write everything down."""
    from axonet.core.provenance import run_record
    from axonet.evaluation.places import Places
    from axonet.evaluation.write import evaluate_checkpoint

    places = Places(**{name: getattr(config, name) for name in Places.__dataclass_fields__})
    inputs = [path for path in (config.checkpoint, config.manifest, config.metadata, config.splits) if path is not None]
    with run_record(config.output_dir, "axonet.training.clip_evaluator", config, inputs) as record:
        found = evaluate_checkpoint(places, config)
        record.add(judged=found.metrics["splits"])


def main(argv: Sequence[str] | None = None) -> int:
    """Command-line entry."""
    return run_command(EvaluateConfig, run, argv)


if __name__ == "__main__":
    sys.exit(main())
