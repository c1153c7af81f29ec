"""Neurons with their words: the join of views, metadata and measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from axonet.core.files import short_hash
from axonet.learning.clip_views import Views
from axonet.metadata.index import FileJoin, RecordIndex
from axonet.metadata.record import NeuronRecord

Indices = npt.NDArray[np.int64]
Measures = Mapping[str, Any]


@dataclass(frozen=True)
class Neurons:
    """Neurons that have metadata; every sequence has one item per neuron.

    Attributes:
        ids: neuron ids, sorted.
        records: what is known of each.
        measures: its measurements; None where there are none.
        rows: its rows among the views.
    """

    ids: tuple[str, ...]
    records: tuple[NeuronRecord, ...]
    measures: tuple[Measures | None, ...]
    rows: tuple[Indices, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_views(self) -> int:
        """Views of all of them."""
        return sum(len(rows) for rows in self.rows)

    @property
    def by_record(self) -> dict[str, Measures]:
        """Measurements by the neuron id of the record."""
        pairs = zip(self.records, self.measures, strict=True)
        return {record.neuron_id: measured for record, measured in pairs if measured is not None}

    @property
    def digest(self) -> str:
        """Changes with anything that captions may say of these neurons."""
        words = [repr(record) for record in self.records]
        return short_hash([self.ids, words, [repr(measured) for measured in self.measures]], 16)


def join_files(index: RecordIndex, *splits: Views | None, other_files: Iterable[str] = ()) -> FileJoin:
    """The records of all SWC files that views name, and of others: a row belongs to one file at most."""
    files = {swc for views in splits if views is not None and views.swc is not None for swc in views.swc}
    return index.join(sorted(files.union(other_files)))


def describe_neurons(
    views: Views, index: RecordIndex, measures: Mapping[str, Measures], split: str, files: FileJoin | None = None
) -> tuple[Neurons, list[dict[str, str]]]:
    """Find the metadata of every neuron.

    Args:
        views: of a split.
        index: the metadata.
        measures: measurements by neuron id.
        split: named in the rows about neurons that are left out.
        files: the records of the SWC files of all splits; by default of these views.

    Returns:
        The neurons that have metadata, and a row with the reason for every one that has none.
    """
    rows = rows_by_neuron(views.neuron_id)
    files = files or join_files(index, views)
    found: list[tuple[str, NeuronRecord]] = []
    skipped: list[dict[str, str]] = []
    for name, own in rows.items():
        swc = None if views.swc is None else views.swc[own[0]]
        record = index.by_id(name) if swc is None else files.records.get(swc)
        if record is None:
            reason = "ambiguous_metadata" if swc in files.ambiguous else "no_metadata"
            row = {"neuron_id": name, "split": split, "reason": reason}
            skipped.append(row if swc is None else {**row, "swc": swc})
        else:
            found.append((name, record))
    return Neurons(
        ids=tuple(name for name, _ in found),
        records=tuple(record for _, record in found),
        measures=tuple(measures.get(name) for name, _ in found),
        rows=tuple(rows[name] for name, _ in found),
    ), skipped


def rows_by_neuron(neuron_id: Sequence[str]) -> dict[str, Indices]:
    """Rows of each neuron, by neuron id in sorted order."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(neuron_id):
        rows.setdefault(name, []).append(row)
    return {name: np.array(rows[name], dtype=np.int64) for name in sorted(rows)}
