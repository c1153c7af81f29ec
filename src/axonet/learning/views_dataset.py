"""Which views make which batch, in an order that depends on nothing but the seed and the epoch."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from torch.utils.data import DataLoader, Dataset

from axonet.core.files import to_json
from axonet.core.seeds import rng
from axonet.datasets.view_store import ViewStore
from axonet.inference.view_batch import Indices
from axonet.inference.worker_errors import leave_stopping_to_the_parent, plain_worker_errors

# The columns that change with what an image shows.
_SHOWN = (
    *("view", "direction", "qc", "um_per_px", "near_um", "far_um", "basis", "center"),
    *("class_fractions", "width", "height"),
)


def views_digest(store: ViewStore) -> str:
    """Sixteen hexadecimal digits of what a store shows: which views, how they were rendered, and what the rows tell.

    No image is read: a neuron of another shape has other cameras, depths and class fractions.
    """
    rendering = store.spec.model_dump(mode="json") | {"depth_bits": store.depth_bits}
    digest = hashlib.sha256("\n".join([to_json(rendering), *store.neuron_ids]).encode("utf-8"))
    for name in _SHOWN:
        values = store.rows.column(name).combine_chunks()
        digest.update(np.asarray(values.is_valid()).tobytes())
        if pa.types.is_fixed_size_list(values.type):
            values = values.flatten()
        numbers = np.asarray(values.cast(pa.float64()).fill_null(math.nan), dtype="<f8")
        digest.update(numbers.tobytes())
    return digest.hexdigest()[:16]


class BatchPlan(Protocol):
    """Which rows make the batches of an epoch."""

    def __len__(self) -> int:
        """Number of batches, the same for every epoch."""
        ...

    def batches(self, epoch: int) -> list[Indices]:
        """The rows of each batch."""
        ...


class ShuffledViews:
    """All views, or some of each neuron, in a new order for every epoch.

    Args:
        store: the views.
        batch_size: views per batch; the last one may be smaller.
        seed: names the random streams.
        views_per_neuron: views drawn from each neuron, None for all.
        together: so many views of a neuron stay in one batch, for what compares them; a neuron with an odd view left
            gives that one alone. Batches are as large as full groups allow.
    """

    def __init__(
        self, store: ViewStore, batch_size: int, seed: int, views_per_neuron: int | None = None, together: int = 1
    ) -> None:
        self.groups_per_batch = max(1, batch_size // together)
        self.seed = seed
        self.limit = views_per_neuron
        self.together = together
        self.groups = rows_by_neuron(store)
        drawn = [min(len(rows), self.limit or len(rows)) for rows in self.groups.values()]
        self.n_views = sum(drawn)
        self.n_groups = sum(-(-n // together) for n in drawn)

    def __len__(self) -> int:
        return -(-self.n_groups // self.groups_per_batch)

    def batches(self, epoch: int) -> list[Indices]:
        """The rows of each batch of an epoch; what is drawn for a neuron does not depend on the other neurons."""
        drawn = [self._draw(neuron, rows, epoch) for neuron, rows in self.groups.items()]
        sizes = [-(-len(rows) // self.together) for rows in drawn]
        starts = np.cumsum([0, *sizes[:-1]])
        group = np.concatenate(
            [s + np.arange(len(rows)) // self.together for s, rows in zip(starts, drawn, strict=True)]
        )
        turn = rng(self.seed, "order", epoch).permutation(self.n_groups)[group]  # (n,) when the view's group comes
        order = np.argsort(turn, kind="stable")
        ends = np.searchsorted(turn[order], range(self.groups_per_batch, self.n_groups, self.groups_per_batch))
        return np.split(np.concatenate(drawn)[order], ends)

    def _draw(self, neuron: str, rows: Indices, epoch: int) -> Indices:
        if self.together == 1 and (self.limit is None or self.limit >= len(rows)):
            return rows
        return rng(self.seed, "views", neuron, epoch).permutation(rows)[: self.limit]


class OrderedViews:
    """All views in the order of the store, the same in every epoch: for validation."""

    def __init__(self, store: ViewStore, batch_size: int) -> None:
        self.n_views = len(store)
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-self.n_views // self.batch_size)

    def batches(self, epoch: int) -> list[Indices]:
        """The rows of each batch."""
        return np.split(np.arange(self.n_views), range(self.batch_size, self.n_views, self.batch_size))


def rows_by_neuron(store: ViewStore) -> dict[str, Indices]:
    """Rows of each neuron, by neuron id."""
    encoded = store.rows.column("neuron_id").combine_chunks().dictionary_encode()
    codes = np.asarray(encoded.indices, dtype=np.int64)
    order = np.argsort(codes, kind="stable")
    names = encoded.dictionary.to_pylist()
    parts = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    return dict(zip(names, parts, strict=True))


Position = Callable[[], tuple[int, int]]
"""Where training stands: the epoch, and how many of its batches are done."""


@dataclass(frozen=True)
class Turn:
    """The batches that all processes work on at once.

    Attributes:
        share: factor of this process's mean loss: 1 where all batches of the step are alike, 0 for one that only
            fills up.
        share_together: factor of a loss that all processes compute from the views of the turn.
        sizes: views of each process that count.
    """

    share: float = 1.0
    share_together: float = 1.0
    sizes: Sequence[int] = ()


class PlannedLoader:
    """Batches of a plan, for training from where the run stands.

    It is asked where to start only when the first batch is wanted, so that a run that is resumed in the middle of an
    epoch continues with the very batches that an uninterrupted one would have seen. Several processes take turns; a
    training plan is filled up so that all have the same number of batches, a validation plan is not, so that no view
    counts twice.

    Args:
        dataset: ``dataset[indices]`` is a batch.
        plan: the batches of an epoch.
        training: whether this is the training data.
        num_workers: reading processes; the batches do not depend on it.
    """

    def __init__(self, dataset: Dataset[Any], plan: BatchPlan, *, training: bool, num_workers: int = 0) -> None:
        self.dataset = dataset
        self.plan = plan
        self.training = training
        self.num_workers = num_workers
        self.pin_memory = False
        self.position: Position | None = None
        self.rank, self.world_size = 0, 1
        self._sizes: list[int] = []
        self._running: Generator[Any, None, None] | None = None

    def __len__(self) -> int:
        n_batches = len(self.plan)
        padded = n_batches + (-n_batches % self.world_size if self.training else 0)
        return len(range(self.rank, padded, self.world_size))

    def __iter__(self) -> Iterator[Any]:
        self._running = self._batches()
        return self._running

    def close(self) -> None:
        """End the reading processes of a training that failed; they hear no signal, so nothing else would."""
        if self._running is not None:
            self._running.close()

    def _batches(self) -> Generator[Any, None, None]:
        epoch, done = (0, 0) if self.position is None else self.position()
        batches = list(self.plan.batches(epoch))
        self._sizes = [len(batch) for batch in batches]
        mine = self.own_batches(batches)[done:]
        num_workers = min(self.num_workers, len(mine))
        with plain_worker_errors():
            loader = DataLoader(
                self.dataset,
                batch_size=None,
                sampler=mine,  # what it yields is the rows of a whole batch
                num_workers=num_workers,
                pin_memory=self.pin_memory,
                prefetch_factor=4 if num_workers else None,
                worker_init_fn=leave_stopping_to_the_parent,
            )
            yield from loader

    def turn(self, batch: int, accumulation: int) -> Turn:
        """What a batch counts in its optimizer step, so that the step is the mean over all of the step's views.

        The trainer divides the losses of a step by the number of processes and of accumulated batches. That is the
        mean over views when all batches are alike; the last ones of an epoch may be smaller, fewer, or only there to
        fill up the turns of several processes.

        Args:
            batch: number of this process's batch within the epoch.
            accumulation: batches of a process per optimizer step.
        """
        at_once = accumulation * self.world_size
        first = batch * self.world_size
        start = first // at_once * at_once
        of_step = sum(self._sizes[start : start + at_once])
        sizes = self._sizes[first : first + self.world_size]
        sizes += [0] * (self.world_size - len(sizes))
        return Turn(sizes[self.rank] * at_once / of_step, sum(sizes) * accumulation / of_step, sizes)

    def own_batches(self, batches: list[Indices]) -> list[Indices]:
        """Those that this process works on."""
        if self.training:
            batches += batches[: -len(batches) % self.world_size]
        return batches[self.rank :: self.world_size]

    def state_dict(self) -> dict[str, Any]:
        """Nothing: the trainer's own progress says where to go on. That it exists tells Lightning that we can."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to restore; see :meth:`state_dict`."""
