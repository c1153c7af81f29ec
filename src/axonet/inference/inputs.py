"""From stored uint8 images to what a network sees: the one place where that happens, in training and afterwards."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.core.progress import warn
from axonet.inference.view_batch import ViewBatch
from axonet.morphology.compartments import N_CLASSES, Compartment

FOV_LIMIT = 5.0
OUTSIDE = 2.0  # times beyond the training range: neurons of one collection hardly ever differ so much from the rest


def apply_spec(batch: ViewBatch, spec: InputSpec) -> Tensor:
    """Views as a model sees them.

    Args:
        batch: stored images, with the window around the soma if the model sees it.
        spec: what the model was trained on.

    Returns:
        ``(b, c, h', w')`` float32, of the spec's image size; see :func:`network_input`.
    """
    silhouette, shape = silhouettes(batch.mask, spec), None
    if spec.inputs == "shape":
        classes = resize_classes(batch.mask, spec.input_size, N_CLASSES)
        shape = shape_channels(
            merged_dendrites(classes) if spec.merge_dendrites else classes, *depth_fraction(batch, spec, silhouette)
        )
    return network_input(silhouette, shape, zoom_silhouettes(batch, spec))


def network_input(silhouette: Tensor, shape: Tensor | None, zoom: Tensor | None) -> Tensor:
    """Put the channels of a network's input together: the silhouette first, the window around the soma last.

    Args:
        silhouette: ``(b, 1, h, w)`` in {0, 1}.
        shape: what :func:`shape_channels` gives, for a model that sees it.
        zoom: ``(b, 1, h, w)`` in {0, 1}, blank where there is none to see; None for a model that does not look.

    Returns:
        ``(b, c, h, w)``.
    """
    return torch.cat([part for part in (silhouette, shape, zoom) if part is not None], dim=1)


def shape_channels(classes: Tensor, depth: Tensor, has_depth: Tensor) -> Tensor:
    """Compartments and depth as channels.

    Args:
        classes: ``(b, h, w)`` class ids.
        depth: ``(b, 1, h, w)`` as a fraction of the field of view, 0.5 = middle plane.
        has_depth: ``(b, 1, h, w)`` bool: where it is known.

    Returns:
        ``(b, 6, h, w)`` float32: soma, axon, basal, apical, other in {0, 1}; depth from -1 (near) to 1, 0 in the
        middle plane and where it is not known.
    """
    compartments = [classes == k for k in range(1, N_CLASSES)]
    relief = torch.where(has_depth, 2 * depth.clamp(0.0, 1.0) - 1, 0.0)
    return torch.cat([torch.stack(compartments, dim=1).float(), relief], dim=1)


def merged_dendrites(classes: Tensor) -> Tensor:
    """Class ids with apical dendrite as basal: where one is told from the other, a tracer's type is the answer."""
    return torch.where(classes == Compartment.APICAL, int(Compartment.BASAL), classes)


def depth_fraction(batch: ViewBatch, spec: InputSpec, silhouette: Tensor) -> tuple[Tensor, Tensor]:
    """Distance behind the middle plane as a fraction of the field of view, plus 0.5.

    Args:
        batch: stored images.
        spec: has the image size.
        silhouette: ``(b, 1, h', w')`` in {0, 1}, of that size.

    Returns:
        ``(b, 1, h', w')`` depth, of no account where it is not known (it leaves [0, 1] where a neuron is deeper than
        its field of view is wide), and bool: where it is known.
    """
    largest = torch.iinfo(batch.depth.dtype).max
    fraction = (batch.depth.float() - 1) / (largest - 1)  # 0 = near, 1 = far
    extent = (batch.far_um - batch.near_um) / batch.fov_um
    known = torch.isfinite(batch.near_um) & torch.isfinite(batch.far_um) & torch.isfinite(batch.fov_um)
    relief = torch.nan_to_num((fraction - 0.5) * extent[:, None, None] + 0.5, nan=0.5)[:, None]  # (b, 1, h, w)
    depth = resize_depth(relief, (batch.mask > 0)[:, None], spec.input_size)
    return depth, (silhouette > 0) & known[:, None, None, None]


def silhouettes(mask: Tensor, spec: InputSpec) -> Tensor:
    """Silhouettes ``(b, 1, h', w')`` float32 of ``(b, h, w)`` class ids or gray values: one where there is neuron."""
    return resize_any((mask > 0)[:, None].float(), spec.input_size)


