"""Kullback-Leibler divergence of the posteriors, scaled so that beta = 1 is an evidence lower bound per pixel."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from axonet.models.variational import Posterior, kl_between, kl_per_channel

ACTIVE_NATS = 0.01


def kl_loss(
    posteriors: Mapping[str, Posterior], n_pixels: int, free_nats: float = 0.0
) -> tuple[Tensor, dict[str, Tensor]]:
    """Divergence of all posteriors in nats per image pixel.

    Each channel is a group of its own: its nats are averaged over the batch, raised to ``free_nats`` where they are
    below, and only then summed. A channel below the threshold so costs nothing more, while the others keep their
    gradient; one threshold on the sum would switch all of them off together (Kingma et al. 2016, free bits).

    Args:
        posteriors: level name -> posterior, each ``(b, c, h, w)``.
        n_pixels: pixels of an image; the reconstruction losses are means over pixels, so this is too.
        free_nats: nats per channel that are not charged, before the division by pixels.

    Returns:
        The loss (scalar), and per level the divergence in nats per pixel without free nats (scalars, detached).
    """
    losses, levels = [], {}
    for name, posterior in posteriors.items():
        per_channel = kl_per_channel(posterior).mean(dim=0)  # (c,) nats
        losses.append(per_channel.clamp(min=free_nats).sum() / n_pixels)
        levels[name] = per_channel.detach().sum() / n_pixels
    return torch.stack(losses).sum(), levels


def drift_loss(posterior: Posterior, reference: Posterior, n_pixels: int) -> Tensor:
    """Divergence of a posterior from the one that it started from, in nats per image pixel (scalar).

    Args:
        posterior: ``(b, c, h, w)`` of the network that is trained.
        reference: the same of the network before; no gradient comes from it.
        n_pixels: pixels of an image.
    """
    return kl_between(posterior, reference).sum(dim=1).mean() / n_pixels


def active_channels(posterior: Posterior) -> Tensor:
    """Number of channels that carry more than 0.01 nats per image on average over the batch (scalar, float)."""
    return (kl_per_channel(posterior).mean(dim=0) > ACTIVE_NATS).sum().float()
