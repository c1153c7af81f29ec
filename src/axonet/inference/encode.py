"""Views to vectors, by a Stage 1 or a Stage 2 checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.core.progress import track
from axonet.datasets.view_store import ViewStore
from axonet.inference.inputs import apply_spec, fov_feature
from axonet.inference.vectors import ViewVectors
from axonet.inference.view_batch import ViewBatch, ViewDataset
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

    def forward(self, batch: ViewBatch) -> Tensor:
        """Vectors of stored views, ``(b, dim)``."""
        pooled = self.seg_vae.encode(apply_spec(batch, self.spec), fov_feature(batch.fov_um, self.spec))
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
    rows = np.split(np.arange(len(store)), range(batch_size, len(store), batch_size)) if len(store) else []
    views = ViewDataset(store, zoom=model.spec.zoom)
    loader = DataLoader(views, batch_size=None, sampler=rows, num_workers=min(workers, len(rows)))
    with plain_worker_errors():
        return encode_batches(model, track(loader, "encoding views", len(rows)), device)


@torch.inference_mode()
def encode_batches(model: ViewEncoder, batches: Iterable[ViewBatch], device: str | None = None) -> FloatArray:
    """Vectors of views that were read; nothing is checked.

    Args:
        model: a Stage 1 or Stage 2 encoder.
        batches: the views.
        device: torch device; where the model is by default.

    Returns:
        ``(n, model.dim)`` float32.
    """
    place = next(model.parameters()).device if device is None else torch.device(device)
    model = model.to(place).eval()
    found = [model(batch.to(place)).float().cpu().numpy() for batch in batches]
    return np.concatenate(found) if found else np.zeros((0, model.dim), np.float32)


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
