"""Which compartment a foreground pixel belongs to: cross-entropy or focal loss, and Dice.

The silhouette is the input, so the background is known: only foreground pixels and foreground classes are judged.
Both losses are means over images of something that each image has for itself. A step over several small batches or
processes is then the same as one over the large batch, which a ratio of sums over pixels would not allow.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

FOCAL_GAMMA = 2.0
SMOOTH = 1e-5


def classification_loss(logits: Tensor, target: Tensor, kind: Literal["ce", "focal"] = "ce") -> Tensor:
    """Mean cross-entropy over an image's foreground pixels, or its focal form (Lin et al. 2017, gamma 2).

    Args:
        logits: ``(b, c, h, w)``, class 0 = background.
        target: ``(b, h, w)`` class ids.
        kind: ``focal`` weights a pixel with ``(1 - p)^2``, where p is the probability of its true class.

    Returns:
        Scalar: the mean over the images that have foreground; zero (with a gradient of zero) when none has.
    """
    log_p = functional.log_softmax(logits.float(), dim=1)
    log_p_true = log_p.gather(1, target[:, None].long())[:, 0]  # (b, h, w)
    weight = torch.ones_like(log_p_true) if kind == "ce" else (1 - log_p_true.exp()) ** FOCAL_GAMMA
    foreground = target > 0
    losses = torch.where(foreground, -weight * log_p_true, 0.0).sum(dim=(1, 2))
    return _mean_of_ratios(losses, foreground.sum(dim=(1, 2)))


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """One minus the Dice overlap, averaged over the foreground classes that are present in an image.

    A class that is absent from an image says nothing about it and is left out (its Dice would be zero or one by
    definition, not by merit).

    Args:
        logits: ``(b, c, h, w)``, class 0 = background.
        target: ``(b, h, w)`` class ids.

    Returns:
        Scalar: the mean over the images that have foreground; zero when none has.
    """
    n_classes = logits.shape[1]
    foreground = (target > 0)[:, None]
    predicted = logits.float().softmax(dim=1)[:, 1:] * foreground  # (b, c - 1, h, w)
    truth = torch.stack([target == k for k in range(1, n_classes)], dim=1).float()
    overlap = (predicted * truth).sum(dim=(2, 3))  # (b, c - 1)
    total, support = predicted.sum(dim=(2, 3)), truth.sum(dim=(2, 3))
    dice = (2 * overlap + SMOOTH) / (total + support + SMOOTH)
    present = support > 0
    return _mean_of_ratios(torch.where(present, 1 - dice, 0.0).sum(dim=1), present.sum(dim=1))


def _mean_of_ratios(total: Tensor, count: Tensor) -> Tensor:
    """Mean of ``total / count``, both ``(b,)``, over the images whose count is not zero."""
    return (total / count.clamp(min=1)).sum() / (count > 0).sum().clamp(min=1)
