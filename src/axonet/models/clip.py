"""Stage 2: a shape encoder and a text encoder that meet in one space.

``silhouette (b, 1, h, w), field of view (b, 1) -> Stage 1, pooled (b, p) -> ImageProjection -> unit (b, d)``

Where the neuron was measured, ``morphometrics (b, 2 m)`` may be joined to the pooled vector.

``text vector of a text encoder (b, t) -> TextProjection -> unit (b, d)``
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from axonet.models.projection import ImageProjection, TextProjection

MAX_LOG_SCALE = math.log(100.0)
SIGLIP_BIAS = -10.0


class ClipModel(nn.Module):
    """The two projections and the temperature; the Stage 1 encoder stands beside it, not in it.

    Args:
        image_dim: length of the pooled Stage 1 vector.
        text_dim: length of the text encoder's vectors.
        embed_dim: length of the shared unit vectors.
        hidden: width of the image projection's hidden layer.
        dropout: of the image projection.
        temperature: where the temperature starts, or stays.
        learnable_temperature: whether it is trained.
        n_morphometrics: how many morphometrics may be joined to a pooled vector.
    """

    def __init__(
        self,
        image_dim: int,
        text_dim: int,
        embed_dim: int = 512,
        hidden: int = 256,
        dropout: float = 0.1,
        temperature: float = 0.07,
        learnable_temperature: bool = False,
        n_morphometrics: int = 0,
    ) -> None:
        super().__init__()
        self.architecture: dict[str, Any] = {
            "image_dim": image_dim,
            "text_dim": text_dim,
            "embed_dim": embed_dim,
            "hidden": hidden,
            "dropout": dropout,
            "temperature": temperature,
            "learnable_temperature": learnable_temperature,
            "n_morphometrics": n_morphometrics,
        }
        self.image = ImageProjection(image_dim, embed_dim, hidden, dropout, n_morphometrics)
        self.text = TextProjection(text_dim, embed_dim)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / temperature)), requires_grad=learnable_temperature)
        self.bias = nn.Parameter(torch.tensor(SIGLIP_BIAS))
        self.clamp_scale()

    @property
    def scale(self) -> Tensor:
        """Inverse temperature, a scalar."""
        return self.log_scale.exp()

    @torch.no_grad()
    def clamp_scale(self) -> None:
        """Keep the logarithm of the scale in [0, ln 100]; called after each optimizer step."""
        self.log_scale.clamp_(0.0, MAX_LOG_SCALE)

    def embed_pooled(self, pooled: Tensor, morphometrics: Tensor | None = None) -> Tensor:
        """Unit vectors ``(n, d)`` of pooled Stage 1 vectors ``(n, p)``, with ``(n, 2 m)`` morphometrics or without."""
        return self.image(pooled, morphometrics)  # type: ignore[no-any-return]

    def embed_text_vectors(self, vectors: Tensor) -> Tensor:
        """Unit vectors ``(n, d)`` of vectors of the text encoder ``(n, t)``."""
        return self.text(vectors)  # type: ignore[no-any-return]
