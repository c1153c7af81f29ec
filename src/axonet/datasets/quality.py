"""Which neurons of a data set a person should look at first, and the pictures for it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axonet.datasets.measures import OK
from axonet.datasets.quality_words import OF_THE_FILE
from axonet.datasets.shards import ShardImages, read_description, read_rows

MOST_SHOWN = 24
FEW_NODES, FEW_PIXELS = 20, 50

Row = Mapping[str, Any]


class Picture(NamedTuple):
    """One view: its row of the manifest, and ``(h, w)`` class ids."""

    row: Row
    mask: NDArray[np.uint8]


def remarks(row: Row) -> list[str]:
    """What is to be said against a neuron: the codes of its file, and what its views show.

    Args:
        row: of the quality table.
    """
    found = [code for code in row["warnings"] or () if code != row["status"]]
    if row.get("qc") is not None and row["qc"] < 0.9995:
        found.append("cut_off")
    if row.get("drawn_px") is not None and row["drawn_px"] < FEW_PIXELS:
        found.append("hardly_drawn")
    if row["status"] == OK and row.get("n_nodes") is not None and row["n_nodes"] < FEW_NODES:
        found.append("few_nodes")
    return found


def worst_neurons(qc: Iterable[Row], most: int = MOST_SHOWN) -> list[Row]:
    """The neurons to look at first.

    Those that were not drawn come first, at most half of what is shown as long as others are there. Then those with
    the most remarks, those on the form of the file not counted; among equals the one with the least of its cable in
    the frame, then with the fewest pixels drawn, then with the fewest nodes.

    Args:
        qc: rows of the quality table, one per neuron.
        most: how many.
    """
    rows = sorted(qc, key=lambda row: str(row["neuron_id"]))
    drawn = sorted((row for row in rows if row["status"] == OK), key=_badness)
    left_out = sorted((row for row in rows if row["status"] != OK), key=lambda row: str(row["status"]))
    n_left_out = max(min(len(left_out), most // 2), most - len(drawn))
    return [*left_out[:n_left_out], *drawn][:most]


def _badness(row: Row) -> tuple[float, ...]:
    values = (row.get(name) for name in ("qc", "drawn_px", "n_nodes"))
    return (
        -len(set(remarks(row)) - OF_THE_FILE),
        *(float("inf") if value is None else float(value) for value in values),
    )


def packed_pictures(shards: Iterable[Path], ids: Container[str]) -> Iterator[Picture]:
    """The masks of some neurons in packed shards."""
    for path in shards:
        table, batch_of, row_of = read_rows(path)
        wanted = [number for number, name in enumerate(table.column("neuron_id").to_pylist()) if name in ids]
        if not wanted:
            continue
        images = ShardImages(
            [path], np.zeros(len(table), np.int32), batch_of, row_of, read_description(path).depth_bits
        )
        for number, row in zip(wanted, table.take(wanted).to_pylist(), strict=True):
            yield Picture(row, images.read(number)[0])
