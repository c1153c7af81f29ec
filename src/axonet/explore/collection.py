"""Everything that is known of the neurons of a run, in one order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from axonet.core.errors import UserError
from axonet.core.files import read_table

if TYPE_CHECKING:
    from axonet.metadata.record import NeuronRecord

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Collection:
    """Neurons that have vectors; every sequence has the same order, sorted by id.

    Attributes:
        ids: neuron ids.
        records: their metadata.
        rows: their rows of the catalog: where the SWC is, its scale, its shard.
        measures: their rows of the table of measurements; empty for a neuron that was not measured.
        splits: ``train``, ``validation`` or ``test``; None for a neuron that the split file does not know.
        vectors: ``(n, d)`` float32 unit vectors, views pooled, with morphometrics for a model that joins them.
        checkpoint: fingerprint of the model.
        left_out: why neurons of the catalog are not among them, and how many each.
    """

    ids: tuple[str, ...]
    records: tuple[NeuronRecord, ...]
    rows: tuple[Row, ...]
    measures: tuple[Row, ...]
    splits: tuple[str | None, ...]
    vectors: npt.NDArray[np.float32]
    checkpoint: str
    left_out: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.ids)

    def warnings(self, index: int) -> list[str]:
        """What is to be known before a neuron is trusted: quality codes, and whether it occurs twice."""
        found = list(self.measures[index].get("warnings") or ())
        return [*found, "duplicate"] if self.rows[index].get("duplicate_of") else found


def read_collection(files: Mapping[str, Path]) -> Collection:
    """Read a run.

    Args:
        files: see :meth:`axonet.explore.origin.Origin.below`.

    Raises:
        UserError: a file is missing, broken, or of another model.
    """
    from axonet.datasets.measured import read_measures
    from axonet.datasets.selection import shard_files
    from axonet.metadata.adapters.arrow import from_table

    catalog = read_table(files["metadata"])
    measures = read_measures(shard_files(files["shards"], files["measure_dir"], ".parquet"))
    names, vectors, checkpoint = read_neuron_vectors(shard_files(files["shards"], files["encode_dir"], ".parquet"))
    row_of = {name: number for number, name in enumerate(names)}
    about = catalog.select(["neuron_id", "swc", "shard", "sha256", "scale", "duplicate_of"]).to_pylist()
    records = from_table(catalog)
    order = sorted(range(len(about)), key=lambda k: str(about[k]["neuron_id"]))
    kept = [k for k in order if about[k]["neuron_id"] in row_of]
    if not kept:
        raise UserError(f"{files['encode_dir']}: holds a vector of none of the {len(about)} neurons of the catalog")
    ids = tuple(about[k]["neuron_id"] for k in kept)
    splits = read_split_words(files["splits"])
    gone = Counter(_why(measures.get(about[k]["neuron_id"])) for k in order if about[k]["neuron_id"] not in row_of)
    return Collection(
        ids,
        tuple(records[k] for k in kept),
        tuple(about[k] for k in kept),
        tuple(measures.get(name, {}) for name in ids),
        tuple(splits.get(name) for name in ids),
        np.ascontiguousarray(vectors[[row_of[name] for name in ids]]),
        checkpoint,
        dict(sorted(gone.items())),
    )


def read_neuron_vectors(files: Sequence[Path]) -> tuple[list[str], npt.NDArray[np.float32], str]:
    """Unit vectors of neurons from files with a vector per view; views whose values are not finite are left out.

    Args:
        files: each with all views of its neurons.

    Returns:
        Neuron ids, ``(n, d)`` vectors, and the fingerprint of the model that made them.

    Raises:
        UserError: a file is missing or no file of vectors, or two are of different models.
    """
    from axonet.inference.pool import pool_poses
    from axonet.inference.vectors import read_vectors

    names: list[str] = []
    parts: list[npt.NDArray[np.float32]] = []
    made_by: str | None = None
    for file in files:  # one at a time: the views of all neurons may take more memory than there is
        found = read_vectors(file)
        if made_by not in (None, found.checkpoint):
            raise UserError(
                f"{file}: made by {found.checkpoint}, but {files[0]} by {made_by}; encode both with one model"
            )
        made_by = found.checkpoint
        vectors = found.vector if found.joined is None else found.joined
        good = np.flatnonzero(np.isfinite(vectors).all(axis=1))
        pooled = pool_poses(vectors[good], [found.neuron_id[k] for k in good], "mean")
        names += pooled.names
        parts.append(pooled.vectors)
    if made_by is None:
        raise UserError("no files of vectors were given")
    return names, np.concatenate(parts), made_by


def read_split_words(path: Path) -> dict[str, str]:
    """Which split each neuron is in, in words."""
    from axonet.datasets.splits import read_splits
    from axonet.evaluation.places import WORDS

    table = read_splits(path)
    pairs = zip(table["neuron_id"].to_pylist(), table["split"].to_pylist(), strict=True)
    return {neuron: WORDS.get(split, split) for neuron, split in pairs}


def _why(measured: Row | None) -> str:
    status = None if measured is None else measured.get("status")
    return "no_views" if status in (None, "ok") else str(status)
