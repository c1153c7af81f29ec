"""Whose view each row is, and what is to be predicted of that neuron."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from axonet.core.files import short_hash
from axonet.core.input_spec import MorphometricInput
from axonet.datasets.view_store import ViewStore
from axonet.inference.morphometrics import Measures, fit_morphometrics, standardized_morphometrics
from axonet.learning.views_dataset import rows_by_neuron
from axonet.morphology.morphometrics import MORPHOMETRICS, RADIUS_MEASURES


def predicted_names() -> tuple[str, ...]:
    """All morphometrics but those that read the tracer's types: these are what the decoder learns from the pixels."""
    return tuple(name for name, measure in MORPHOMETRICS.items() if not measure.compartment)


@dataclass(frozen=True)
class Targets:
    """Which measurements are predicted, on which scale, and those of all neurons.

    Attributes:
        scales: mean and deviation over the training neurons; those that are constant there are left out.
        measures: rows of the table of measurements by neuron id.
    """

    scales: tuple[MorphometricInput, ...] = ()
    measures: Mapping[str, Measures] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Of the measurements that are predicted."""
        return [scale.name for scale in self.scales]

    def digest(self, store: ViewStore) -> str:
        """Sixteen hexadecimal digits of what is to be predicted of a store's neurons."""
        ids = sorted(set(store.neuron_ids))
        values = np.round(self.of(ids), 4).astype("<f4")
        return short_hash([self.names, ids, hashlib.sha256(values.tobytes()).hexdigest()], 16)

    def of(self, neuron_ids: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """``(n, m)`` standardized measurements, NaN where missing."""
        return standardized_morphometrics([self.measures.get(neuron) for neuron in neuron_ids], self.scales)


def fit_targets(train: ViewStore, measures: Mapping[str, Measures]) -> Targets:
    """Choose and scale what is predicted, by the training neurons.

    Args:
        train: training views.
        measures: rows of the table of measurements by neuron id; they may be of other neurons too.
    """
    rows = [measures.get(neuron) for neuron in rows_by_neuron(train)]
    if not any(_is_known(row, name) for row in rows for name in predicted_names() if name not in RADIUS_MEASURES):
        return Targets()
    scales = fit_morphometrics(rows, predicted_names())
    known = standardized_morphometrics(rows, scales)
    with np.errstate(invalid="ignore"):
        spread = np.nanmax(known, axis=0, initial=-np.inf) - np.nanmin(known, axis=0, initial=np.inf)
    return Targets(tuple(scale for scale, s in zip(scales, spread, strict=True) if s > 0), measures)


def _is_known(row: Measures | None, name: str) -> bool:
    value = (row or {}).get(name)
    return value is not None and bool(np.isfinite(value))


class NeuronTable(nn.Module):
    """Looks up neurons and targets by row, on the device; nothing of it is saved.

    Args:
        store: the views.
        targets: what is predicted.
    """

    neuron: Tensor
    target: Tensor

    def __init__(self, store: ViewStore, targets: Targets) -> None:
        super().__init__()
        groups = rows_by_neuron(store)
        neuron = np.empty(len(store), dtype=np.int64)
        for number, rows in enumerate(groups.values()):
            neuron[rows] = number
        self.register_buffer("neuron", torch.from_numpy(neuron), persistent=False)
        self.register_buffer("target", torch.from_numpy(targets.of(list(groups))), persistent=False)

    def forward(self, row: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers of the neurons ``(b,)`` and their targets ``(b, m)`` of some rows."""
        neuron = self.neuron[row]
        return neuron, self.target[neuron]
