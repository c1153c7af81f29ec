"""From the pooled vector of a view to the space that neurons and captions share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ImageProjection(nn.Module):
    """Pooled Stage 1 vector to a unit vector: standardize, LayerNorm, Linear, SiLU, dropout, Linear.

    The features of a pooled vector differ in size by orders of magnitude (averages of channels beside the logarithm of
    a field of view), so they are first brought to zero mean and unit deviation over training views.

    Args:
        in_dim: length of the pooled vector.
        out_dim: length of the result.
        hidden: width of the layer between.
        dropout: share of hidden units dropped while training.
    """

    def __init__(self, in_dim: int, out_dim: int, hidden: int = 256, dropout: float = 0.1) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(in_dim))
        self.register_buffer("deviation", torch.ones(in_dim))
        self.layers = nn.Sequential(
            nn.LayerNorm(in_dim),
            nn.Linear(in_dim, hidden),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, out_dim),
        )

    mean: Tensor
    deviation: Tensor

    def standardize_on(self, vectors: Tensor) -> None:
        """Set the standardization to that of training vectors, ``(n, in_dim)``; constant features become 0."""
        mean = vectors.double().mean(dim=0)
        deviation = vectors.double().std(dim=0, correction=0)
        # Rounding leaves a constant feature a deviation of about its own size times the precision.
        constant = deviation <= 1e-6 * mean.abs() + 1e-12
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(constant, torch.ones_like(deviation), deviation))

    def forward(self, pooled: Tensor) -> Tensor:
        """Unit vectors ``(n, out_dim)`` of pooled vectors ``(n, in_dim)``."""
        return F.normalize(self.layers((pooled - self.mean) / self.deviation), dim=-1)


class TextProjection(nn.Module):
    """Text vector to a unit vector: one linear map, since the text encoder is good already.

    Args:
        in_dim: length of the text encoder's vectors.
        out_dim: length of the result.
    """

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_dim, out_dim, bias=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """Unit vectors ``(n, out_dim)`` of text vectors ``(n, in_dim)``."""
        return F.normalize(self.linear(vectors), dim=-1)
