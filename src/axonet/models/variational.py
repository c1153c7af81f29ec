"""Diagonal Gaussian posteriors: drawing from them, and how far they are from the prior and from one another."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

LOGVAR_LIMIT = 10.0


class Posterior(NamedTuple):
    """A diagonal Gaussian per image: ``mean`` and ``logvar``, both ``(b, c, h, w)``."""

    mean: Tensor
    logvar: Tensor


class GaussianHead(nn.Module):
    """Predict a posterior from a feature map: ``(b, in, h, w)`` -> mean and log-variance ``(b, out, h, w)``."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(in_channels, 2 * out_channels, 1)

    def forward(self, x: Tensor) -> Posterior:
        """Predict the posterior; the log-variance is kept where its exponential is finite and not zero."""
        mean, logvar = self.project(x).chunk(2, dim=1)
        return Posterior(mean, logvar.clamp(-LOGVAR_LIMIT, LOGVAR_LIMIT))


def draw(posterior: Posterior, *, sample: bool) -> Tensor:
    """A value of the posterior, ``(b, c, h, w)``: a reparameterized sample, or its mean.

    Sampling belongs to training; everything that is measured or compared uses the mean, so that it can be repeated.
    """
    if not sample:
        return posterior.mean
    noise = torch.randn_like(posterior.mean)
    return posterior.mean + noise * torch.exp(0.5 * posterior.logvar)


def kl_per_channel(posterior: Posterior) -> Tensor:
    """Divergence from the standard normal prior, ``(b, c)`` nats: summed over the positions of each channel."""
    mean, logvar = posterior.mean.float(), posterior.logvar.float()
    kl = 0.5 * (mean.square() + logvar.exp() - 1.0 - logvar)  # (b, c, h, w)
    return kl.sum(dim=(2, 3))


def kl_between(posterior: Posterior, other: Posterior) -> Tensor:
    """Divergence of a posterior from another one, ``(b, c)`` nats: summed over the positions of each channel."""
    mean, logvar = posterior.mean.float(), posterior.logvar.float()
    shift, ratio = mean - other.mean.float(), logvar - other.logvar.float()
    kl = 0.5 * (shift.square() * torch.exp(-other.logvar.float()) + ratio.exp() - 1.0 - ratio)  # (b, c, h, w)
    return kl.sum(dim=(2, 3))
