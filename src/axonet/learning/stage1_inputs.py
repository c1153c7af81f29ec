"""From stored views to what Stage 1 sees and has to recover, on the device; and random changes of it for training."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from axonet.core.input_spec import InputSpec
from axonet.inference.inputs import (
    fov_feature,
    network_input,
    resize_classes,
    resize_depth,
    silhouettes,
    zoom_silhouettes,
)
from axonet.inference.view_batch import ViewBatch
from axonet.morphology.compartments import N_CLASSES


@dataclass(frozen=True)
class Stage1Inputs:
    """A batch as the network and its losses take it.

    Attributes:
        silhouette: ``(b, 1, h, w)`` float32 in {0, 1}.
        fov: ``(b, 1)`` standardized ln(field of view); NaN where not known.
        fov_um: ``(b,)`` field of view in um.
        classes: ``(b, h, w)`` int64 class ids; foreground exactly where the silhouette is one.
        depth: ``(b, 1, h, w)`` distance behind the middle plane as a fraction of the field of view, plus 0.5. It
            leaves [0, 1] where a neuron is deeper than its field of view is wide.
        has_depth: ``(b, 1, h, w)`` bool: foreground of known depth.
        zoom: ``(b, 1, h, w)`` float32 silhouette of the window around the soma, blank where there is none; None for
            a model that does not look at it.
    """

    silhouette: Tensor
    fov: Tensor
    fov_um: Tensor
    classes: Tensor
    depth: Tensor
    has_depth: Tensor
    zoom: Tensor | None = None

    @property
    def network_input(self) -> Tensor:
        """What the network is shown, ``(b, c, h, w)``."""
        return network_input(self.silhouette, self.zoom)

    @property
    def depth_target(self) -> Tensor:
        """Depth as far as the network can express it, ``(b, 1, h, w)`` in [0, 1]."""
        return self.depth.clamp(0.0, 1.0)


def stage1_inputs(batch: ViewBatch, spec: InputSpec) -> Stage1Inputs:
    """Make a batch's inputs and targets, on the device where the batch is."""
    silhouette = silhouettes(batch.mask, spec)
    relief = _relief(batch)[:, None]  # (b, 1, h, w)
    foreground = (batch.mask > 0)[:, None]
    known = torch.isfinite(batch.near_um) & torch.isfinite(batch.far_um) & torch.isfinite(batch.fov_um)
    return Stage1Inputs(
        silhouette=silhouette,
        fov=fov_feature(batch.fov_um, spec),
        fov_um=batch.fov_um,
        classes=resize_classes(batch.mask, spec.input_size, N_CLASSES),
        depth=resize_depth(torch.nan_to_num(relief, nan=0.5), foreground, spec.input_size),
        has_depth=(silhouette > 0) & known[:, None, None, None],
        zoom=zoom_silhouettes(batch, spec),
    )


def _relief(batch: ViewBatch) -> Tensor:
    """Depth behind the middle plane as a fraction of the field of view, plus 0.5: ``(b, h, w)``."""
    largest = torch.iinfo(batch.depth.dtype).max
    fraction = (batch.depth.float() - 1) / (largest - 1)  # 0 = near, 1 = far
    extent = (batch.far_um - batch.near_um) / batch.fov_um
    return (fraction - 0.5) * extent[:, None, None] + 0.5


def augment(
    inputs: Stage1Inputs, *, flips: bool, rotation: float, scale_dropout: float, zoom_dropout: float = 0.0
) -> Stage1Inputs:
    """Mirror and turn each view at random, and withhold its scale and the window around the soma now and then.

    A mirrored view is the view of a mirrored neuron; in-plane rotation is a roll of the camera. Neither changes depth.

    Args:
        inputs: the batch.
        flips: mirror left to right and top to bottom, each with probability one half.
        rotation: largest angle in degrees; pixels that come from outside the image are background.
        scale_dropout: probability that a view's field of view is not known.
        zoom_dropout: probability that a view's window around the soma is blank, as that of a neuron without soma.
    """
    device, n_views = inputs.silhouette.device, inputs.silhouette.shape[0]
    if flips:
        for axis in (-1, -2):
            inputs = _flip(inputs, torch.rand(n_views, device=device) < 0.5, axis)
    if rotation > 0:
        inputs = _rotate(inputs, (2 * torch.rand(n_views, device=device) - 1) * math.radians(rotation))
    if scale_dropout > 0:
        withheld = torch.rand(n_views, 1, device=device) < scale_dropout
        inputs = replace(inputs, fov=torch.where(withheld, math.nan, inputs.fov))
    if zoom_dropout > 0 and inputs.zoom is not None:
        kept = torch.rand(n_views, 1, 1, 1, device=device) >= zoom_dropout
        inputs = replace(inputs, zoom=inputs.zoom * kept)
    return inputs


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


def _rotate(inputs: Stage1Inputs, angle: Tensor) -> Stage1Inputs:
    height, width = inputs.silhouette.shape[-2:]
    cosine, sine, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # Normalized coordinates run from -1 to 1 along both axes, whatever the shape of the image.
    matrix = torch.stack([cosine, -sine * height / width, zero, sine * width / height, cosine, zero], dim=1).reshape(
        -1, 2, 3
    )
    stack = torch.cat([inputs.classes[:, None].float(), inputs.depth, inputs.has_depth.float()], dim=1)
    if inputs.zoom is not None:  # the soma is in its middle, so a roll of the camera turns it by the same angle
        stack = torch.cat([stack, inputs.zoom], dim=1)
    grid = functional.affine_grid(matrix, list(stack.shape), align_corners=False)
    # Nearest: a mixture of two class ids would be a third class.
    turned = functional.grid_sample(stack, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    classes = turned[:, 0].round().long()
    return replace(
        inputs,
        silhouette=(classes > 0)[:, None].float(),
        classes=classes,
        depth=turned[:, 1:2],
        has_depth=turned[:, 2:3] > 0.5,
        zoom=None if inputs.zoom is None else turned[:, 3:],
    )
