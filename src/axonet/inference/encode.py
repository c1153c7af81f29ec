"""Views to vectors, by a Stage 1 or a Stage 2 checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.core.progress import track
from axonet.datasets.view_store import ViewStore
from axonet.inference.inputs import apply_spec, fov_feature
from axonet.inference.vectors import ViewVectors
from axonet.inference.worker_errors import plain_worker_errors
from axonet.models.checkpoint import Checkpoint, build_seg_vae, load_checkpoint
from axonet.models.clip import ClipModel
from axonet.models.seg_vae import SegVAE2D

FloatArray = npt.NDArray[np.float32]


class ViewEncoder(nn.Module):
    """Stored images to vectors: pooled features in Stage 1, unit vectors in Stage 2.

    Args:
        seg_vae: the Stage 1 network.
        clip: the projections; None in Stage 1.
        spec: what the images must be like.
        fingerprint: of the checkpoint.
    """

    def __init__(self, seg_vae: SegVAE2D, clip: ClipModel | None, spec: InputSpec, fingerprint: str) -> None:
        super().__init__()
        self.seg_vae = seg_vae
        self.clip = clip
        self.spec = spec
        self.fingerprint = fingerprint
        self.stage = 1 if clip is None else 2
        self.dim = int(seg_vae.vector_size if clip is None else clip.architecture["embed_dim"])

    def forward(self, mask: Tensor, fov_um: Tensor) -> Tensor:
        """Vectors of images.

        Args:
            mask: ``(b, h, w)`` uint8, everything above zero is neuron.
            fov_um: ``(b,)`` width of the field of view in um; NaN where unknown.

        Returns:
            ``(b, dim)``.
        """
        pooled = self.seg_vae.encode(apply_spec(mask, self.spec), fov_feature(fov_um, self.spec))
        return pooled if self.clip is None else self.clip.embed_pooled(pooled)


def load_view_encoder(path: str | Path, stage: int | None = None, device: str = "cpu") -> ViewEncoder:
    """The encoder of a checkpoint, in evaluation mode.

    Args:
        path: a checkpoint of either stage.
        stage: the stage that is needed; any by default.
        device: torch device.

    Raises:
        UserError: the file is missing or no checkpoint of that stage.
    """
    return build_view_encoder(load_checkpoint(path, stage)).to(device)


def build_view_encoder(checkpoint: Checkpoint) -> ViewEncoder:
    """The encoder that a loaded checkpoint describes, in evaluation mode."""
    clip = None
    if checkpoint["stage"] == 2:
        clip = ClipModel(**checkpoint["architecture"])
        clip.load_state_dict(checkpoint["state"])
    spec = InputSpec.model_validate(checkpoint["input_spec"])
    return ViewEncoder(build_seg_vae(checkpoint), clip, spec, checkpoint["fingerprint"]).eval()


class StoredViews(Dataset[tuple[Tensor, float]]):
    """The masks and fields of view of a store, as a torch dataset.

    Args:
        store: the views.
    """

    def __init__(self, store: ViewStore) -> None:
        self.store = store
        self.fov_um = fields_of_view(store)

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, index: int) -> tuple[Tensor, float]:
        """``(h, w)`` uint8 mask, and the width of the field of view in um."""
        return torch.from_numpy(np.array(self.store.read(index)[0])), float(self.fov_um[index])


def fields_of_view(store: ViewStore) -> npt.NDArray[np.float64]:
    """Width in um of what each view shows, ``(n,)``; NaN where the rows do not tell."""
    width = pc.multiply(store.rows.column("um_per_px"), pc.cast(store.rows.column("width"), "float64"))
    return np.asarray(pc.fill_null(width, float("nan")).to_numpy(), dtype=np.float64)


def check_spec(spec: InputSpec, store: ViewStore) -> None:
    """Refuse images that were made otherwise than those that a model was trained on.

    Raises:
        UserError: one line that names the differences.
    """
    if differences := spec.difference(store.spec):
        raise UserError(
            f"the views were rendered otherwise than the model's training views: {', '.join(differences)}; "
            "render them with the model's settings"
        )


def encode_views(
    model: ViewEncoder,
    store: ViewStore,
    spec: InputSpec | None = None,
    device: str | None = None,
    batch_size: int = 64,
    workers: int = 0,
) -> FloatArray:
    """Vectors of all views of a store.

    The result does not depend on the batch size or the number of workers, but for rounding.

    Args:
        model: a Stage 1 or Stage 2 encoder.
        store: the views.
        spec: what the images must be like; the model's own by default.
        device: torch device; where the model is by default.
        batch_size: images per step.
        workers: processes that read images; 0 reads in this one.

    Returns:
        ``(n, model.dim)`` float32, rows as in the store.

    Raises:
        UserError: the store's images were made otherwise.
    """
    check_spec(model.spec if spec is None else spec, store)
    loader = DataLoader(StoredViews(store), batch_size=batch_size, num_workers=workers)
    with plain_worker_errors():
        found = list(_encode_batches(model, track(loader, "encoding views", len(loader)), device))
    return np.concatenate(found) if found else np.zeros((0, model.dim), np.float32)


def encode_images(
    model: ViewEncoder, masks: npt.NDArray[np.uint8], fov_um: npt.NDArray[np.float64], batch_size: int = 64
) -> FloatArray:
    """Vectors of images in memory; nothing is checked.

    Args:
        model: a Stage 1 or Stage 2 encoder.
        masks: ``(n, h, w)`` class ids or silhouettes.
        fov_um: ``(n,)`` width of each field of view in um.
        batch_size: images per step.

    Returns:
        ``(n, model.dim)`` float32.
    """
    starts = range(0, len(masks), batch_size)
    pairs = (
        (torch.from_numpy(masks[start : start + batch_size]), torch.from_numpy(fov_um[start : start + batch_size]))
        for start in starts
    )
    found = list(_encode_batches(model, pairs, None))
    return np.concatenate(found) if found else np.zeros((0, model.dim), np.float32)


@torch.inference_mode()
def _encode_batches(
    model: ViewEncoder, batches: Iterable[tuple[Tensor, Tensor]], device: str | None
) -> Iterator[FloatArray]:
    place = next(model.parameters()).device if device is None else torch.device(device)
    model = model.to(place).eval()
    for mask, fov_um in batches:
        vectors = model(mask.to(place, non_blocking=True), fov_um.to(place))
        yield vectors.float().cpu().numpy()


def encode_store(model: ViewEncoder, store: ViewStore, batch_size: int = 64, workers: int = 0) -> ViewVectors:
    """Vectors of all views of a store together with what they belong to; arguments as in :func:`encode_views`."""
    return ViewVectors(
        neuron_id=store.neuron_ids,
        view=np.asarray(store.rows.column("view").to_numpy(), dtype=np.int64),
        vector=encode_views(model, store, batch_size=batch_size, workers=workers),
        checkpoint=model.fingerprint,
        stage=model.stage,
        spec=model.spec,
    )
