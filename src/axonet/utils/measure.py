"""Measure SWC files: ``python -m axonet.utils.measure``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic.config import JsonDict

from axonet.core.config import CommandSettings, run_command

IO: JsonDict = {"io": True}


class MeasureConfig(CommandSettings):
    """Morphometrics, quality codes and fingerprint of every neuron, as one Parquet table."""

    swc_dir: Path | None = Field(None, description="folder of SWC files, with its sub-folders", json_schema_extra=IO)
    catalog: Path | None = Field(None, description="catalog of neurons, instead of --swc-dir", json_schema_extra=IO)
    catalog_shard: str | None = Field(None, description="which shard, as <shard>-<digest>", json_schema_extra=IO)
    out: Path = Field(Path("measure.parquet"), description="table to write", json_schema_extra=IO)
    jobs: int = Field(1, ge=1, description="parallel workers", json_schema_extra={"io": True, "short": "j"})

    @model_validator(mode="after")
    def _one_way_to_name_neurons(self) -> Self:
        if (self.swc_dir is None) == (self.catalog is None):
            raise ValueError("neurons are named by --swc-dir, or by --catalog with --catalog-shard")
        if (self.catalog is None) != (self.catalog_shard is None):
            raise ValueError("--catalog and --catalog-shard go together")
        return self


def run(config: MeasureConfig) -> None:
    """Measure and write."""
    from collections import Counter

    from axonet.core.files import write_table
    from axonet.core.progress import say, track
    from axonet.datasets.build import list_entries
    from axonet.datasets.measures import measure_entry, measure_table
    from axonet.sources.catalog import shard_entries
    from axonet.sources.workers import map_ordered

    if config.catalog is not None and config.catalog_shard is not None:
        entries = shard_entries(config.catalog, config.catalog_shard)
    elif config.swc_dir is not None:
        entries = list_entries(config.swc_dir)
    results = map_ordered(measure_entry, entries, config.jobs)
    rows = list(track(results, "measuring neurons", len(entries)))
    write_table(config.out, measure_table(rows))
    counts = Counter(str(row["status"]) for row in rows)
    say(f"{config.out}: {len(rows)} neurons ({', '.join(f'{code} {n}' for code, n in sorted(counts.items()))})")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(MeasureConfig, run, argv)


if __name__ == "__main__":
    sys.exit(main())
