"""Random changes of views for training, on the device: of where they lie in the image, and of what is known of them."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from axonet.core.input_spec import InputSpec
from axonet.inference.inputs import fov_feature, merged_dendrites
from axonet.learning.settings import Stage1Settings
from axonet.learning.stage1_inputs import Stage1Inputs
from axonet.morphology.compartments import Compartment


def augment(inputs: Stage1Inputs, spec: InputSpec, settings: Stage1Settings) -> Stage1Inputs:
    """Mirror, turn and magnify each view at random, and withhold now and then what other neurons may lack.

    A mirrored view is the view of a mirrored neuron; a turn in the plane is a roll of the camera; a magnified view is
    one that was framed more closely, and has the smaller field of view.

    Args:
        inputs: the batch.
        spec: of the model.
        settings: how much of each.
    """
    device, n_views = inputs.silhouette.device, inputs.silhouette.shape[0]
    if settings.flips:
        for axis in (-1, -2):
            inputs = _flip(inputs, torch.rand(n_views, device=device) < 0.5, axis)
    low, high = settings.magnification
    if settings.rotation > 0 or (low, high) != (1.0, 1.0):
        angle = (2 * torch.rand(n_views, device=device) - 1) * math.radians(settings.rotation)
        factor = torch.exp(math.log(low) + torch.rand(n_views, device=device) * math.log(high / low))
        inputs = turn(inputs, spec, angle, factor)
    if settings.scale_dropout > 0:
        withheld = torch.rand(n_views, 1, device=device) < settings.scale_dropout
        inputs = replace(inputs, fov=torch.where(withheld, math.nan, inputs.fov))
    if settings.zoom_dropout > 0 and inputs.zoom is not None:
        kept = torch.rand(n_views, 1, 1, 1, device=device) >= settings.zoom_dropout
        inputs = replace(inputs, zoom=inputs.zoom * kept)
    return withhold_types(inputs, settings) if inputs.shown else inputs


def withhold_types(inputs: Stage1Inputs, settings: Stage1Settings) -> Stage1Inputs:
    """Show some views with basal and apical dendrite as one, and some without any types.

    Whether a tracer told the two apart, and whether types were given at all, is no property of a neuron.
    """
    device, n_views = inputs.silhouette.device, inputs.silhouette.shape[0]
    merged = torch.rand(n_views, 1, 1, device=device) < settings.merge_dendrites
    untyped = torch.rand(n_views, 1, 1, device=device) < settings.drop_types
    classes = torch.where(merged, merged_dendrites(inputs.classes), inputs.classes)
    return replace(inputs, classes=torch.where(untyped & (classes > 0), int(Compartment.OTHER), classes))


def _flip(inputs: Stage1Inputs, chosen: Tensor, axis: int) -> Stage1Inputs:
    def flipped(image: Tensor) -> Tensor:
        return torch.where(chosen.reshape(-1, *[1] * (image.ndim - 1)), image.flip(axis), image)

    return replace(
        inputs,
        silhouette=flipped(inputs.silhouette),
        classes=flipped(inputs.classes),
        depth=flipped(inputs.depth),
        has_depth=flipped(inputs.has_depth),
        zoom=None if inputs.zoom is None else flipped(inputs.zoom),
    )


def turn(inputs: Stage1Inputs, spec: InputSpec, angle: Tensor, factor: Tensor) -> Stage1Inputs:
    """Turn views about their middle and magnify them; what comes from outside of the image is background.

    Args:
        inputs: the batch.
        spec: of the model.
        angle: ``(b,)`` radians.
        factor: ``(b,)`` magnification; the window around the soma keeps its size.
    """
    stack = torch.cat([inputs.classes[:, None].float(), inputs.depth, inputs.has_depth.float()], dim=1)
    turned = _resampled(stack, angle, factor)
    classes = turned[:, 0].round().long()
    fov_um = inputs.fov_um / factor
    return replace(
        inputs,
        silhouette=(classes > 0)[:, None].float(),
        fov=fov_feature(fov_um, spec),
        fov_um=fov_um,
        classes=classes,
        depth=(turned[:, 1:2] - 0.5) * factor[:, None, None, None] + 0.5,
        has_depth=turned[:, 2:] > 0.5,
        # The soma is in the middle of its window, so a roll of the camera turns that by the same angle.
        zoom=None if inputs.zoom is None else _resampled(inputs.zoom, angle, torch.ones_like(factor)),
    )


def _resampled(images: Tensor, angle: Tensor, factor: Tensor) -> Tensor:
    height, width = images.shape[-2:]
    cosine, sine, zero = angle.cos() / factor, angle.sin() / factor, torch.zeros_like(angle)
    # Normalized coordinates run from -1 to 1 along both axes, whatever the shape of the image.
    rows = [cosine, -sine * height / width, zero, sine * width / height, cosine, zero]
    grid = functional.affine_grid(torch.stack(rows, dim=1).reshape(-1, 2, 3), list(images.shape), align_corners=False)
    # Nearest: a mixture of two class ids would be a third class.
    return functional.grid_sample(images, grid, mode="nearest", padding_mode="zeros", align_corners=False)
