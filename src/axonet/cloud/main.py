"""The command ``axonet-cloud``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from axonet.core.progress import say

HELP = """usage: axonet-cloud COMMAND [options]

Run the workflow on Google Batch, with its files in a bucket.

commands:
  generate-dataset   measure and draw the neurons of a manifest
  train              train and evaluate on what generate-dataset has made

Each command makes one call of Snakemake; --dry-run prints it. axonet-cloud COMMAND --help tells its options."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if not given or given[0] in ("-h", "--help"):
        say(HELP)
        return 0
    from axonet.cloud.run import run
    from axonet.cloud.settings import GenerateDataset, Train
    from axonet.core.config import run_command

    if given[0] == "generate-dataset":
        return run_command(GenerateDataset, run, given[1:], program="axonet-cloud generate-dataset")
    if given[0] == "train":
        return run_command(Train, run, given[1:], program="axonet-cloud train")
    say(f"error: no command {given[0]!r}; there are: generate-dataset, train")
    return 2


if __name__ == "__main__":
    sys.exit(main())
