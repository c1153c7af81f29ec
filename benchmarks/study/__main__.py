"""What Stage 1 learns from real neurons, beside what it must beat.

    python -m benchmarks.study --table neurons.parquet [--table others.parquet] --cache FOLDER PART ...

Parts: ``prepare`` (views, measurements), ``baselines``, ``models`` (two rows, all folds, labs held out), ``ablations``
(one change each, on the selection fold), ``sizes`` (shares of the training neurons), ``pixels`` (foreground Dice) and
``show`` (the tables as Markdown). Everything is kept in the folder: a part that was stopped goes on where it was, a
training that is there is not repeated. Only the first table is learned from; the others are judged as another source.
One core, about half an hour for ``prepare`` and ``baselines`` and three to five minutes a training.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.study.parts import PARTS
from benchmarks.study.work import Study

from axonet.core.errors import UserError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.study", description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=Path, action="append", required=True, help="labelled neurons (Parquet)")
    parser.add_argument("--cache", type=Path, required=True, help="folder for everything that is made")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each headline row")
    parser.add_argument("parts", nargs="+", choices=list(PARTS), metavar="PART", help=", ".join(PARTS))
    arguments = parser.parse_args()
    try:
        study = Study(tuple(arguments.table), arguments.cache, arguments.seeds)
        for part in arguments.parts:
            PARTS[part](study)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
