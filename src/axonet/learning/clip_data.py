"""Batches of neurons: which views of which neurons make a step, and what is read of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from axonet.core.seeds import rng
from axonet.inference.view_batch import ViewBatch, ViewDataset
from axonet.learning.clip_neurons import Indices, Neurons
from axonet.learning.clip_views import Views


class ClipBatch(NamedTuple):
    """Some views of some neurons; each neuron is there once.

    Attributes:
        neuron: ``(b,)`` int64, which neurons, ascending.
        owner: ``(v,)`` int64, which of these ``b`` each view belongs to.
        vectors: ``(v, p)`` pooled Stage 1 vectors of a frozen encoder, or None.
        images: ``(v, ...)`` stored images for an encoder that is trained, or None.
    """

    neuron: Tensor
    owner: Tensor
    vectors: Tensor | None
    images: ViewBatch | None


class NeuronBatches:
    """Every neuron once an epoch, in a new order and with newly drawn views; batches of nearly equal size.

    Args:
        neurons: the training neurons.
        batch_size: neurons per batch at most.
        views: views drawn of each.
        seed: names the random streams.
    """

    def __init__(self, neurons: Neurons, batch_size: int, views: int, seed: int) -> None:
        self.neurons = neurons
        self.batch_size = batch_size
        self.views = views
        self.seed = seed

    def __len__(self) -> int:
        return -(-len(self.neurons) // self.batch_size)

    def batches(self, epoch: int) -> list[Indices]:
        """The rows of each batch; what is drawn of a neuron does not depend on the others."""
        order = rng(self.seed, "clip order", epoch).permutation(len(self.neurons))
        parts = np.array_split(order, len(self))
        return [np.concatenate([self._draw(int(neuron), epoch) for neuron in part]) for part in parts]

    def _draw(self, neuron: int, epoch: int) -> Indices:
        rows = self.neurons.rows[neuron]
        if self.views >= len(rows):
            return rows
        stream = rng(self.seed, "clip views", self.neurons.ids[neuron], epoch)
        return stream.choice(rows, self.views, replace=False)


class AllViews:
    """All views of all neurons, the same in every epoch: for validation.

    Args:
        neurons: the validation neurons.
        batch_size: views per batch.
    """

    def __init__(self, neurons: Neurons, batch_size: int) -> None:
        self.rows = np.concatenate(neurons.rows)
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def batches(self, epoch: int) -> list[Indices]:
        """The rows of each batch."""
        return np.split(self.rows, range(self.batch_size, len(self.rows), self.batch_size))


class ClipDataset(Dataset[ClipBatch]):
    """Reads whole batches: ``dataset[rows]`` is the :class:`ClipBatch` of these rows.

    Args:
        views: with vectors, or with a store of images.
        neurons: those that the rows may belong to.
        zoom: whether the encoder looks at the window around the soma.
    """

    def __init__(self, views: Views, neurons: Neurons, *, zoom: bool = False) -> None:
        self.views = views
        self.neuron_of_row = np.full(len(views), -1, dtype=np.int64)
        for neuron, rows in enumerate(neurons.rows):
            self.neuron_of_row[rows] = neuron
        self.images: ViewDataset | None = None
        if views.vectors is None:
            assert views.store is not None
            self.images = ViewDataset(views.store, zoom=zoom)

    def __getitem__(self, rows: Indices) -> ClipBatch:
        """Read some rows."""
        neuron, owner = np.unique(self.neuron_of_row[rows], return_inverse=True)
        whose = torch.from_numpy(neuron), torch.from_numpy(owner.astype(np.int64))
        if self.views.vectors is not None:
            return ClipBatch(*whose, torch.from_numpy(self.views.vectors[rows]), None)
        assert self.images is not None
        return ClipBatch(*whose, None, self.images[rows])
