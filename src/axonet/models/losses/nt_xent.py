"""Views of one neuron belong together: contrast between the views of a batch."""

from __future__ import annotations

import torch
from torch import Tensor


def nt_xent(vectors: Tensor, neuron: Tensor, temperature: float = 0.1) -> Tensor:
    """Normalized temperature-scaled cross-entropy: which of the other views shows the same neuron?

    Every view asks this of all the others. With two views of each neuron it is the loss of SimCLR; where a neuron has
    more, each of them is the answer once, and the answers are averaged. A view that is the only one of its neuron asks
    nothing, but is among the wrong answers of the others.

    Args:
        vectors: ``(b, d)`` unit vectors.
        neuron: ``(b,)`` whose view each is.
        temperature: cosines are divided by it.

    Returns:
        Scalar: the mean over the views that ask; zero when there is none, and when all views are of one neuron in
        two views.

    Source:
        Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations"; for more than two
        views Khosla et al. 2020, "Supervised Contrastive Learning" (its loss "out").
    """
    vectors = vectors.float()
    itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    same = (neuron[:, None] == neuron[None, :]) & ~itself  # (b, b)
    logits = (vectors @ vectors.T / temperature).masked_fill(itself, -torch.inf)
    log_p = logits.log_softmax(dim=1)
    n_same = same.sum(dim=1)
    asked = -torch.where(same, log_p, 0.0).sum(dim=1) / n_same.clamp(min=1)  # (b,)
    return asked.sum() / (n_same > 0).sum().clamp(min=1)
