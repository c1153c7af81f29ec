"""Speed, memory and agreement of the renderer on a mixed set of neurons.

    OMP_NUM_THREADS=1 python -m benchmarks.rendering NEURONS                        speed and memory, goal by goal
    OMP_NUM_THREADS=1 python -m benchmarks.rendering NEURONS --backend gl --against cpu    do both draw the same?
    OMP_NUM_THREADS=1 python -m benchmarks.rendering NEURONS --others               beside navis, vispy, pyrender

NEURONS is a folder of SWC files or a Parquet file with their bytes in a column ``swc``. CPU time is that of all threads
(a software renderer has several), everything included: reading, measuring, look directions, drawing, pooling, encoding,
writing. Other programs on the machine change it less than wall time, but they do: the least of the rounds counts. What
a graphics card does is no CPU time, so look at wall time there. The exit code is 1 if --against misses a goal.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.rendering import agreement, speed
from benchmarks.rendering.neurons import sample

from axonet.core.errors import UserError
from axonet.rendering import RenderSettings


def main() -> int:
    arguments = parse()
    settings: dict[str, Any] = {
        "width": arguments.size,
        "height": arguments.size,
        "supersample_factor": arguments.supersample_factor,
    }
    if arguments.device is not None:
        settings["device"] = arguments.device
    try:
        with tempfile.TemporaryDirectory() as folder:
            return run(arguments, settings, Path(folder))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2


def parse() -> argparse.Namespace:
    first, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        "python -m benchmarks.rendering", None, first, rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("neurons", type=Path, help="folder of SWC files, or Parquet file with a column swc")
    parser.add_argument("--sample", type=int, default=48, help="how many neurons")
    parser.add_argument("--size", type=int, default=512, help="width and height in pixels")
    parser.add_argument("--supersample-factor", type=int, default=2, help="samples per pixel side")
    parser.add_argument("--backend", choices=["cpu", "gl"], nargs="+", default=["cpu"], help="what draws")
    parser.add_argument("--device", type=int, default=None, help="which graphics device, with --backend gl")
    parser.add_argument("--rounds", type=int, default=3, help="the least time of each neuron counts")
    parser.add_argument("--growth", type=int, default=0, help="also the growth of a process over so many neurons")
    parser.add_argument("--workers", action="store_true", help="also two workers against one")
    parser.add_argument("--against", choices=["cpu", "gl"], help="only compare the pictures with those of a backend")
    parser.add_argument("--others", action="store_true", help="only compare with other programs")
    return parser.parse_args()


def run(arguments: argparse.Namespace, settings: dict[str, Any], folder: Path) -> int:
    swc = folder / "swc"
    swc.mkdir()
    entries = sample(arguments.neurons, max(arguments.sample, arguments.growth), swc)
    few = entries[: arguments.sample]
    if arguments.others:
        from benchmarks.rendering.others import other_rows

        print_table(other_rows(few, settings, arguments.rounds))
        return 0
    if arguments.against:
        return report_agreement(arguments, settings, few)
    used = speed.copied(entries, arguments.sample, folder / "few")
    print(f"{len(few)} neurons, {arguments.size} px, {arguments.supersample_factor} samples a side")
    for backend in arguments.backend:  # one after the other, so that a long run shows what it has
        print_table(speed.speed_rows(used, [backend], settings, arguments.rounds))
    for backend in arguments.backend:
        own = {**settings, "backend": backend}
        if arguments.growth:
            print(f"{backend}, growth: {speed.growth(swc, own)}")
        if arguments.workers:
            print(f"{backend}, two workers: {speed.two_workers(few, own, arguments.rounds)}")
    return 0


def report_agreement(arguments: argparse.Namespace, settings: dict[str, Any], entries: list[Any]) -> int:
    from benchmarks.rendering.worker import drawn_by

    is_met = True
    for projection in ("ortho", "perspective"):
        own = RenderSettings(**settings, backend=arguments.backend[0], projection=projection)
        found = agreement.compare(entries, own, arguments.against)
        print(f"{projection}, {drawn_by(own)} against {arguments.against}, {len(entries)} neurons:")
        for line, one in agreement.verdicts(found):
            print(f"  {'pass' if one else 'FAIL'}  {line}")
            is_met = is_met and one
    return 0 if is_met else 1


def print_table(rows: list[list[str]]) -> None:
    """Print a table in Markdown; the first row is the heading."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for number, row in enumerate(rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|", flush=True)


if __name__ == "__main__":
    sys.exit(main())
