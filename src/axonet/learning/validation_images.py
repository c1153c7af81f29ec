"""Pictures of what a model predicts: Input | Predicted Seg | GT Seg | Predicted Depth | GT Depth, a row per view."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from numpy.typing import NDArray

from axonet.core.files import atomic_path
from axonet.inference.view_batch import ViewBatch, ViewDataset
from axonet.learning.stage1_inputs import Stage1Inputs, stage1_inputs
from axonet.learning.stage1_module import Stage1Module
from axonet.learning.views_dataset import rows_by_neuron
from axonet.models.losses.depth import sign_free_error
from axonet.models.seg_vae import SegVAEOutput
from axonet.morphology.compartments import CLASS_NAMES, PALETTE

HEADINGS = ("Input", "Predicted Seg", "GT Seg", "Predicted Depth", "GT Depth")
TILE = 192
GAP = 4
HEADING_HEIGHT = LEGEND_HEIGHT = 18

Image = NDArray[np.uint8]


class ValidationImageLogger(Callback):
    """Logs sample predictions after every validation, to TensorBoard and as PNG files.

    Args:
        dataset: the validation views (the training views where there are none).
        folder: where the PNG files go.
        n_views: number of views, each of another neuron as far as there are enough.
    """

    def __init__(self, dataset: ViewDataset, folder: Path, n_views: int = 6) -> None:
        self.folder = folder
        self.batch: ViewBatch = dataset[sample_rows(dataset, n_views)]

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Predict, draw and write."""
        if not trainer.is_global_zero:
            return
        assert isinstance(pl_module, Stage1Module)
        batch = self.batch.to(pl_module.device)
        inputs = stage1_inputs(batch, pl_module.spec)
        output = predict(pl_module, inputs)
        picture = panels(inputs, output)
        write_png(self.folder / f"epoch_{trainer.current_epoch + 1:04d}.png", picture)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image("val/panels", picture, trainer.global_step, dataformats="HWC")


def sample_rows(dataset: ViewDataset, n_views: int) -> NDArray[np.int64]:
    """Rows of views to look at: neurons spread evenly over the data, and another view of each."""
    groups = list(rows_by_neuron(dataset.store).values())
    chosen = np.linspace(0, len(groups) - 1, min(n_views, len(groups))).round().astype(int)
    return np.array([groups[group][turn % len(groups[group])] for turn, group in enumerate(chosen)])


def predict(module: Stage1Module, inputs: Stage1Inputs) -> SegVAEOutput:
    """Run the model as in inference, without changing its mode for those who go on."""
    model = module.result
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            output: SegVAEOutput = model(inputs.network_input, inputs.fov)
    finally:
        model.train(was_training)
    return output


def panels(inputs: Stage1Inputs, output: SegVAEOutput) -> Image:
    """Draw a batch: one row per view, five tiles each, with headings.

    Depth is drawn from near (dark) to far (bright) on one scale for prediction and truth. Of the two mirror images
    that a silhouette allows, the prediction shows the one nearer to the truth, as the loss does.

    Returns:
        ``(h, w, 3)`` uint8.
    """
    assert output.depth is not None
    predicted_depth = _nearer_mirror_image(output.depth.float(), inputs)
    rows = []
    for i in range(inputs.silhouette.shape[0]):
        silhouette = inputs.silhouette[i, 0].cpu().numpy() > 0
        known = inputs.has_depth[i, 0].cpu().numpy()
        true = inputs.depth_target[i, 0].cpu().numpy()
        extent = max(float(np.abs(true[known] - 0.5).max(initial=0.0)), 1e-6)
        tiles = [
            np.repeat(np.where(silhouette, 255, 0).astype(np.uint8)[..., None], 3, axis=2),
            PALETTE[output.classes[i].cpu().numpy()],
            PALETTE[inputs.classes[i].cpu().numpy()],
            _depth_colors(predicted_depth[i, 0].cpu().numpy(), silhouette, extent),
            _depth_colors(true, known, extent),
        ]
        rows.append([_enlarged(tile) for tile in tiles])
    return _with_legend(_with_headings(_grid(rows)))


def _nearer_mirror_image(depth: torch.Tensor, inputs: Stage1Inputs) -> torch.Tensor:
    target, foreground = inputs.depth_target, inputs.has_depth
    as_seen = ((depth - target).abs() * foreground).flatten(1).sum(dim=1)
    # The sign-free error is the smaller of the two means, so as_seen is larger exactly where the mirror image fits.
    best = sign_free_error(depth, target, foreground) * foreground.flatten(1).sum(dim=1)
    mirrored = (as_seen > best * (1 + 1e-6))[:, None, None, None]
    return torch.where(mirrored, 1 - depth, depth)


def _depth_colors(depth: NDArray[Any], shown: NDArray[Any], extent: float) -> Image:
    from matplotlib import colormaps

    scaled = np.clip((depth - 0.5) / (2 * extent) + 0.5, 0, 1)
    # The lower end of the map is almost black and would be lost on the background.
    colors = (colormaps["viridis"](0.1 + 0.9 * scaled)[..., :3] * 255).astype(np.uint8)
    return np.where(shown[..., None], colors, np.uint8(0))


def _enlarged(tile: Image) -> Image:
    factor = max(1, TILE // max(tile.shape[:2]))
    return tile.repeat(factor, axis=0).repeat(factor, axis=1)


def _grid(rows: list[list[Image]]) -> Image:
    def framed(tile: Image) -> Image:
        return np.pad(tile, ((0, GAP), (0, GAP), (0, 0)), constant_values=64)

    return np.concatenate([np.concatenate([framed(tile) for tile in row], axis=1) for row in rows], axis=0)


def _with_headings(grid: Image) -> Image:
    from PIL import Image as Pillow
    from PIL import ImageDraw

    head = Pillow.new("RGB", (grid.shape[1], HEADING_HEIGHT))
    draw = ImageDraw.Draw(head)
    for i, heading in enumerate(HEADINGS):
        draw.text((i * grid.shape[1] // len(HEADINGS) + 4, 3), heading, fill="white")
    return np.concatenate([np.asarray(head), grid], axis=0)


def _with_legend(picture: Image) -> Image:
    """Add a line below that names the colors of the classes."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    line = Pillow.new("RGB", (picture.shape[1], LEGEND_HEIGHT))
    draw, place = ImageDraw.Draw(line), 4.0
    for name, color in zip(CLASS_NAMES[1:], PALETTE[1:].tolist(), strict=True):
        draw.rectangle((place, 5, place + 9, 14), fill=tuple(color))
        draw.text((place + 14, 4), name, fill="white")
        place += 14 + draw.textlength(name) + 16
    draw.text((place, 4), "depth: dark = near, bright = far", fill="white")
    return np.concatenate([picture, np.asarray(line)], axis=0)


def write_png(path: Path, picture: Image) -> None:
    """Write a picture atomically."""
    from PIL import Image as Pillow

    with atomic_path(path) as temporary:
        Pillow.fromarray(picture).save(temporary)
