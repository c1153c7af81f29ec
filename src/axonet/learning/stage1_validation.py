"""What is measured over the whole validation set of Stage 1, beside the losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from axonet.learning.stage1_inputs import Stage1Inputs
from axonet.learning.totals import Totals
from axonet.models.losses.depth import sign_free_error
from axonet.models.losses.kl import ACTIVE_NATS
from axonet.models.seg_vae import LATENT, SegVAEOutput
from axonet.models.variational import kl_per_channel
from axonet.morphology.compartments import CLASS_NAMES, N_CLASSES, Compartment

CLASS_KEYS = [name.replace(" ", "_") for name in CLASS_NAMES[1:]]
_AXON, _DENDRITES = [Compartment.AXON], [Compartment.BASAL, Compartment.APICAL]


class ValidationMeasures:
    """Adds up counts and errors batch by batch, on the device.

    Args:
        names: of the measurements that are predicted from the neuron vector.

    Attributes:
        never_predicted: after :meth:`values`, the names of the classes that are there but were predicted nowhere.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = names
        self._totals = Totals()
        self.never_predicted: list[str] = []

    def add(self, output: SegVAEOutput, inputs: Stage1Inputs) -> None:
        """Add a batch; the device is not waited for."""
        totals = self._totals
        totals.add("latent", kl_per_channel(output.posteriors[LATENT]).sum(dim=0))
        totals.add("views", torch.ones_like(inputs.fov_um).sum())
        if output.depth is None:
            return
        error = sign_free_error(output.depth, inputs.depth, inputs.has_depth)  # (b,)
        middle = sign_free_error(torch.full_like(output.depth, 0.5), inputs.depth, inputs.has_depth)
        known = inputs.has_depth.flatten(1).any(dim=1)
        fov_um = torch.where(known, inputs.fov_um, 0.0)
        totals.add("depth", torch.stack([(error * fov_um).sum(), (middle * fov_um).sum(), known.float().sum()]))
        totals.add("confusion", confusion_counts(output.classes, inputs.classes, N_CLASSES))

    def add_predicted(self, predicted: Tensor, target: Tensor) -> None:
        """Add measurements ``(b, m)`` that were predicted, and what they are; NaN where that is not known."""
        known = torch.isfinite(target)
        true = torch.where(known, target, 0.0).double()
        squared = torch.where(known, predicted.double() - true, 0.0).square()
        parts = [known.double(), true, true.square(), squared]
        self._totals.add("predicted", torch.stack([part.sum(dim=0) for part in parts]))

    def values(self, strategy: Any) -> dict[str, Tensor]:
        """Everything measured, over all processes, by the name under which it is logged; starts anew."""
        totals = self._totals.reduced(strategy)
        values = {"val/active_units": (totals["latent"] / totals["views"] > ACTIVE_NATS).sum()}
        if "predicted" in totals:
            values |= determination(self._names, *totals["predicted"])
        if "confusion" in totals:
            values |= self._decoded(totals)
        return {name: value.float() for name, value in values.items()}

    def _decoded(self, totals: dict[str, Tensor]) -> dict[str, Tensor]:
        confusion = totals["confusion"]
        predicted, true = confusion.sum(dim=0), confusion.sum(dim=1)
        self.never_predicted = [CLASS_NAMES[k] for k in range(1, N_CLASSES) if true[k] > 0 and predicted[k] == 0]
        values = {
            f"val/dice_{key}": 2 * confusion[k, k] / (predicted[k] + true[k])
            for k, key in enumerate(CLASS_KEYS, start=1)
            if true[k] > 0
        }
        values["val/dice"] = torch.stack(list(values.values())).mean() if values else torch.tensor(torch.nan)
        for name, actual, taken_for in (
            ("val/axon_called_dendrite", _AXON, _DENDRITES),
            ("val/dendrite_called_axon", _DENDRITES, _AXON),
        ):
            if (n_pixels := true[actual].sum()) > 0:
                values[name] = confusion[actual][:, taken_for].sum() / n_pixels
        error, middle, n_known = totals["depth"]
        if n_known > 0:
            values |= {"val/depth_mae_um": error / n_known, "val/depth_mae_um_of_middle_plane": middle / n_known}
        return values


def determination(names: Sequence[str], n: Tensor, total: Tensor, squares: Tensor, error: Tensor) -> dict[str, Tensor]:
    """How much of each measurement's variance over the views is predicted, and the median over the measurements.

    Args:
        names: of the ``m`` measurements.
        n: ``(m,)`` known values.
        total: ``(m,)`` their sum.
        squares: ``(m,)`` the sum of their squares.
        error: ``(m,)`` the sum of squared errors.

    Returns:
        ``val/r2_...``, 1 for a perfect prediction and 0 for one no better than the mean; without those of which fewer
        than two values are known or all are the same, because a variance of zero cannot be explained.
    """
    variance = squares - total.square() / n.clamp(min=1)
    found = {
        f"val/r2_{name}": 1 - error[i] / variance[i] for i, name in enumerate(names) if n[i] > 1 and variance[i] > 1e-6
    }
    return found | ({"val/r2": torch.stack(list(found.values())).median()} if found else {})


def confusion_counts(classes: Tensor, target: Tensor, n_classes: int) -> Tensor:
    """Pixels of each true class that were given each class.

    Args:
        classes: ``(b, h, w)`` predicted class ids.
        target: ``(b, h, w)`` true class ids.
        n_classes: number of classes, background included.

    Returns:
        ``(n_classes, n_classes)`` int64, rows by truth.
    """
    pairs = (target.long() * n_classes + classes.long()).flatten()
    counts = torch.zeros(n_classes * n_classes, dtype=torch.int64, device=target.device)
    # Unlike bincount, this does not make the host wait for the device.
    return counts.scatter_add_(0, pairs, torch.ones_like(pairs)).reshape(n_classes, n_classes)
