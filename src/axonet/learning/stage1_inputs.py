"""From stored views to what Stage 1 sees and has to recover, on the device."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from axonet.core.input_spec import InputSpec
from axonet.inference.inputs import (
    depth_fraction,
    fov_feature,
    network_input,
    resize_classes,
    shape_channels,
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
        shown: whether the network is shown classes and depth, and so has nothing to recover.
    """

    silhouette: Tensor
    fov: Tensor
    fov_um: Tensor
    classes: Tensor
    depth: Tensor
    has_depth: Tensor
    zoom: Tensor | None = None
    shown: bool = False

    def every(self, step: int) -> Stage1Inputs:
        """Every so many images, beginning with the first."""
        if step == 1:
            return self
        parts: dict[str, Any] = {n: v[::step] for n, v in vars(self).items() if isinstance(v, Tensor)}
        return replace(self, **parts)

    @property
    def network_input(self) -> Tensor:
        """What the network is shown, ``(b, c, h, w)``."""
        shape = shape_channels(self.classes, self.depth, self.has_depth) if self.shown else None
        return network_input(self.silhouette, shape, self.zoom)

    @property
    def depth_target(self) -> Tensor:
        """Depth as far as the network can express it, ``(b, 1, h, w)`` in [0, 1]."""
        return self.depth.clamp(0.0, 1.0)


def stage1_inputs(batch: ViewBatch, spec: InputSpec) -> Stage1Inputs:
    """Make a batch's inputs and targets, on the device where the batch is."""
    silhouette = silhouettes(batch.mask, spec)
    depth, has_depth = depth_fraction(batch, spec, silhouette)
    return Stage1Inputs(
        silhouette=silhouette,
        fov=fov_feature(batch.fov_um, spec),
        fov_um=batch.fov_um,
        classes=resize_classes(batch.mask, spec.input_size, N_CLASSES),
        depth=depth,
        has_depth=has_depth,
        zoom=zoom_silhouettes(batch, spec),
        shown=spec.inputs == "shape",
    )
