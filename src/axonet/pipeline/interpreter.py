"""The rules call ``python``: the one that runs Snakemake, also when its environment was not activated."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def path_with_this_python() -> str:
    """PATH with this interpreter's folder first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def use_this_python() -> None:
    """Let the commands of this process find this interpreter first; conda environments still come before it."""
    os.environ["PATH"] = path_with_this_python()
