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
    "export": ("axonet.utils.export", "write vectors, metadata, map and pictures of a run: axonet export results/"),
