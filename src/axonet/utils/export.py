"""Write vectors, metadata, map and pictures of a run for other tools and the explorer: ``axonet export results/``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic.config import JsonDict
from pydantic_settings import CliPositionalArg

from axonet.core.config import CommandSettings, run_command
from axonet.explore.settings import ExportSettings

IO: JsonDict = {"io": True}


class ExportConfig(ExportSettings, CommandSettings):
    """Write what a run knows of its neurons into results/explore: a table, vectors, a map, neighbors, pictures.

    The files are found by what the run's evaluation was told; a flag for a file overrules that.
    """

    results: CliPositionalArg[Path] = Field(description="the workflow's results folder", json_schema_extra=IO)
    format: Literal["parquet", "csv", "h5ad"] = Field(
        "parquet",
        description="parquet: the folder alone; csv: also neurons.csv and vectors.csv; h5ad: also neurons.h5ad, which "
        "anndata and scanpy read (needs anndata)",
        json_schema_extra=IO,
    )
    out: Path | None = Field(
        None, description="folder to write; explore in the results by default", json_schema_extra=IO
    )
    run: str | None = Field(None, description="which run; main or the only one by default", json_schema_extra=IO)
    checkpoint: Path | None = Field(None, description="checkpoint of Stage 2", json_schema_extra=IO)
    splits: Path | None = Field(None, description="split file", json_schema_extra=IO)
    shards: Path | None = Field(None, description="index of the catalog's shards", json_schema_extra=IO)
    metadata: Path | None = Field(None, description="the catalog", json_schema_extra=IO)
    render_dir: Path | None = Field(None, description="folder of the packed views", json_schema_extra=IO)
    measure_dir: Path | None = Field(None, description="folder of the measurements", json_schema_extra=IO)
    encode_dir: Path | None = Field(None, description="folder of the vectors of Stage 2", json_schema_extra=IO)


def run(config: ExportConfig) -> None:
    """Find the files, write the folder, then the format that was asked for."""
    from dataclasses import asdict, fields

    from axonet.core.progress import say
    from axonet.explore.export import export
    from axonet.explore.folder import EXPLORE
    from axonet.explore.formats import write_format
    from axonet.explore.origin import Origin, find_origin

    given = {field.name: getattr(config, field.name) for field in fields(Origin)}
    if all(value is not None for value in given.values()):
        origin, name = Origin.of(given), config.run or "main"
    else:
        found, name = find_origin(config.results, config.run)
        own = {key: Path.cwd() / value for key, value in given.items() if value is not None}
        origin = Origin.of({**asdict(found), **own})
    out = config.out or config.results / EXPLORE
    export(origin, config.results.parent, out, config, name)
    extra = write_format(out, config.format)
    for path in (out, *extra):
        say(f"wrote {path}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(ExportConfig, run, argv, program="axonet export")


if __name__ == "__main__":
    sys.exit(main())
