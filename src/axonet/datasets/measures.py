"""The table of measurements: morphometrics, quality codes and fingerprint of every neuron."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from axonet.sources.catalog import CatalogEntry, read_entry

if TYPE_CHECKING:
    from axonet.morphology.neuron import Neuron

OK = "ok"
_FIXED: dict[str, pa.DataType] = {
    "neuron_id": pa.string(),
    "swc": pa.string(),
    "status": pa.string(),  # "ok", or the code of why there is nothing to measure
    "warnings": pa.list_(pa.string()),
    "fingerprint": pa.string(),
    "n_nodes": pa.int64(),
    "persistence": pa.string(),  # see morphology.persistence; null where there is nothing to describe
}


def measure_schema() -> pa.Schema:
    """Columns of the table: who, one column per morphometric, how it went."""
    from axonet.morphology.morphometrics import MORPHOMETRICS

    fields = [pa.field(name, kind) for name, kind in _FIXED.items() if name in ("neuron_id", "swc")]
    fields += [pa.field(name, pa.float64()) for name in MORPHOMETRICS if name not in _FIXED]
    fields += [pa.field(name, kind) for name, kind in _FIXED.items() if name not in ("neuron_id", "swc")]
    return pa.schema(fields)


def measure_neuron(entry: CatalogEntry, neuron: Neuron) -> dict[str, Any]:
    """The row of a neuron; what is undefined for it, or too large for a float, is null."""
    from axonet.morphology.fingerprint import fingerprint
    from axonet.morphology.persistence import packed_numbers

    values = {name: float(value) if math.isfinite(value) else None for name, value in neuron.morphometrics().items()}
    return {
        **values,
        "neuron_id": entry.neuron_id,
        "swc": entry.swc,
        "status": "no_neurites" if "no_neurites" in neuron.warnings else OK,
        "warnings": list(neuron.warnings),
        "fingerprint": fingerprint(neuron) or None,
        "n_nodes": neuron.n_nodes,
        "persistence": packed_numbers(neuron),
    }


def unmeasured(entry: CatalogEntry, code: str) -> dict[str, Any]:
    """The row of a file that holds no neuron."""
    return {"neuron_id": entry.neuron_id, "swc": entry.swc, "status": code, "warnings": [], "n_nodes": 0}


def load_entry(entry: CatalogEntry) -> Neuron:
    """The neuron of an entry, in um.

    Raises:
        UserError: a file of a catalog is missing or was changed since.
        SWCError: the file holds no neuron, or cannot be read.
    """
    from axonet.morphology.swc import SWCError, parse_swc

    # The path that rows give, not where the file lies: messages go into tables that must not depend on the latter.
    if entry.sha256:
        data = read_entry(entry)
    else:
        try:
            data = Path(entry.path).read_bytes()
        except OSError as error:
            raise SWCError("unreadable_file", f"{entry.swc}: cannot be read ({error.strerror})") from error
    neuron = parse_swc(data, entry.neuron_id, source=entry.swc)
    return neuron if entry.scale == 1.0 else neuron.scaled(entry.scale)


def measure_entry(entry: CatalogEntry) -> dict[str, Any]:
    """Read and measure a neuron; a file that holds none gives a row with the reason."""
    from axonet.morphology.swc import SWCError

    try:
        neuron = load_entry(entry)
    except SWCError as error:
        return unmeasured(entry, error.code)
    return measure_neuron(entry, neuron)


def measure_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """The table of measurements, sorted by neuron id. Morphometrics that are undefined are NaN."""
    schema = measure_schema()
    ordered = sorted(rows, key=lambda row: str(row["neuron_id"]))
    columns = []
    for field in schema:
        values = [row.get(field.name) for row in ordered]
        if pa.types.is_floating(field.type):
            values = [math.nan if value is None else value for value in values]
        columns.append(pa.array(values, field.type))
    return pa.Table.from_arrays(columns, schema=schema)
