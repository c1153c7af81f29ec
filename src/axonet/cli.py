"""The command ``axonet``: a table of subcommands; only the one that is called is imported."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

# name -> (module with a main(argv), what it does)
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("axonet.pipeline.demo", "run the whole workflow on real neurons and print what came out"),
    "render": ("axonet.utils.render", "draw all views of one neuron on a page: axonet render cell.swc -o views.png"),
    "embed": ("axonet.utils.embed", "vectors of a folder of SWC files: axonet embed cells/ --model best.ckpt"),
    "captions": ("axonet.utils.captions", "print captions of neurons with what each phrase comes from"),
    "search": ("axonet.utils.search", 'find neurons by words or by an SWC file: axonet search "a mouse Purkinje cell"'),
    "explain": ("axonet.utils.explain", "which views and compartments of a neuron make a match with words"),
    "audit": (
        "axonet.utils.audit",
        "wrong units, copies, missing parts and doubtful labels: axonet audit cells/",
    ),
    "doctor": ("axonet.utils.doctor", "what this machine offers, and whether the workflow can run on it"),
    "explore": ("axonet.utils.explore", "map, search and 3D views of a run in the browser: axonet explore results/"),
    "export": ("axonet.utils.export", "write vectors, metadata, map and pictures of a run: axonet export results/"),
    "bench": ("axonet.utils.bench", "judge a model on a published benchmark: axonet bench bil6 --data DIR --model ..."),
    "plan": ("axonet.pipeline.plan_command", "jobs, hours, gigabytes, files and money of a run, before anything runs"),
    "clean": ("axonet.pipeline.cleanup", "list and remove results that no index names any more"),
}

HELP = """usage: axonet COMMAND [options]

An image-text embedding of neuron shape: from SWC reconstructions to views, words and metrics.

commands:
{commands}

Each step of the pipeline is a command of its own:
  python -m axonet.utils.neuromorpho_bulk      download from NeuroMorpho.Org
  python -m axonet.utils.allen_bulk            download from the Allen Institute
  python -m axonet.utils.acquire               collect neurons into one catalog
  python -m axonet.utils.measure               morphometrics of SWC files
  python -m axonet.training.dataset_generator  render 2D views of SWC files
  python -m axonet.training.trainer            Stage 1: train SegVAE2D
  python -m axonet.training.clip_trainer       Stage 2: align views and descriptions
  python -m axonet.training.clip_evaluator     retrieval, zero-shot and probes, with baselines
The workflow runs them all: snakemake --cores 16

options:
  -h, --help     show this text (axonet COMMAND --help: that command's)
  --version      show the version"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(HELP.format(commands="\n".join(f"  {name:<12} {text}" for name, (_, text) in COMMANDS.items())))
        return 0
    if arguments[0] == "--version":
        from axonet.version import __version__

        print(f"axonet {__version__}")
        return 0
    name = arguments[0]
    if name not in COMMANDS:
        print(f"error: no command {name!r}; there are: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    result: int = importlib.import_module(COMMANDS[name][0]).main(arguments[1:])
    return result


if __name__ == "__main__":
    sys.exit(main())
