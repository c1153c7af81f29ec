"""Everything that Stage 1 is trained by, put together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from axonet.learning.gather import gather_batches
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


def vector_terms(vector: Tensor, heads: Stage1Heads, target: Tensor, settings: Stage1Settings) -> Terms:
    """The loss of what is predicted from neuron vectors; none without a head.

    Args:
        vector: ``(b, v)``.
        heads: what is predicted and compared.
        target: ``(b, m)`` standardized measurements.
        settings: has the weights.

    Returns:
        ``described``, weighted; ``morphometrics_loss``.
    """
    if heads.morphometrics is None:
        return {}
    loss = morphometrics_loss(heads.morphometrics(vector), target)
    return {"described": settings.lambda_morphometrics * loss, "morphometrics_loss": loss}


def contrast_terms(
    vector: Tensor, heads: Stage1Heads, neuron: Tensor, settings: Stage1Settings, sizes: Sequence[int] = ()
) -> Terms:
    """The loss of telling which views show the same neuron, among the views of all processes; none without a head.

    Args:
        vector: ``(b, v)``.
        heads: what is predicted and compared.
        neuron: ``(b,)`` whose view each is.
        settings: has the weights.
        sizes: views of each process that count; empty where there is one process.

    Returns:
        ``compared``, weighted; ``contrast_loss``.
    """
    if heads.contrast is None:
        return {}
    projected = heads.contrast(vector)
    if len(sizes) > 1:
        projected, neuron = gather_batches(projected, sizes), gather_batches(neuron, sizes)
    loss = nt_xent(projected, neuron, settings.contrast_temperature)
    return {"compared": settings.lambda_contrast * loss, "contrast_loss": loss}
