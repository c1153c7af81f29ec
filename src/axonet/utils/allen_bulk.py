"""Command: cells of the Allen Institute into a folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from axonet.core.config import CommandSettings, run_command
from axonet.sources.allen.settings import AllenSettings


class AllenBulkConfig(AllenSettings, CommandSettings):
    """Download reconstructions and metadata of the Allen Cell Types Database and of the Patch-seq cells.

    Writes swc/, status.jsonl, citations.csv and citations.bib; with --include-metadata also metadata.jsonl (read it
    with --source allen) and records.jsonl. Stopped at any moment, the same command goes on where it was.
    """

    out: Path = Field(Path("data/allen"), description="output folder", json_schema_extra={"io": True})
    count_only: bool = Field(
        False, description="print how many cells there are, and download nothing", json_schema_extra={"io": True}
    )


def run(config: AllenBulkConfig) -> None:
    """Count or download."""
    from axonet.core.provenance import run_record
    from axonet.sources.allen.download import count_cells, download_allen
    from axonet.sources.disk import disk_errors

    if config.count_only:
        sys.stdout.write(f"{count_cells(config)}\n")
        return
    with disk_errors(config.out), run_record(config.out, "axonet.utils.allen_bulk", config) as record:
        record.add(sites=[config.allen_site, config.bil_site], **download_allen(config, config.out))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(AllenBulkConfig, run, argv)


if __name__ == "__main__":
    sys.exit(main())
