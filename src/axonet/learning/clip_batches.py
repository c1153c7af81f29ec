"""Which neurons meet in a batch."""

from __future__ import annotations

from typing import Literal

import numpy as np

from axonet.core.seeds import rng
from axonet.learning.clip_neurons import Indices, Neurons

Batches = Literal["mixed", "uniform"]


class NeuronBatches:
    """Batches of different neurons, in a new order and with newly drawn views in every epoch.

    ``uniform``: every neuron once an epoch.

    ``mixed``: half of the batches come from within one archive (or some small ones): there the style of a laboratory
    answers nothing, and species or region must be seen in the shape. In the other half archives have equal shares, as
    far as they have neurons, none of them twice an epoch: there a large archive does not drown the others.

    Args:
        neurons: the training neurons.
        batch_size: neurons per batch at most.
        views: views drawn of each.
        seed: names the random streams.
        how: see above; with a single archive both are the same.
    """

    def __init__(self, neurons: Neurons, batch_size: int, views: int, seed: int, how: Batches = "uniform") -> None:
        self.neurons = neurons
        self.batch_size = batch_size
        self.views = views
        self.seed = seed
        archives = [record.archive or record.publication or "" for record in neurons.records]
        _, self.archive = np.unique(np.asarray(archives, dtype=np.str_), return_inverse=True)  # (n,)
        self.how: Batches = how if len(set(archives)) > 1 else "uniform"

    def __len__(self) -> int:
        return -(-len(self.neurons) // self.batch_size)

    def batches(self, epoch: int) -> list[Indices]:
        """The rows of each batch; what is drawn of a neuron does not depend on the others."""
        return [np.concatenate([self._draw(int(neuron), epoch) for neuron in part]) for part in self.parts(epoch)]

    def parts(self, epoch: int) -> list[Indices]:
        """The neurons of each batch."""
        stream = rng(self.seed, "clip order", epoch)
        order: Indices = stream.permutation(len(self.neurons))
        if self.how == "uniform":
            return np.array_split(order, len(self))
        n_within = (len(self) + epoch % 2) // 2
        within = np.array_split(self._archive_by_archive(order, stream), len(self))
        chosen = [within[i] for i in stream.choice(len(self), n_within, replace=False)]
        n_balanced = len(self) - n_within
        balanced = self._in_turn(order)[: n_balanced * -(-len(order) // len(self))]
        parts = chosen + (np.array_split(stream.permutation(balanced), n_balanced) if n_balanced else [])
        return [parts[i] for i in stream.permutation(len(parts))]

    def _archive_by_archive(self, order: Indices, stream: np.random.Generator) -> Indices:
        """All neurons, those of an archive one after the other, archives and neurons in random order."""
        place = stream.permutation(int(self.archive.max()) + 1)
        return order[np.argsort(place[self.archive[order]], kind="stable")]

    def _in_turn(self, order: Indices) -> Indices:
        """All neurons: first one of each archive, then a second one of each that has it, and so on."""
        turn = np.zeros(len(order), dtype=np.int64)
        for archive in np.unique(self.archive):
            own = np.flatnonzero(self.archive[order] == archive)
            turn[own] = np.arange(len(own))
        return order[np.argsort(turn, kind="stable")]

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
