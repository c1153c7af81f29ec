"""Divide a catalog's neurons: ``python -m axonet.utils.split``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field
from pydantic.config import JsonDict

from axonet.core.config import CommandSettings, run_command
from axonet.datasets.splits import SplitSettings

IO: JsonDict = {"io": True}


class SplitConfig(SplitSettings, CommandSettings):
    """Divide the neurons of a catalog into training, validation and test.

    A split file that exists only grows: neurons that are in it never move.
    """

    catalog: Path = Field(
        Path("results/acquire/catalog.parquet"), description="catalog of all neurons", json_schema_extra=IO
    )
    out: Path = Field(description="split file to write or to extend", json_schema_extra=IO)
    former: Path | None = Field(
        None, description="folder with earlier versions of the file; nobody in them moves either", json_schema_extra=IO
    )


def run(config: SplitConfig) -> None:
    """Divide, write, count."""
    from collections import Counter

    from axonet.core.progress import say
    from axonet.datasets.splits import catalog_keys, update_split_file

    ids, keys = catalog_keys(config.catalog, config.split_by)
    former = sorted(config.former.glob("*.parquet")) if config.former else []
    table = update_split_file(config.out, ids, keys, config, former)
    split_of = dict(zip(table["neuron_id"].to_pylist(), table["split"].to_pylist(), strict=True))
    counts = Counter(split_of[neuron] for neuron in ids)
    groups = len(set(table["group"].to_pylist()))
    say(f"{config.out}: {', '.join(f'{name} {n}' for name, n in sorted(counts.items()))} neurons in {groups} groups")
    if gone := len(table) - len(ids):
        say(f"{gone} neurons that the catalog no longer has are remembered, so that they would come back unmoved")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(SplitConfig, run, argv)


if __name__ == "__main__":
    sys.exit(main())
