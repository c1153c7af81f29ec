"""Vectors of the chosen neurons: given ones, or made now; those that are not finite are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from axonet.core.errors import UserError
from axonet.datasets.selection import keep_neurons, shard_files
from axonet.evaluation.data import Embedding, join_vectors
from axonet.evaluation.places import Chosen, Places
from axonet.evaluation.settings import EvaluationSettings
from axonet.inference.vectors import ViewVectors, read_vectors, write_vectors

if TYPE_CHECKING:
    from axonet.datasets.view_store import ViewStore
    from axonet.inference.embed import EmbeddingModel

VECTORS = "vectors.parquet"


def finite_vectors(vectors: ViewVectors) -> tuple[ViewVectors, set[str]]:
    """The vectors whose values are all finite, and the neurons that others were of."""
    good = np.isfinite(vectors.vector).all(axis=1)
    if vectors.joined is not None:
        good &= np.isfinite(vectors.joined).all(axis=1)
    if good.all():
        return vectors, set()
    kept = np.flatnonzero(good)
    joined = None if vectors.joined is None else vectors.joined[kept]
    broken = {vectors.neuron_id[i] for i in np.flatnonzero(~good)}
    names = [vectors.neuron_id[i] for i in kept]
    whole = replace(vectors, neuron_id=names, view=vectors.view[kept], vector=vectors.vector[kept], joined=joined)
    return whole, broken


def find_vectors(
    places: Places,
    chosen: Chosen,
    model: EmbeddingModel,
    settings: EvaluationSettings,
    measures: Mapping[str, Mapping[str, Any]],
) -> ViewVectors:
    """Vectors of the chosen neurons' views: given ones, or made now and kept in the output folder.

    Args:
        places: where vectors are, if any.
        chosen: the neurons.
        model: encodes.
        settings: how.
        measures: measurements by neuron id, which a model may join.

    Raises:
        UserError: given vectors are of another checkpoint.
    """
    if places.vectors is not None or places.encode_dir is not None:
        files = _vector_files(places)
        vectors = read_vectors(files)
        if vectors.checkpoint != model.fingerprint:
            raise UserError(
                f"{files[0]}: vectors of checkpoint {vectors.checkpoint}, but {places.checkpoint} is "
                f"{model.fingerprint}; encode the views with it, or leave out the vectors"
            )
        return vectors
    vectors = _encode(model, chosen, settings, measures)
    write_vectors(places.output_dir / VECTORS, vectors)
    return vectors


def merged_embeddings(
    merged: EmbeddingModel | None,
    chosen: Chosen,
    settings: EvaluationSettings,
    measures: Mapping[str, Mapping[str, Any]],
    ids: Sequence[str],
) -> tuple[Embedding | None, Embedding | None]:
    """What a model that sees node types makes of merged dendrites: of the image, and with morphometrics joined."""
    if merged is None or not settings.baselines:
        return None, None
    own = _encode(merged, chosen, settings, measures)
    both = None if own.joined is None else join_vectors(own.neuron_id, own.joined, ids, settings.pooling)
    return join_vectors(own.neuron_id, own.vector, ids, settings.pooling), both


def _encode(
    model: EmbeddingModel, chosen: Chosen, settings: EvaluationSettings, measures: Mapping[str, Mapping[str, Any]]
) -> ViewVectors:
    """Vectors of the chosen neurons' views."""
    known = measures or None
    parts = [
        model.embed_views(store, settings.batch_size, settings.num_workers, known) for store in _own_stores(chosen)
    ]
    return ViewVectors(
        [neuron for part in parts for neuron in part.neuron_id],
        np.concatenate([part.view for part in parts]),
        np.concatenate([part.vector for part in parts]),
        parts[0].checkpoint, parts[0].stage, parts[0].spec,
        None if parts[0].joined is None else np.concatenate([p.joined for p in parts if p.joined is not None]),
    )  # fmt: skip


def _vector_files(places: Places) -> list[Path]:
    if places.encode_dir is not None and places.shards is not None and places.vectors is None:
        return shard_files(places.shards, places.encode_dir, ".parquet")
    assert places.vectors is not None
    if not places.vectors.is_dir():
        return [places.vectors]
    files = sorted(places.vectors.glob("*.parquet"))
    if not files:
        raise UserError(f"{places.vectors}: no Parquet files of vectors in this folder")
    return files


def _own_stores(chosen: Chosen) -> list[ViewStore]:
    """The views of the chosen neurons alone."""
    return [keep_neurons(store, [*chosen.judged, *chosen.learned_on]) for store in chosen.stores]
