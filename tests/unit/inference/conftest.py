"""A small untrained model and views in memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
import torch

from axonet.core.input_spec import InputSpec
from axonet.datasets.manifest import MANIFEST_SCHEMA
from axonet.datasets.view_store import ViewStore
from axonet.inference.encode import ViewEncoder, build_view_encoder
from axonet.inference.view_batch import ViewBatch
from axonet.models.checkpoint import Checkpoint, make_checkpoint, stage1_checkpoint
from axonet.models.clip import ClipModel
from axonet.models.seg_vae import SegVAE2D
from axonet.models.text import HashTextEncoder

SIZE = 32
SPEC = InputSpec(
    width=SIZE,
    height=SIZE,
    supersample_factor=1,
    canonical_views=2,
    biased_views=1,
    random_views=0,
    log_fov_mean=6.0,
    log_fov_std=0.5,
)


class MemoryImages:
    def __init__(self, masks: np.ndarray, windows: np.ndarray | None) -> None:
        self.masks = masks
        self.windows = windows

    def read(self, position: int, *, zoom: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        window = None if self.windows is None else self.windows[position]
        return self.masks[position], self.masks[position], window


def memory_store(
    masks: np.ndarray, neurons: list[str], spec: InputSpec = SPEC, windows: np.ndarray | None = None
) -> ViewStore:
    rows = [
        {"swc": f"{n}.swc", "neuron": n, "neuron_id": n, "view": i, "um_per_px": 8.0 + i, "width": SIZE, "height": SIZE}
        for i, n in enumerate(neurons)
    ]
    return ViewStore(
        pa.Table.from_pylist(rows, MANIFEST_SCHEMA), MemoryImages(masks, windows), np.arange(len(rows)), spec, 8
    )


def batch_of(masks: np.ndarray, fov_um: list[float], zoom: np.ndarray | None = None) -> ViewBatch:
    unknown = torch.full((len(masks),), torch.nan)
    fov = torch.tensor(fov_um, dtype=torch.float32)
    window = None if zoom is None else torch.from_numpy(zoom)
    mask = torch.from_numpy(masks)
    return ViewBatch(torch.arange(len(masks)), mask, mask, unknown, unknown, fov, window)


@pytest.fixture
def make_batch() -> Callable[..., ViewBatch]:
    return batch_of


@pytest.fixture
def zoom_stage1() -> Checkpoint:
    torch.manual_seed(0)
    spec = SPEC.model_copy(update={"zoom": True, "zoom_um": 60.0})
    return stage1_checkpoint(SegVAE2D(levels=2, base_channels=4, latent_channels=4, in_channels=2, zoom=True), {}, spec)


@pytest.fixture
def store() -> ViewStore:
    masks = (np.random.default_rng(0).random((7, SIZE, SIZE)) < 0.2).astype(np.uint8) * 3
    return memory_store(masks, ["a", "a", "a", "b", "b", "c", "c"])


@pytest.fixture
def make_store() -> Callable[..., ViewStore]:
    return memory_store


@pytest.fixture
def stage1() -> Checkpoint:
    torch.manual_seed(0)
    return stage1_checkpoint(SegVAE2D(levels=2, base_channels=4, latent_channels=4), {}, SPEC)


@pytest.fixture
def stage2(stage1: Checkpoint) -> Checkpoint:
    torch.manual_seed(1)
    text = HashTextEncoder(64)
    clip = ClipModel(image_dim=9, text_dim=64, embed_dim=16, hidden=8)
    return make_checkpoint(
        2,
        clip.architecture,
        clip.state_dict(),
        {},
        SPEC,
        captions={},
        text_encoder={"name": text.name, "digest": text.digest},
        stage1={"architecture": stage1["architecture"], "state": stage1["state"]},
    )


@pytest.fixture
def encoders(stage1: Checkpoint, stage2: Checkpoint) -> list[ViewEncoder]:
    return [build_view_encoder(stage1), build_view_encoder(stage2)]
