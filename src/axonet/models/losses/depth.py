"""How far in front of the middle plane the visible surface lies, up to the front/back ambiguity of a silhouette.

An orthographic silhouette is the same for a neuron and for its mirror image through the image plane: whether a branch
comes towards the viewer or goes away cannot be seen. Depth is written as a fraction of the field of view with 0.5 at
the middle plane, so the mirror image of a depth d is 1 - d. Each image is compared with both and the nearer one counts.
"""

from __future__ import annotations

import torch
from torch import Tensor


def sign_free_error(predicted: Tensor, target: Tensor, foreground: Tensor) -> Tensor:
    """Mean absolute depth error of each image over its foreground, for the better of the two mirror images.

    Args:
        predicted: ``(b, 1, h, w)`` depth as a fraction of the field of view, 0.5 = middle plane.
        target: ``(b, 1, h, w)`` likewise; what it holds on the background is of no account.
        foreground: ``(b, 1, h, w)`` bool.

    Returns:
        ``(b,)`` fraction of the field of view; zero for an image without foreground.
    """
    predicted, target = predicted.float(), torch.where(foreground, target.float(), 0.5)
    n_pixels = foreground.sum(dim=(1, 2, 3)).clamp(min=1)
    as_seen = ((predicted - target).abs() * foreground).sum(dim=(1, 2, 3)) / n_pixels
    mirrored = ((predicted - (1 - target)).abs() * foreground).sum(dim=(1, 2, 3)) / n_pixels
    return torch.minimum(as_seen, mirrored)


def depth_loss(predicted: Tensor, target: Tensor, foreground: Tensor) -> Tensor:
    """Mean of :func:`sign_free_error` over the images that have foreground; arguments likewise. Scalar."""
    errors = sign_free_error(predicted, target, foreground)
    return errors.sum() / foreground.flatten(1).any(dim=1).sum().clamp(min=1)
