"""What holds back a Stage 1 encoder that is fine-tuned: its distance from what it was."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from axonet.models.checkpoint import Checkpoint, build_seg_vae
from axonet.models.losses.kl import drift_loss
from axonet.models.seg_vae import SegVAE2D
from axonet.models.variational import Posterior


class StageOnePosterior:
    """What the Stage 1 encoder said of the images of a step, to hold back the one that is fine-tuned.

    It is no module of the training: it does not learn, and what is saved holds the Stage 1 network already.

    Args:
        trained: the network that is fine-tuned.
        stage1: the checkpoint that it started from.
    """

    def __init__(self, trained: SegVAE2D, stage1: Checkpoint) -> None:
        self.reference = build_seg_vae(stage1).eval().requires_grad_(False)
        self._last: dict[str, Posterior] = {}
        for name, network in (("trained", trained), ("reference", self.reference)):
            network.encoder.latent.register_forward_hook(partial(self._keep, name))

    @torch.no_grad()
    def drift(self, images: Tensor, fov: Tensor, n_pixels: int) -> Tensor:
        """Divergence, in nats per pixel, of the posterior that the trained network gave of these images just now."""
        posterior = self._last["trained"]
        self.reference.to(images.device).encode(images, fov)
        with torch.enable_grad():
            return drift_loss(posterior, self._last["reference"], n_pixels)

    def _keep(self, name: str, _module: Any, _inputs: Any, posterior: Posterior) -> None:
        self._last[name] = posterior
