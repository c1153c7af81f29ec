"""The views of a split as Stage 2 takes them: vectors of a frozen encoder, or images for one that is trained."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from axonet.core.errors import UserError
from axonet.core.files import short_hash
from axonet.core.progress import say
from axonet.datasets.view_store import ViewStore
from axonet.inference.encode import ViewEncoder, encode_store
from axonet.inference.vectors import ViewVectors, read_vectors, write_vectors
from axonet.learning.views_dataset import views_digest

FloatArray = npt.NDArray[np.float32]
# Columns that change with a neuron's shape. Where a manifest lacks them, nothing tells whether images are the same.
_TELLING = ("um_per_px", "near_um", "far_um", "center", "class_fractions")


@dataclass(frozen=True)
class Views:
    """Views of a split; every sequence has one item per view.

    Attributes:
        neuron_id: the neuron of each view.
        view: ``(n,)`` its index among the neuron's views.
        swc: path of the reconstruction, by whose file name metadata are found; None: they are found by neuron id.
        vectors: ``(n, p)`` pooled Stage 1 vectors, for a frozen encoder.
        store: the images; None when only vectors were given.
    """

    neuron_id: list[str]
    view: npt.NDArray[np.int64]
    swc: list[str] | None = None
    vectors: FloatArray | None = None
    store: ViewStore | None = None

    def __len__(self) -> int:
        return len(self.neuron_id)

    @property
    def digest(self) -> str:
        """Changes with which views of which neurons these are, and with what they show."""
        if self.store is not None:
            return views_digest(self.store)
        assert self.vectors is not None
        content = hashlib.sha256(np.ascontiguousarray(self.vectors).data).hexdigest()
        return short_hash([self.neuron_id, self.view.tolist(), content], 16)


def stored_views(store: ViewStore, *, named_by_swc: bool) -> Views:
    """The views of a store.

    Args:
        store: images and their rows.
        named_by_swc: whether metadata are found by the file name of the SWC, or by neuron id (ids of a catalog).
    """
    view = np.asarray(store.rows.column("view").to_numpy(), dtype=np.int64)
    swc = store.rows.column("swc").to_pylist() if named_by_swc else None
    return Views(store.neuron_ids, view, swc, store=store)


def vector_views(files: Sequence[Path], neuron_ids: Sequence[str], fingerprint: str) -> Views:
    """The views of some neurons out of files of Stage 1 vectors, without their images.

    Args:
        files: what encoding wrote.
        neuron_ids: the neurons of the split.
        fingerprint: of the Stage 1 checkpoint that must have made them.

    Raises:
        UserError: a file is missing, or was made by another checkpoint.
    """
    found = _stage1_vectors(files, fingerprint)
    wanted = set(neuron_ids)
    kept = np.array([name in wanted for name in found.neuron_id], dtype=bool)
    ids = [name for name, keep in zip(found.neuron_id, kept, strict=True) if keep]
    return Views(ids, found.view[kept], vectors=found.vector[kept])


def join_vectors(views: Views, files: Sequence[Path], fingerprint: str) -> Views:
    """Take the vectors of stored views from files.

    Raises:
        UserError: a file is missing or was made by another checkpoint, or a view has no vector.
    """
    found = _stage1_vectors(files, fingerprint)
    place = {key: row for row, key in enumerate(zip(found.neuron_id, found.view.tolist(), strict=True))}
    keys = zip(views.neuron_id, views.view.tolist(), strict=True)
    rows = np.array([place.get(key, -1) for key in keys], dtype=np.int64)
    if (rows < 0).any():
        first = int(np.flatnonzero(rows < 0)[0])
        raise UserError(
            f"{files[0].parent}: no vector of {int((rows < 0).sum())} views, for example view {views.view[first]} of "
            f"{views.neuron_id[first]}; make them with python -m axonet.utils.encode"
        )
    return replace(views, vectors=found.vector[rows])


def encode_once(views: Views, encoder: ViewEncoder, cache: Path, batch_size: int, workers: int) -> Views:
    """Encode stored views with a frozen encoder, or take what an earlier run has encoded.

    Args:
        views: with a store.
        encoder: the Stage 1 encoder.
        cache: folder of vectors, by the digest of encoder and views.
        batch_size: images per step.
        workers: processes that read images.
    """
    assert views.store is not None
    digest = content_digest(views.store)
    path = None if digest is None else cache / f"{short_hash([encoder.fingerprint, digest], 20)}.parquet"
    if path is not None and path.is_file():
        say(f"vectors of {len(views):,} views: taken from {path}")
        return replace(views, vectors=read_vectors(path).vector)
    vectors = encode_store(encoder, views.store, batch_size, workers)
    if path is not None:
        write_vectors(path, vectors)
    return replace(views, vectors=vectors.vector)


def content_digest(store: ViewStore) -> str | None:
    """Digest of what a store shows, from its rows alone; None where these do not tell enough."""
    if any(store.rows.column(name).null_count for name in _TELLING):
        return None
    digest = hashlib.sha256(store.spec.model_dump_json().encode("utf-8"))
    sink = pa.BufferOutputStream()
    rows = store.rows.combine_chunks()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        # Slices of one buffer are written as they lie; a copy has the same bytes however the rows were selected.
        writer.write_table(pa.Table.from_pydict(rows.to_pydict(), rows.schema))
    digest.update(sink.getvalue())
    return digest.hexdigest()


def _stage1_vectors(files: Sequence[Path], fingerprint: str) -> ViewVectors:
    found = read_vectors(files)
    if (found.stage, found.checkpoint) != (1, fingerprint):
        raise UserError(
            f"{files[0]}: vectors of Stage {found.stage} checkpoint {found.checkpoint}, but --stage1-checkpoint is "
            f"{fingerprint}; encode the views with it (python -m axonet.utils.encode)"
        )
    return found
