"""The questions asked of an embedding: one per label field, from structured metadata, never from caption text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from axonet.evaluation.data import Ints, Neurons
from axonet.metadata.record import NeuronRecord


@dataclass(frozen=True)
class Field:
    """A label of neurons.

    Attributes:
        name: in tables.
        words: in sentences.
        of: the label of a record, None when the source does not say.
    """

    name: str
    words: str
    of: Callable[[NeuronRecord], str | None]


def _first(values: Sequence[str]) -> str | None:
    return values[0] if values else None


FIELDS: tuple[Field, ...] = (
    Field("cell_type", "cell type", lambda record: record.type_label),
    Field("region", "brain region (top level)", lambda record: _first(record.region)),
    Field("species", "species", lambda record: record.species),
    Field("layer", "cortical layer", lambda record: record.layer),
)


def labels_of(neurons: Neurons, field: Field) -> list[str | None]:
    """The label of every neuron, None where the source does not say."""
    return [None if record is None else field.of(record) for record in neurons.records]


@dataclass(frozen=True)
class Classes:
    """The classes that a question is about.

    Attributes:
        names: by number of judged neurons, the commonest first; equals by name.
        truth: ``(n,)`` class of every neuron, -1 for no or a dropped class.
        dropped: one row for every class left out, with its reason.
    """

    names: tuple[str, ...]
    truth: Ints
    dropped: tuple[dict[str, object], ...]


def choose_classes(
    labels: Sequence[str | None],
    judged: Ints,
    learned_on: Ints | None,
    min_class_size: int,
    task: str,
) -> Classes:
    """Keep the classes with enough judged neurons and, if something is learned, a neuron to learn from.

    Args:
        labels: of all neurons.
        judged: indices of the judged ones.
        learned_on: indices of the ones that are learned on; None when nothing has to be learned.
        min_class_size: fewest judged neurons of a class.
        task: name in the dropped rows.
    """
    counts = Counter(label for label in (labels[i] for i in judged) if label is not None)
    known = None if learned_on is None else Counter(labels[i] for i in learned_on)
    names, dropped = [], []
    for label, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        learned = None if known is None else known[label]
        if count < min_class_size:
            reason = f"fewer than {min_class_size} judged neurons"
        elif learned == 0:
            reason = "no neuron to learn it from"
        else:
            names.append(label)
            continue
        dropped.append({"task": task, "class": label, "n": count, "n_train": learned, "reason": reason})
    place = {name: index for index, name in enumerate(names)}
    truth = np.array([-1 if label is None else place.get(label, -1) for label in labels], dtype=np.int64)
    return Classes(tuple(names), truth, tuple(dropped))
