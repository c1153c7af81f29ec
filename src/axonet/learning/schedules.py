"""Learning rate and KL weight as functions of the optimizer step."""

from __future__ import annotations

import math
from typing import Literal

LR_MILESTONES = (0.5, 0.75)


def lr_factor(step: int, total: int, warmup: int, kind: Literal["cosine", "step", "constant"]) -> float:
    """Factor of the peak learning rate for a step.

    Args:
        step: 0 for the first optimizer step.
        total: number of steps of the run.
        warmup: steps of linear rise; the peak is reached with the last of them.
        kind: ``cosine`` falls to zero at ``total``; ``step`` is a tenth after half and a hundredth after three
            quarters of the steps that follow the warm-up; ``constant`` stays.
    """
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total - warmup))
    if kind == "cosine":
        return 0.5 * (1 + math.cos(math.pi * progress))
    if kind == "step":
        return 0.1 ** sum(progress >= milestone for milestone in LR_MILESTONES)
    return 1.0


def kl_factor(step: int, warmup: int) -> float:
    """Factor of the KL weight: rises linearly from 0 over ``warmup`` steps, then 1."""
    return 1.0 if step >= warmup else step / warmup


def total_steps(n_batches: int, accumulation: int, max_epochs: int, max_steps: int | None) -> int:
    """Optimizer steps of a run; the last batches of an epoch make a step of their own when they do not fill one."""
    return max_steps if max_steps is not None else max_epochs * math.ceil(n_batches / accumulation)
