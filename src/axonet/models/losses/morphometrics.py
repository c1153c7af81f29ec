"""How far measurements predicted from a view are from those of its neuron."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def morphometrics_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Smooth L1 distance (Huber, threshold 1): a mean over the known measurements of each image, then over images.

    Args:
        predicted: ``(b, m)`` measurements in standard deviations.
        target: ``(b, m)`` likewise; NaN where one is not known.

    Returns:
        Scalar: the mean over the images of which something is known; zero (with a gradient of zero) when there is none.
    """
    known = torch.isfinite(target)
    distance = functional.smooth_l1_loss(predicted.float(), torch.where(known, target, 0.0), reduction="none")
    n_known = known.sum(dim=1)
    per_image = torch.where(known, distance, 0.0).sum(dim=1) / n_known.clamp(min=1)
    return per_image.sum() / (n_known > 0).sum().clamp(min=1)
