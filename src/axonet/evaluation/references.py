"""Embeddings that a trained one must beat: an untrained encoder, small pictures, and their principal components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from axonet.core.progress import track
from axonet.core.seeds import stable_seed
from axonet.datasets.view_store import ViewStore
from axonet.evaluation.data import Array, Embedding, Ints, join_vectors
from axonet.evaluation.settings import EvaluationSettings
from axonet.inference.embed import EmbeddingModel
from axonet.inference.encode import ViewEncoder, encode_views
from axonet.models.seg_vae import SegVAE2D

VIEWS_PER_NEURON = 6
MOST_VIEWS = 50_000
PICTURE_SIDE = 32
DENSITY_SIDE = 16
UNTRAINED, PICTURES, DENSITY = "untrained_encoder", "silhouette_pca", "silhouette_density"


def first_views(store: ViewStore) -> ViewStore:
    """The first views of every neuron: they lie along the principal axes, and more of them change little."""
    ids = np.array(store.neuron_ids)
    starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    place = np.arange(len(ids)) - np.repeat(starts, np.diff(np.append(starts, len(ids))))
    return store.subset(np.flatnonzero(place < VIEWS_PER_NEURON))


def shrunken(mask: npt.NDArray[np.uint8], side: int = PICTURE_SIDE) -> Array:
    """``(side * side,)`` share of each field of a coarse grid that the silhouette covers."""
    covered = (mask > 0).astype(np.float64)
    for axis in (0, 1):
        edges = np.linspace(0, mask.shape[axis], side + 1).astype(np.int64)
        covered = np.add.reduceat(covered, np.minimum(edges[:-1], mask.shape[axis] - 1), axis=axis)
    return np.asarray(covered / (mask.shape[0] * mask.shape[1] / side**2)).reshape(-1)


def make_references(
    model: EmbeddingModel,
    stores: Sequence[ViewStore],
    ids: Sequence[str],
    fitted_on: Ints,
    settings: EvaluationSettings,
) -> dict[str, Embedding]:
    """All three references, by name.

    Args:
        model: whose architecture is taken without its training.
        stores: views of the neurons.
        ids: neurons, in the order of the evaluation.
        fitted_on: indices of the neurons that components, means and deviations are fitted on.
        settings: seed, and how to encode.
    """
    owners = [neuron for store in stores for neuron in store.neuron_ids]
    pictures = np.stack([picture for store in stores for picture in read_pictures(store)])
    untrained = untrained_encoder(model, settings.seed)
    parts = [encode_views(untrained, store, None, None, settings.batch_size, settings.num_workers) for store in stores]
    own = np.isin(np.array(owners), np.array(ids)[fitted_on])
    return {
        UNTRAINED: join_vectors(owners, standardized_by(np.concatenate(parts), own), ids),
        PICTURES: join_vectors(owners, principal_components(pictures, own), ids),
        DENSITY: join_vectors(owners, density_maps(pictures), ids),
    }


def read_pictures(store: ViewStore) -> list[Array]:
    """The silhouettes of a store as small pictures."""
    return [shrunken(store.read(i)[0]) for i in track(range(len(store)), "reading pictures")]


def density_maps(pictures: Array) -> Array:
    """``(v, 256)`` share of each field of a 16 x 16 grid that is covered; averaged over views, a map of density.

    Args:
        pictures: ``(v, 32 * 32)``.
    """
    step = PICTURE_SIDE // DENSITY_SIDE
    fields = pictures.reshape(-1, DENSITY_SIDE, step, DENSITY_SIDE, step)
    return np.asarray(fields.mean(axis=(2, 4)).reshape(len(pictures), -1))


def standardized_by(vectors: npt.NDArray[np.floating], own: npt.NDArray[np.bool_]) -> Array:
    """Columns less their mean, in deviations, both of the rows in ``own``: raw features all point the same way."""
    values = vectors.astype(np.float64)
    spread = values[own].std(axis=0)
    return np.asarray((values - values[own].mean(axis=0)) / np.where(spread > 1e-12, spread, 1.0))


def principal_components(pictures: Array, own: npt.NDArray[np.bool_], n_components: int = 32) -> Array:
    """Principal components of pictures, fitted on the rows in ``own``.

    Args:
        pictures: ``(v, p)``.
        own: ``(v,)`` rows to fit on.
        n_components: at most so many.

    Returns:
        ``(v, c)``.
    """
    center = pictures[own].mean(axis=0)
    axes = np.linalg.svd(pictures[own] - center, full_matrices=False)[2][:n_components]  # (c, p)
    return np.asarray((pictures - center) @ axes.T)


def untrained_encoder(model: EmbeddingModel, seed: int) -> ViewEncoder:
    """An encoder with the architecture of a model's, its parameters as they are before training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stable_seed(seed, UNTRAINED))
        architecture: dict[str, Any] = dict(model.encoder.seg_vae.architecture)
        network = SegVAE2D(**architecture)
    place = next(model.encoder.parameters()).device
    return ViewEncoder(network, None, model.spec, UNTRAINED).eval().to(place)
