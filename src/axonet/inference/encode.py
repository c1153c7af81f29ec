"""Views to vectors, by a Stage 1 or a Stage 2 checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from axonet.inference.inputs import apply_spec, fov_feature, warn_of_scale
from axonet.inference.morphometrics import Measures, morphometric_features
from axonet.inference.vectors import ViewVectors
from axonet.inference.view_batch import ViewBatch, ViewDataset, fields_of_view
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

    def forward(self, batch: ViewBatch, morphometrics: Tensor | None = None) -> Tensor:
        """Vectors of stored views.

        Args:
            batch: the views.
            morphometrics: ``(b, 2 m)`` of their neurons, for a Stage 2 model that takes them.

        Returns:
            ``(b, dim)`` of the images alone; with morphometrics ``(b, 2 dim)``, the joined vectors behind them.
        """
        pooled = self.seg_vae.encode(apply_spec(batch, self.spec), fov_feature(batch.fov_um, self.spec))
        if self.clip is None:
            return pooled
        alone = self.clip.embed_pooled(pooled)
        if morphometrics is None:
            return alone
        return torch.cat([alone, self.clip.embed_pooled(pooled, morphometrics)], dim=1)


def load_view_encoder(
    path: str | Path, stage: int | None = None, device: str = "cpu", *, merge_dendrites: bool = False
) -> ViewEncoder:
    """The encoder of a checkpoint, in evaluation mode.

    Args:
        path: a checkpoint of either stage.
        stage: the stage that is needed; any by default.
        device: torch device.
        merge_dendrites: see :func:`build_view_encoder`.

    Raises:
        UserError: the file is missing or no checkpoint of that stage.
    """
    return build_view_encoder(load_checkpoint(path, stage), merge_dendrites=merge_dendrites).to(device)


def build_view_encoder(checkpoint: Checkpoint, *, merge_dendrites: bool = False) -> ViewEncoder:
    """The encoder that a loaded checkpoint describes, in evaluation mode.

    Args:
        checkpoint: of either stage.
        merge_dendrites: show basal and apical dendrites as one. That a tracer told them apart gives many a cell type
            away; a model that sees types is judged both ways. To one that sees silhouettes it makes no difference.
    """
    clip = None
    if checkpoint["stage"] == 2:
        clip = ClipModel(**checkpoint["architecture"])
        clip.load_state_dict(checkpoint["state"])
    spec = InputSpec.model_validate(checkpoint["input_spec"]).model_copy(update={"merge_dendrites": merge_dendrites})
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
    morphometrics: FloatArray | None = None,
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
        morphometrics: ``(n, 2 m)`` of the neuron of each view, for a Stage 2 model that takes them.

    Returns:
        ``(n, model.dim)`` float32, rows as in the store; with morphometrics ``(n, 2 model.dim)``, the joined vectors
        behind those of the images alone.

    Raises:
        UserError: the store's images were made otherwise.
    """
    check_spec(model.spec if spec is None else spec, store)
    warn_of_scale(model.spec, fields_of_view(store))
    rows = np.split(np.arange(len(store)), range(batch_size, len(store), batch_size)) if len(store) else []
    views = ViewDataset(store, zoom=model.spec.zoom)
    loader = DataLoader(views, batch_size=None, sampler=rows, num_workers=min(workers, len(rows)))
    with plain_worker_errors():
        return encode_batches(model, track(loader, "encoding views", len(rows)), device, morphometrics)


@torch.inference_mode()
def encode_batches(
    model: ViewEncoder,
    batches: Iterable[ViewBatch],
    device: str | None = None,
    morphometrics: FloatArray | None = None,
) -> FloatArray:
    """Vectors of views that were read; nothing is checked.

    Args:
        model: a Stage 1 or Stage 2 encoder.
        batches: the views.
        device: torch device; where the model is by default.
        morphometrics: as in :func:`encode_views`.

    Returns:
        As in :func:`encode_views`.
    """
    place = next(model.parameters()).device if device is None else torch.device(device)
    model = model.to(place).eval()
    found: list[FloatArray] = []
    start = 0
    for batch in batches:
        block = morphometrics if morphometrics is None else morphometrics[start : start + len(batch.mask)]
        start += len(batch.mask)
        own = None if block is None else torch.from_numpy(block).to(place)
        found.append(model(batch.to(place), own).float().cpu().numpy())
    width = model.dim * (1 if morphometrics is None else 2)
    return np.concatenate(found) if found else np.zeros((0, width), np.float32)


def encode_store(
    model: ViewEncoder,
    store: ViewStore,
    batch_size: int = 64,
    workers: int = 0,
    measures: Mapping[str, Measures] | None = None,
) -> ViewVectors:
    """Vectors of all views of a store together with what they belong to.

    Args:
        model: a Stage 1 or Stage 2 encoder.
        store: the views.
        batch_size: images per step.
        workers: processes that read images.
        measures: measurements by neuron id; a model that was trained with morphometrics then gives joined vectors
            too. Those of a neuron that has none are vectors of its picture alone.
    """
    block = None
    if measures is not None and model.spec.morphometrics and model.clip is not None:
        block = morphometric_features([measures.get(name) for name in store.neuron_ids], model.spec.morphometrics)
    found = encode_views(model, store, batch_size=batch_size, workers=workers, morphometrics=block)
    return ViewVectors(
        neuron_id=store.neuron_ids,
        view=np.asarray(store.rows.column("view").to_numpy(), dtype=np.int64),
        vector=found[:, : model.dim],
        joined=None if block is None else found[:, model.dim :],
        checkpoint=model.fingerprint,
        stage=model.stage,
        spec=model.spec,
    )
