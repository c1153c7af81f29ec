"""``run.json``: what a command did, with which settings, inputs and versions.

Facts that change from run to run (times, host, versions, device) live here and nowhere else, so that every other
output of the same settings and inputs has the same bytes.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from axonet.core.config import Settings
from axonet.core.files import sha256_file, short_hash, write_json
from axonet.version import __version__

_PACKAGES = ("numpy", "numba", "pyarrow", "scikit-learn", "torch", "lightning", "sentence-transformers", "snakemake")


class RunRecord:
    """Collects what a run wants to tell about itself."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}

    def add(self, **facts: Any) -> None:
        """Note facts as plain JSON data."""
        self.facts.update(facts)


def _versions() -> dict[str, str]:
    found = {"axonet": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@contextmanager
def run_record(
    folder: Path,
    command: str,
    settings: Settings,
    inputs: Iterable[Path] = (),
    device: str = "cpu",
    file_name: str = "run.json",
) -> Iterator[RunRecord]:
    """Write ``run.json`` into ``folder`` when the block ends well.

    Args:
        folder: the command's output folder.
        command: its name, e.g. ``axonet.training.trainer``.
        settings: everything it was told.
        inputs: files whose content the result depends on; their SHA-256 is recorded.
        device: what it computed on.
        file_name: for folders that several runs write to.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    record = RunRecord()
    yield record
    values = settings.model_dump(mode="json")
    content = {
        "command": command,
        "arguments": sys.argv[1:],
        "settings": values,
        "fingerprint": short_hash(values),
        "inputs": {str(path): sha256_file(path) for path in inputs if Path(path).is_file()},
        "versions": _versions(),
        "device": device,
        "host": platform.node(),
        "platform": platform.platform(),
        "started": started.isoformat(timespec="seconds"),
        "wall_seconds": round(time.perf_counter() - clock, 3),
        **record.facts,
    }
    write_json(folder / file_name, content)
