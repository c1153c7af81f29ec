"""Show the worst neurons of rendered shards on a page: ``python -m axonet.utils.quality``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field
from pydantic.config import JsonDict

from axonet.core.config import CommandSettings, run_command

IO: JsonDict = {"io": True}


class QualityConfig(CommandSettings):
    """Write a page with the worst neurons, their pictures, and how often each reason and remark occurs.

    A data directory of axonet.training.dataset_generator has its page already.
    """

    shards: Path = Field(
        Path("results/acquire/index.json"), description="index of the catalog's shards", json_schema_extra=IO
    )
    render_dir: Path = Field(description="folder of their packed views", json_schema_extra=IO)
    out: Path = Field(Path("results/quality.html"), description="page to write", json_schema_extra=IO)


def run(config: QualityConfig) -> None:
    """Read the quality tables, write the page."""
    from axonet.core.files import read_table, write_text
    from axonet.core.progress import say
    from axonet.datasets.build_shard import qc_file
    from axonet.datasets.quality import packed_pictures, worst_neurons
    from axonet.datasets.quality_page import quality_page
    from axonet.datasets.selection import shard_files

    shards = shard_files(config.shards, config.render_dir, ".arrow")
    qc = [row for shard in shards for row in read_table(qc_file(shard)).to_pylist()]
    worst = worst_neurons(qc)
    pictures = packed_pictures(shards, {row["neuron_id"] for row in worst})
    write_text(config.out, quality_page(qc, worst, pictures, f"{config.render_dir}/*.qc.parquet"))
    say(f"{config.out}: {len(worst)} of {len(qc)} neurons shown")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(QualityConfig, run, argv)


if __name__ == "__main__":
    sys.exit(main())
