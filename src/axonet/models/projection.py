"""From the pooled vector of a view to the space that neurons and captions share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ImageProjection(nn.Module):
    """Pooled Stage 1 vector to a unit vector: standardize, LayerNorm, Linear, SiLU, dropout, Linear.

    The features of a pooled vector differ in size by orders of magnitude (averages of channels beside the logarithm of
    a field of view), so they are first brought to zero mean and unit deviation over training views. Morphometrics are
    joined behind the LayerNorm, so that a picture's own features do not depend on whether they are there.

    Args:
        in_dim: length of the pooled vector.
        out_dim: length of the result.
        hidden: width of the layer between.
        dropout: share of hidden units dropped while training.
        n_morphometrics: ``m``, how many may be joined.
    """

    def __init__(
        self, in_dim: int, out_dim: int, hidden: int = 256, dropout: float = 0.1, n_morphometrics: int = 0
    ) -> None:
        super().__init__()
        self.n_morphometrics = n_morphometrics
        self.register_buffer("mean", torch.zeros(in_dim))
        self.register_buffer("deviation", torch.ones(in_dim))
        self.norm = nn.LayerNorm(in_dim)
        self.layers = nn.Sequential(
            nn.Linear(in_dim + 2 * n_morphometrics, hidden),
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

    def forward(self, pooled: Tensor, morphometrics: Tensor | None = None) -> Tensor:
        """Unit vectors of pooled vectors.

        Args:
            pooled: ``(n, in_dim)``.
            morphometrics: ``(n, 2 m)`` standardized values, 0 where missing, then 1 for what is missing, else 0; None
                for the picture alone, which is the same as all of them missing.

        Returns:
            ``(n, out_dim)``.
        """
        features = self.norm((pooled - self.mean) / self.deviation)  # (n, in_dim)
        if self.n_morphometrics:
            block = self.without_morphometrics(len(pooled)).to(features) if morphometrics is None else morphometrics
            features = torch.cat([features, block], dim=1)  # (n, in_dim + 2 m)
        return F.normalize(self.layers(features), dim=-1)

    def without_morphometrics(self, n: int) -> Tensor:
        """The ``(n, 2 m)`` block that says that nothing was measured."""
        return torch.tensor([0.0, 1.0]).repeat_interleave(self.n_morphometrics).expand(n, -1)


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
