"""A running average of a network's weights: steadier than the weights themselves, and what is validated and saved."""

from __future__ import annotations

import torch
from torch import nn


def average_decay(step: int, decay: float) -> float:
    """Share of the former average that a step keeps.

    It rises from 0.1 to ``decay``, so that a short run is not dominated by the weights it began with.

    Args:
        step: optimizer steps before this one.
        decay: what is set, reached after about ``10 / (1 - decay)`` steps.
    """
    return min(decay, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, kept: float) -> None:
    """Move an average towards the weights of now: ``average = kept * average + (1 - kept) * model``, in place.

    The device is not waited for.
    """
    weights: list[torch.Tensor] = list(average.parameters())
    if weights:  # torch refuses to do nothing
        torch._foreach_lerp_(weights, [*model.parameters()], 1 - kept)