def zoom_silhouettes(batch: ViewBatch, spec: InputSpec) -> Tensor | None:
    """Silhouettes of the windows around the soma, ``(b, 1, h', w')``; None for a model that does not look at them.

    Raises:
        ValueError: the batch was read without them.
    """
    if not spec.zoom:
        return None
    if batch.zoom is None:
        raise ValueError("the model looks at the window around the soma, but the batch was read without it")
    return silhouettes(batch.zoom, spec)


def resize_any(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize ``(b, c, h, w)`` so that a pixel takes the largest value it covers: thin branches stay whole."""
    return values if values.shape[-2:] == size else functional.adaptive_max_pool2d(values, size)


def resize_classes(mask: Tensor, size: tuple[int, int], n_classes: int) -> Tensor:
    """Resize class ids so that their foreground is exactly what :func:`apply_spec` makes of the silhouette.

    Args:
        mask: ``(b, h, w)`` class ids.
        size: (height, width) of the result.
        n_classes: number of classes, background included.

    Returns:
        ``(b, h', w')`` int64: the commonest foreground class that a pixel covers, background where there is none.
    """
    if mask.shape[-2:] == size:
        return mask.long()
    shares = torch.stack([(mask == k).float() for k in range(1, n_classes)], dim=1)  # (b, c - 1, h, w)
    most, which = functional.adaptive_avg_pool2d(shares, size).max(dim=1)  # (b, h', w')
    return torch.where(most > 0, which + 1, 0)


def resize_depth(depth: Tensor, foreground: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize depth by the mean over the foreground that a pixel covers.

    Args:
        depth: ``(b, 1, h, w)`` in any unit.
        foreground: ``(b, 1, h, w)`` bool.
        size: (height, width) of the result.

    Returns:
        ``(b, 1, h', w')``; zero where no foreground is covered.
    """
    if depth.shape[-2:] == size:
        return depth
    weight = foreground.float()
    covered = functional.adaptive_avg_pool2d(weight, size)
    total = functional.adaptive_avg_pool2d(torch.where(foreground, depth, 0.0), size)
    return torch.where(covered > 0, total / covered.clamp(min=1e-12), 0.0)


def fov_feature(fov_um: Tensor, spec: InputSpec) -> Tensor:
    """The field of view as a feature.

    Args:
        fov_um: ``(b,)`` width of the field of view in um (um per pixel times width of the rendered image; resizing
            does not change it).
        spec: holds mean and deviation of its logarithm over the training views.

    Returns:
        ``(b, 1)`` float32: standardized logarithm, clamped to five deviations; NaN (unknown) where the field of
        view is not a positive number.

    Raises:
        UserError: the spec was not completed by a training run.
    """
    if spec.log_fov_mean is None or spec.log_fov_std is None:
        raise UserError("the input specification has no statistics of the field of view: it is not from a checkpoint")
    known = torch.isfinite(fov_um) & (fov_um > 0)
    logarithm = torch.where(known, fov_um.float(), 1.0).log()
    feature = ((logarithm - spec.log_fov_mean) / spec.log_fov_std).clamp(-FOV_LIMIT, FOV_LIMIT)
    return torch.where(known, feature, math.nan)[:, None]


def warn_of_scale(spec: InputSpec, fov_um: npt.NDArray[np.float64]) -> None:
    """Say when neurons are much smaller or larger than all that a model was trained on: in other units, most likely.

    Args:
        spec: of the model.
        fov_um: ``(n,)`` fields of view of views, NaN where unknown.
    """
    if spec.fov_um_range is None:
        return
    least, most = spec.fov_um_range
    outside = (fov_um < least / OUTSIDE) | (fov_um > most * OUTSIDE)
    if outside.any():
        warn(
            f"{int(outside.sum()):,} of {len(fov_um):,} views show a field of {fov_um[outside].min():.4g} to "
            f"{fov_um[outside].max():.4g} um, far from the {least:.4g} to {most:.4g} um that the model was trained on: "
            "are the lengths of these neurons in um, not in voxels?"
        )


def trained_size(spec: InputSpec, height: int | None, width: int | None) -> tuple[int, int] | None:
    """The image size of a trainer's ``--height`` and ``--width``; None keeps images as rendered.

    When only one is given the other follows.

    Raises:
        UserError: the sizes would change the shape of neurons.
    """
    if height is None and width is None:
        return None
    ratio = spec.height / spec.width
    if height is None and width is not None:
        height = max(1, round(width * ratio))
    elif width is None and height is not None:
        width = max(1, round(height / ratio))
    assert height is not None
    assert width is not None
    if abs(height / width - ratio) > 0.02 * ratio:
        raise UserError(
            f"--height {height} --width {width}: would distort views of {spec.height} x {spec.width} pixels; "
            "give one of the two and the other follows"
        )
    size = (height, width)
    return None if size == (spec.height, spec.width) else size
