"""Collect neurons into one catalog: ``python -m axonet.utils.acquire``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field
from pydantic.config import JsonDict

from axonet.core.config import CommandSettings, run_command
from axonet.sources.settings import AcquireSettings

IO: JsonDict = {"io": True}


class AcquireConfig(AcquireSettings, CommandSettings):
    """Collect the neurons of all sources into one catalog, and write the index of its shards.

    Files that a source brings (those of the demo) are written beside the catalog.
    """

    catalog: Path = Field(
        Path("results/acquire/catalog.parquet"), description="table to write, one row per neuron", json_schema_extra=IO
    )
    index: Path = Field(
        Path("results/acquire/index.json"), description="index of shards to write", json_schema_extra=IO
    )
    jobs: int = Field(1, ge=1, description="parallel workers", json_schema_extra={"io": True, "short": "j"})


def run(config: AcquireConfig) -> None:
    """Collect, describe, write."""
    from axonet.core.progress import say
    from axonet.core.provenance import run_record
    from axonet.sources.catalog import catalog_table, listing_digest, write_catalog
    from axonet.sources.collect import collect_neurons
    from axonet.sources.found import describe_files

    folder = config.catalog.parent
    with run_record(folder, "axonet.utils.acquire", config) as record:
        neurons = collect_neurons(config, folder)
        facts = describe_files(neurons, folder / "fingerprints.parquet", config.jobs)
        table = catalog_table(neurons, facts, config.shard_bits)
        index = write_catalog(config.catalog, config.index, table, listing_digest(config))
        record.add(neurons=len(table), shards=len(index["shards"]), found=len(neurons))
    left_out = len(neurons) - len(table)
    twice = len(table) - table.column("duplicate_of").null_count
    say(f"{len(table)} neurons in {len(index['shards'])} shards: {config.catalog}")
    if left_out or twice:
        say(f"{left_out} left out because an earlier source has them, {twice} marked as the same shape as another")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(AcquireConfig, run, argv)


if __name__ == "__main__":
    sys.exit(main())
