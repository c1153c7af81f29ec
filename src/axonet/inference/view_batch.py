"""Stored views as tensors: what a network's inputs are made of, in training and afterwards."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from axonet.core.errors import UserError
from axonet.datasets.view_store import ViewStore
from axonet.morphology.compartments import N_CLASSES

Indices = NDArray[np.int64]


class ViewBatch(NamedTuple):
    """Stored images and what belongs to them; everything else is made on the device.

    Attributes:
        row: ``(b,)`` int64, rows of the store.
        mask: ``(b, h, w)`` uint8 class ids.
        depth: ``(b, h, w)`` uint8 or uint16; 0 background, 1 to the largest value from near to far.
        near_um: ``(b,)`` depth of the nearest surface; NaN where the manifest does not tell.
        far_um: ``(b,)`` depth of the farthest surface.
        fov_um: ``(b,)`` width of the field of view.
        zoom: ``(b, h, w)`` uint8 silhouette of the window around the soma, blank where there is no soma; None when
            nobody asked for it.
    """

    row: Tensor
    mask: Tensor
    depth: Tensor
    near_um: Tensor
    far_um: Tensor
    fov_um: Tensor
    zoom: Tensor | None

    def to(self, device: torch.device | str) -> Self:
        """The batch on a device."""
        there = {name: value for name, value in self._asdict().items() if value is not None}
        return self._replace(**{name: value.to(device, non_blocking=True) for name, value in there.items()})


def column(store: ViewStore, name: str) -> NDArray[np.float64]:
    """A column of the store's rows as ``(n,)`` float64; NaN where it is null."""
    values = store.rows.column(name).cast(pa.float64())
    return np.asarray(values.to_numpy(), dtype=np.float64)


def fields_of_view(store: ViewStore) -> NDArray[np.float64]:
    """Width of each view's field of view in um, ``(n,)``; NaN where the manifest does not tell."""
    return column(store, "um_per_px") * store.spec.width


class ViewDataset(Dataset[ViewBatch]):
    """Reads whole batches: ``dataset[indices]`` is the :class:`ViewBatch` of those rows.

    Args:
        store: the views.
        zoom: whether to read the window around the soma.
    """

    def __init__(self, store: ViewStore, *, zoom: bool = False) -> None:
        self.store = store
        self.zoom = zoom
        self.near_um = column(store, "near_um").astype(np.float32)
        self.far_um = column(store, "far_um").astype(np.float32)
        self.fov_um = fields_of_view(store).astype(np.float32)

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, indices: Indices) -> ViewBatch:
        """Read the rows ``(b,)``.

        Raises:
            UserError: an image cannot be read, has another size than the store's, or holds an unknown class.
        """
        views = [self._read(int(index)) for index in indices]
        zoom = None
        if self.zoom:
            # Where the manifest names no window there is none to see.
            zoom = torch.from_numpy(np.stack([np.zeros_like(m) if z is None else z for m, _, z in views]))
        return ViewBatch(
            row=torch.from_numpy(np.asarray(indices, dtype=np.int64)),
            mask=torch.from_numpy(np.stack([mask for mask, _, _ in views])),
            depth=torch.from_numpy(np.stack([depth for _, depth, _ in views])),
            near_um=torch.from_numpy(self.near_um[indices]),
            far_um=torch.from_numpy(self.far_um[indices]),
            fov_um=torch.from_numpy(self.fov_um[indices]),
            zoom=zoom,
        )

    def _read(self, index: int) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.uint8] | None]:
        mask, depth, zoom = self.store.read(index, zoom=self.zoom)
        expected = (self.store.spec.height, self.store.spec.width)
        if mask.shape != expected or (self.zoom and zoom is not None and zoom.shape != expected):
            height, width = mask.shape if mask.shape != expected or zoom is None else zoom.shape
            raise UserError(
                f"{self.name(index)}: an image of {width} x {height} pixels among views of {expected[1]} x "
                f"{expected[0]}; all views of a data set have one size"
            )
        if (largest := int(mask.max(initial=0))) >= N_CLASSES:
            raise UserError(
                f"{self.name(index)}: its mask holds class {largest}; classes are 0 to {N_CLASSES - 1} (background, "
                "soma, axon, basal and apical dendrite, other)"
            )
        return mask, depth, zoom

    def name(self, index: int) -> str:
        """A row's neuron and view, and its file where there is one, for messages."""
        neuron, view, path = (self.store.rows.column(name)[index].as_py() for name in ("neuron_id", "view", "mask"))
        return f"{neuron}, view {view}" + (f" ({path})" if path else "")
