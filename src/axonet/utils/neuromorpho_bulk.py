"""Command: neurons of NeuroMorpho.Org into a folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from axonet.core.config import CommandSettings, run_command
from axonet.sources.neuromorpho.settings import NeuroMorphoSettings


class NeuroMorphoBulkConfig(NeuroMorphoSettings, CommandSettings):
    """Download reconstructions and metadata of NeuroMorpho.Org by its API and direct links.

    Writes swc/, metadata.jsonl, morphometry.jsonl, status.jsonl, citations.csv and citations.bib. Stopped at any
    moment, the same command goes on where it was.
    """

    out: Path = Field(Path("data/neuromorpho"), description="output folder", json_schema_extra={"io": True})
    count_only: bool = Field(
        False, description="print how many neurons there are, and download nothing", json_schema_extra={"io": True}
    )


def run(config: NeuroMorphoBulkConfig) -> None:
    """Count or download."""
    from axonet.core.provenance import run_record
    from axonet.sources.disk import disk_errors
    from axonet.sources.neuromorpho.download import count_selection, download_neuromorpho

    if config.count_only:
        sys.stdout.write(f"{count_selection(config)}\n")
        return
    with disk_errors(config.out), run_record(config.out, "axonet.utils.neuromorpho_bulk", config) as record:
        record.add(site=config.site, **download_neuromorpho(config, config.out))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(NeuroMorphoBulkConfig, run, argv)


if __name__ == "__main__":
    sys.exit(main())
