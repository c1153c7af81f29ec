"""The network's side of judging Stage 1: views through the decoder, added up neuron by neuron."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from axonet.core.progress import track
from axonet.datasets.view_store import ViewStore
from axonet.evaluation.data import Array, Ints
from axonet.evaluation.stage1 import Decoded
from axonet.inference.encode import ViewEncoder
from axonet.inference.view_batch import ViewDataset
from axonet.learning.stage1_inputs import stage1_inputs
from axonet.learning.stage1_validation import confusion_counts
from axonet.models.losses.depth import sign_free_error
from axonet.models.losses.kl import ACTIVE_NATS
from axonet.models.seg_vae import LATENT
from axonet.models.variational import kl_per_channel
from axonet.morphology.compartments import N_CLASSES

AT_ONCE = 8


class Totals:
    """Counts of some neurons.

    Args:
        place: neuron id -> row.
    """

    def __init__(self, place: Mapping[str, int]) -> None:
        self.place = place
        n = len(place)
        self.confusion = np.zeros((n, N_CLASSES, N_CLASSES))
        self.depth = np.zeros((n, 3))
        self.views = np.zeros(n)
        self.kl: dict[str, Array] = {}
        self.latent: Array = np.zeros(0)

    def decoded(self, neurons: Ints) -> Decoded:
        """What was recovered of the neurons ``(k,)``; those without a view are left out."""
        seen = np.flatnonzero(self.views > 0)
        kl = {level: values[seen] / self.views[seen] for level, values in self.kl.items()}
        active = int((self.latent / max(1.0, self.views.sum()) > ACTIVE_NATS).sum())
        return Decoded(neurons[seen], self.confusion[seen], self.depth[seen], kl, active, len(self.latent))


@torch.inference_mode()
def add_store(encoder: ViewEncoder, store: ViewStore, totals: Totals) -> None:
    """Decode all views of a store and add them up."""
    network, place = encoder.seg_vae, next(encoder.parameters()).device
    views = ViewDataset(store, zoom=encoder.spec.zoom)
    ids = store.neuron_ids
    n_pixels = encoder.spec.input_size[0] * encoder.spec.input_size[1]
    for start in track(range(0, len(store), AT_ONCE), "decoding views"):
        rows = np.arange(start, min(start + AT_ONCE, len(store)))
        inputs = stage1_inputs(views[rows].to(place), encoder.spec)
        output = network(inputs.network_input, inputs.fov)
        assert output.depth is not None
        error = sign_free_error(output.depth, inputs.depth, inputs.has_depth)
        middle = sign_free_error(torch.full_like(output.depth, 0.5), inputs.depth, inputs.has_depth)
        known = inputs.has_depth.flatten(1).any(dim=1) & torch.isfinite(inputs.fov_um)
        fov_um = torch.where(known, inputs.fov_um, 0.0)
        depth = torch.stack([error * fov_um, middle * fov_um, known.float()], dim=1).double().cpu().numpy()
        channels = {level: kl_per_channel(own).double().cpu().numpy() for level, own in output.posteriors.items()}
        totals.latent = channels[LATENT].sum(axis=0) + (totals.latent if len(totals.latent) else 0.0)
        for i, row in enumerate(rows):
            neuron = totals.place[ids[row]]
            own = confusion_counts(output.classes[i : i + 1], inputs.classes[i : i + 1], N_CLASSES)
            totals.confusion[neuron] += own.cpu().numpy()
            totals.depth[neuron] += depth[i]
            totals.views[neuron] += 1
            for level, values in channels.items():
                totals.kl.setdefault(level, np.zeros(len(totals.views)))[neuron] += values[i].sum() / n_pixels
