from __future__ import annotations

import csv
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

TREE = "1 1 0 0 0 5 -1\n2 3 20 0 0 1 1\n3 3 40 {fork} 3 0.8 2\n4 3 40 -15 -4 0.8 2\n"
TREE += "5 2 0 -30 2 0.5 1\n6 2 9 -70 2 0.5 5\n"


def swc_text(number: int) -> str:
    """An SWC file; another number is another shape."""
    return TREE.format(fork=15 + 12 * number)


@pytest.fixture
def make_swc() -> Callable[[int], str]:
    return swc_text


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds a wheel with two neurons and a source distribution with one; returns the table of them."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("AXONET_CACHE", str(cache))
    (cache / "packages").mkdir(parents=True)
    with zipfile.ZipFile(cache / "packages" / "Neuron_Pack-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("neuron_pack/a.swc", swc_text(0))
        wheel.writestr("neuron_pack/b.swc", swc_text(1))
    with tarfile.open(cache / "packages" / "other-pack-2.1.tar.gz", "w:gz") as sdist:
        info = tarfile.TarInfo("other-pack-2.1/c.swc")
        info.size = len(swc_text(2))
        sdist.addfile(info, io.BytesIO(swc_text(2).encode()))
    rows = [
        ("a", "neuron-pack", "1.0", "wheel", "neuron_pack/a.swc", 0, "um", "default"),
        ("b", "neuron-pack", "1.0", "wheel", "neuron_pack/b.swc", 1, "8 nm voxels", "default"),
        ("c", "other.pack", "2.1", "sdist", "other-pack-2.1/c.swc", 2, "um", "full"),
    ]
    table = tmp_path / "table.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        names = ["id", "swc", "package", "version", "form", "path", "sha256", "units", "fetch", "species", "region"]
        writer.writerow(names)
        for name, package, version, form, path, number, units, fetch in rows:
            digest = hashlib.sha256(swc_text(number).encode()).hexdigest()
            swc = f"{name}.swc"
            writer.writerow([name, swc, package, version, form, path, digest, units, fetch, "mouse", "x | y"])
    return table
