"""What is read of the views of a batch, and how several processes share it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from axonet.core.input_spec import InputSpec
from axonet.inference.morphometrics import morphometric_features
from axonet.inference.view_batch import ViewBatch, ViewDataset
from axonet.learning.clip_neurons import Indices, Neurons
from axonet.learning.clip_views import Views
from axonet.learning.views_dataset import PlannedLoader


class ClipBatch(NamedTuple):
    """Some views of some neurons; each neuron is there once.

    Attributes:
        everyone: ``(b,)`` int64, the neurons of the whole batch, ascending.
        neuron: ``(b',)`` int64, those of this process: all of them, or ``everyone[rank::world_size]``.
        owner: ``(v,)`` int64, which of these ``b'`` each view belongs to.
        vectors: ``(v, p)`` pooled Stage 1 vectors of a frozen encoder, or None.
        images: ``(v, ...)`` stored images for an encoder that is trained, or None.
        morphometrics: ``(b', 2 m)`` of the neurons, or None.
    """

    everyone: Tensor
    neuron: Tensor
    owner: Tensor
    vectors: Tensor | None
    images: ViewBatch | None
    morphometrics: Tensor | None


class ClipDataset(Dataset[ClipBatch]):
    """Reads whole batches: ``dataset[rows]`` is the :class:`ClipBatch` of these rows.

    Args:
        views: with vectors, or with a store of images.
        neurons: those that the rows may belong to.
        spec: what the model takes: whether the window around the soma, and which measurements.
        share: this process and how many there are; each reads its share of the neurons.
    """

    def __init__(
        self,
        views: Views,
        neurons: Neurons,
        spec: InputSpec | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.views = views
        self.share = share
        joined = () if spec is None else spec.morphometrics
        self.morphometrics = morphometric_features(neurons.measures, joined) if joined else None
        self.neuron_of_row = np.full(len(views), -1, dtype=np.int64)
        for neuron, rows in enumerate(neurons.rows):
            self.neuron_of_row[rows] = neuron
        self.images: ViewDataset | None = None
        if views.vectors is None:
            assert views.store is not None
            self.images = ViewDataset(views.store, zoom=spec is not None and spec.zoom)

    def __getitem__(self, rows: Indices) -> ClipBatch:
        """Read this process's share of some rows."""
        rank, world_size = self.share
        everyone = np.unique(self.neuron_of_row[rows])
        own = everyone[rank::world_size]
        rows = rows[np.isin(self.neuron_of_row[rows], own)]
        owner = np.searchsorted(own, self.neuron_of_row[rows])
        block = None if self.morphometrics is None else torch.from_numpy(self.morphometrics[own])
        whose = torch.from_numpy(everyone), torch.from_numpy(own), torch.from_numpy(owner)
        if self.views.vectors is not None:
            return ClipBatch(*whose, torch.from_numpy(self.views.vectors[rows]), None, block)
        assert self.images is not None
        return ClipBatch(*whose, None, self.images[rows], block)


class SharedLoader(PlannedLoader):
    """Batches that all processes work on together: each reads its share of the neurons of every training batch.

    So a step sees the same neurons however many processes there are. Validation is done by all of them alike.
    """

    dataset: ClipDataset

    def __len__(self) -> int:
        return len(self.plan)

    def __iter__(self) -> Iterator[Any]:
        self.dataset.share = (self.rank, self.world_size) if self.training else (0, 1)
        yield from super().__iter__()

    def own_batches(self, batches: list[Indices]) -> list[Indices]:
        """All of them."""
        return batches
