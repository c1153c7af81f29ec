"""Frozen vectors of neurons: by a trained encoder, an untrained one, and by principal components of silhouettes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from benchmarks.study.protocols import Cohort
from benchmarks.study.training import Run, learned_from

from axonet.core.seeds import stable_seed
from axonet.datasets.selection import keep_neurons
from axonet.datasets.view_store import ViewStore
from axonet.evaluation.data import Array
from axonet.evaluation.references import principal_components, read_pictures, standardized_by
from axonet.inference.encode import ViewEncoder, encode_views, load_view_encoder
from axonet.inference.vectors import ViewVectors, read_vectors, write_vectors
from axonet.inference.view_batch import fields_of_view
from axonet.learning.stage1 import complete_spec
from axonet.learning.stage1_module import new_seg_vae

# One of each opposite pair along the principal axes, and the three that lie nearest to the widest view.
VIEWS = (0, 2, 4, 6, 7, 8)


def judged_views(store: ViewStore, cohort: Cohort, views: tuple[int, ...] = VIEWS) -> ViewStore:
    """The views that neurons are judged by."""
    own = keep_neurons(store, cohort.neurons.ids)
    return own.subset(np.flatnonzero(np.isin(np.asarray(own.rows.column("view")), views)))


def trained_vectors(checkpoint: Path, views: ViewStore, kind: str = "trained") -> ViewVectors:
    """Vectors of views by a checkpoint, which are kept beside it.

    Args:
        checkpoint: of Stage 1.
        views: what is encoded.
        kind: ``trained``; ``merged`` shows basal and apical dendrites as one; ``unscaled`` withholds the field of view.
    """
    path = checkpoint.with_suffix(".vectors.parquet" if kind == "trained" else f".{kind}.parquet")
    if path.is_file():
        found = read_vectors(path)
        if len(found) == len(views):
            return found
    encoder = load_view_encoder(checkpoint, 1, merge_dendrites=kind == "merged")
    found = ViewVectors(
        views.neuron_ids,
        np.asarray(views.rows.column("view")).astype(np.int64),
        encode_views(encoder, without_scale(views) if kind == "unscaled" else views),
        encoder.fingerprint,
        1,
        encoder.spec,
    )
    write_vectors(path, found)
    return found


def without_scale(views: ViewStore) -> ViewStore:
    """The views with their field of view unknown."""
    found = views.subset(np.arange(len(views)))
    place = found.rows.schema.get_field_index("um_per_px")
    unknown = pa.nulls(len(found), found.rows.schema.field(place).type)
    found.rows = found.rows.set_column(place, found.rows.schema.field(place).with_nullable(True), unknown)
    return found


def read_of(kind: str, latent: int, width: int) -> npt.NDArray[np.bool_]:
    """``(width,)`` which numbers of a vector are looked at: ``all``, or all but a part of it.

    A vector is mean and generalized mean of the bottleneck, mean and maximum of the levels above, field of view.
    """
    looked = np.ones(width, dtype=np.bool_)
    part = {
        "all": slice(0, 0),
        "no generalized mean": slice(latent, 2 * latent),
        "no bottleneck": slice(0, 2 * latent),
        "no levels above": slice(2 * latent, width - 1),
        "no field of view": slice(width - 1, width),
    }[kind]
    looked[part] = False
    return looked


def untrained_vectors(run: Run, views: ViewStore) -> npt.NDArray[np.float32]:
    """Vectors of views, ``(v, d)``, by the network of a run before its training."""
    spec = complete_spec(views.spec, run.settings, fields_of_view(views))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stable_seed(run.settings.seed, "untrained"))
        network = new_seg_vae(run.settings, spec)
    return encode_views(ViewEncoder(network, None, spec, "untrained").eval(), views)


def picture_vectors(views: ViewStore, cohort: Cohort, run: Run) -> Array:
    """Principal components of silhouettes, ``(v, d)``, fitted on what the run may see."""
    seen = np.array(cohort.neurons.ids)[learned_from(cohort, run)]
    pictures = np.stack(read_pictures(views))
    return principal_components(pictures, np.isin(np.array(views.neuron_ids), seen))


def of_neurons(vectors: npt.NDArray[np.floating], views: ViewStore, cohort: Cohort, run: Run) -> Array:
    """One vector a neuron: views are standardized on what the run may see, then their mean is taken.

    Args:
        vectors: ``(v, d)``.
        views: whose they are.
        cohort: the neurons.
        run: tells what may be learned from.

    Returns:
        ``(n, d)`` in the order of the cohort.
    """
    ids = np.array(cohort.neurons.ids)
    owner = np.searchsorted(ids, np.array(views.neuron_ids))
    columns = standardized_by(vectors, learned_from(cohort, run)[owner])
    total = np.zeros((len(ids), columns.shape[1]))
    np.add.at(total, owner, columns)
    return np.asarray(total / np.bincount(owner, minlength=len(ids))[:, None])
