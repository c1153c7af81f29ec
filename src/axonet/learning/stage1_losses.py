"""Everything that Stage 1 is trained by, put together."""

from __future__ import annotations

import torch
from torch import Tensor

from axonet.learning.settings import Stage1Settings
from axonet.learning.stage1_inputs import Stage1Inputs
from axonet.models.heads import Stage1Heads
from axonet.models.losses.depth import depth_loss
from axonet.models.losses.kl import kl_loss
from axonet.models.losses.morphometrics import morphometrics_loss
from axonet.models.losses.nt_xent import nt_xent
from axonet.models.losses.segmentation import classification_loss, dice_loss
from axonet.models.seg_vae import SegVAEOutput

Terms = dict[str, Tensor]


def kl_terms(output: SegVAEOutput, n_pixels: int, settings: Stage1Settings) -> Terms:
    """The charge for the divergence of the posteriors, and that divergence as it is logged.

    Args:
        output: of the network.
        n_pixels: pixels of an image.
        settings: has the weights.

    Returns:
        ``charge``, weighted; ``kld`` and ``kl_...`` per level, in nats per pixel without free nats.
    """
    kl, levels = kl_loss(output.posteriors, n_pixels, settings.free_nats)
    named = {f"kl_{name}": value for name, value in levels.items()}
    return {
        "charge": settings.kld_weight * settings.beta * kl,
        "kld": torch.stack(list(levels.values())).sum(),
        **named,
    }


def decoder_terms(output: SegVAEOutput, inputs: Stage1Inputs, settings: Stage1Settings) -> Terms:
    """Losses of what was decoded; none without a decoder.

    Args:
        output: of the network.
        inputs: of the decoded images.
        settings: has the weights.

    Returns:
        ``decoded``, weighted; ``seg_loss`` and ``depth_loss``.
    """
    if output.seg_logits is None or output.depth is None:
        return {}
    pixel = classification_loss(output.seg_logits, inputs.classes, settings.seg_loss)
    seg = pixel + dice_loss(output.seg_logits, inputs.classes)
    depth = depth_loss(output.depth, inputs.depth_target, inputs.has_depth)
    return {
        "decoded": settings.lambda_seg * seg + settings.lambda_depth * depth,
        "seg_loss": seg,
        "depth_loss": depth,
    }


def vector_terms(
    vector: Tensor, heads: Stage1Heads, neuron: Tensor, target: Tensor, settings: Stage1Settings, *, compare: bool
) -> Terms:
    """Losses of the neuron vectors; none without heads.

    Args:
        vector: ``(b, v)``.
        heads: what is predicted and compared.
        neuron: ``(b,)`` whose view each is.
        target: ``(b, m)`` standardized measurements.
        settings: has the weights.
        compare: whether the views of this batch are compared: not where they come neuron by neuron.

    Returns:
        ``described``, weighted; ``morphometrics_loss`` and ``contrast_loss``.
    """
    terms: Terms = {}
    weighted = []
    if heads.morphometrics is not None:
        terms["morphometrics_loss"] = morphometrics_loss(heads.morphometrics(vector), target)
        weighted.append(settings.lambda_morphometrics * terms["morphometrics_loss"])
    if heads.contrast is not None and compare:
        terms["contrast_loss"] = nt_xent(heads.contrast(vector), neuron, settings.contrast_temperature)
        weighted.append(settings.lambda_contrast * terms["contrast_loss"])
    return terms | ({"described": torch.stack(weighted).sum()} if weighted else {})
