"""Contrastive losses between neurons and captions.

Many captions are true of many neurons ("a mouse neuron" of every mouse neuron), so the diagonal of a batch is not the
whole truth. Every loss is handed ``true_of``, the ``(b, b)`` bool matrix that says whether caption ``j`` is true of
neuron ``i``; what differs is what is made of it. All expect unit vectors and are symmetric: the mean of neuron to
caption and caption to neuron.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

LossName = Literal["entail", "masked", "infonce", "siglip"]


def infonce(image: Tensor, text: Tensor, true_of: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Symmetric cross-entropy over the batch: only a neuron's own caption is right, all others are wrong.

    Args:
        image: ``(b, d)`` unit vectors of neurons.
        text: ``(b, d)`` unit vectors of their captions.
        true_of: ``(b, b)`` bool; not used here.
        scale: scalar, the inverse temperature.
        bias: scalar; not used here.

    Source:
        Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision".
    """
    del true_of, bias
    logits = scale * image @ text.T  # (b, b)
    own = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def masked(image: Tensor, text: Tensor, true_of: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """InfoNCE in which captions that are true of a neuron, its own aside, are no negatives: they are left out.

    Args:
        image: ``(b, d)`` unit vectors of neurons.
        text: ``(b, d)`` unit vectors of their captions.
        true_of: ``(b, b)`` bool, caption ``j`` is true of neuron ``i``.
        scale: scalar, the inverse temperature.
        bias: scalar; not used here.
    """
    del bias
    logits = scale * image @ text.T  # (b, b)
    own = torch.arange(len(logits), device=logits.device)
    others = true_of & ~torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    logits = logits.masked_fill(others, -torch.inf)
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def entail(image: Tensor, text: Tensor, true_of: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """InfoNCE in which every caption that is true of a neuron is right: the target is uniform over the right ones.

    With a diagonal ``true_of`` this is :func:`infonce`. A neuron's own caption always counts as true.

    Args:
        image: ``(b, d)`` unit vectors of neurons.
        text: ``(b, d)`` unit vectors of their captions.
        true_of: ``(b, b)`` bool, caption ``j`` is true of neuron ``i``.
        scale: scalar, the inverse temperature.
        bias: scalar; not used here.

    Source:
        The loss over several positives of Khosla et al. 2020, "Supervised Contrastive Learning", between two kinds.
    """
    del bias
    logits = scale * image @ text.T  # (b, b)
    right = true_of | torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    return (_uniform_target(logits, right) + _uniform_target(logits.T, right.T)) / 2


def siglip(image: Tensor, text: Tensor, true_of: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Every pair is its own yes-or-no question: is this caption true of this neuron?

    Args:
        image: ``(b, d)`` unit vectors of neurons.
        text: ``(b, d)`` unit vectors of their captions.
        true_of: ``(b, b)`` bool, caption ``j`` is true of neuron ``i``; a neuron's own caption always counts as true.
        scale: scalar, the inverse temperature.
        bias: scalar added to the logits; starts far below zero, since most pairs are wrong.

    Source:
        Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training".
    """
    logits = scale * image @ text.T + bias  # (b, b)
    right = true_of | torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    return -F.logsigmoid(torch.where(right, logits, -logits)).sum() / len(logits)


LOSSES = {"entail": entail, "masked": masked, "infonce": infonce, "siglip": siglip}


def _uniform_target(logits: Tensor, right: Tensor) -> Tensor:
    """Cross-entropy of each row against a target that is uniform over ``right``, averaged over rows."""
    target = right.to(logits.dtype)
    target = target / target.sum(dim=1, keepdim=True)
    return F.cross_entropy(logits, target)
