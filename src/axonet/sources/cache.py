"""Where downloaded archives are kept for good."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """``AXONET_CACHE``, or a folder ``axonet`` in the user's cache directory of this system."""
    chosen = os.environ.get("AXONET_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "axonet" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "axonet"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "axonet"
