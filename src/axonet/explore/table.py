"""The table of the explorer: a row per neuron, the same row number everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from axonet.explore.collection import Collection
from axonet.explore.layout import Floats

if TYPE_CHECKING:
    from axonet.explore.neighbors import Ints

COLORS = ("cell_type", "species", "region", "layer", "archive", "split", "qc")
"""Columns of few words, by which the map is colored and filtered."""

NUMBERS = ("cable_length_um", "n_branch_points", "n_tips", "n_nodes")
"""Columns of numbers, by which the map is colored."""

_MEASURES = ("cable_length", "n_branch_points", "n_tips", "n_nodes")
_WORDS = pa.dictionary(pa.int32(), pa.string())


def neuron_table(neurons: Collection, xy: Floats, captions: Sequence[str]) -> pa.Table:
    """Names, places, words and numbers of all neurons.

    Args:
        neurons: the neurons.
        xy: ``(n, 2)`` positions on the map.
        captions: a sentence each.

    Returns:
        Columns ``neuron_id``, ``name``, ``x``, ``y``, ``caption``, :data:`COLORS`, :data:`NUMBERS`, ``licence`` and
        ``reference``. Words that nobody told are null, numbers that are undefined NaN.
    """
    from axonet.morphology.swc import neuron_name

    records = neurons.records
    words: dict[str, list[str | None]] = {
        "cell_type": [record.type_label for record in records],
        "species": [record.species for record in records],
        "region": [record.region[0] if record.region else None for record in records],
        "layer": [record.layer for record in records],
        "archive": [record.archive for record in records],
        "split": list(neurons.splits),
        "qc": [", ".join(neurons.warnings(k)) or None for k in range(len(neurons))],
    }
    columns: dict[str, pa.Array] = {
        "neuron_id": pa.array(neurons.ids, pa.string()),
        "name": pa.array([neuron_name(record.swc) for record in records], pa.string()),
        "x": pa.array(xy[:, 0], pa.float32()),
        "y": pa.array(xy[:, 1], pa.float32()),
        "caption": pa.array(captions, pa.string()),
        **{name: pa.array(words[name], pa.string()).cast(_WORDS) for name in COLORS},
        **{
            name: pa.array([_number(row.get(key)) for row in neurons.measures], pa.float32())
            for name, key in zip(NUMBERS, _MEASURES, strict=True)
        },
        "licence": pa.array([record.licence for record in records], pa.string()).cast(_WORDS),
        "reference": pa.array([record.publication for record in records], pa.string()).cast(_WORDS),
    }
    return pa.table(columns)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def with_neighbors(table: pa.Table, rows: Ints, cosines: Floats) -> pa.Table:
    """The table with a column ``neighbors``: row numbers and cosine distances of each neuron's nearest.

    Args:
        table: ``n`` rows.
        rows: ``(n, k)``.
        cosines: ``(n, k)``.
    """
    kind = pa.struct([("ids", pa.list_(pa.int32())), ("distances", pa.list_(pa.float32()))])
    pairs = zip(rows.tolist(), (1.0 - cosines).tolist(), strict=True)
    return table.append_column("neighbors", pa.array([{"ids": i, "distances": d} for i, d in pairs], kind))


def with_images(table: pa.Table, images: Sequence[bytes]) -> pa.Table:
    """The table with a column ``image``: a WebP picture and no path, as other tools expect it."""
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    return table.append_column("image", pa.array([{"bytes": b, "path": None} for b in images], kind))


def ipc_bytes(table: pa.Table) -> bytes:
    """The table as an uncompressed Arrow IPC file with one record batch, of which the page uses the arrays in place."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        for batch in table.combine_chunks().unify_dictionaries().to_batches():
            writer.write_batch(batch)
    return bytes(sink.getvalue())
