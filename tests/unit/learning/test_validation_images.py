import numpy as np
import torch

from axonet.core.input_spec import InputSpec
from axonet.inference.view_batch import ViewDataset
from axonet.learning.stage1_inputs import stage1_inputs
from axonet.learning.validation_images import GAP, HEADING_HEIGHT, LEGEND_HEIGHT, panels, sample_rows
from axonet.models.seg_vae import SegVAEOutput
from axonet.morphology.compartments import PALETTE

from .synthetic import drawn_store

SPEC = InputSpec(width=32, height=32, log_fov_mean=6.0, log_fov_std=1.0)


def tiles_of(picture: np.ndarray, n_rows: int) -> list[list[np.ndarray]]:
    body = picture[HEADING_HEIGHT:-LEGEND_HEIGHT]
    height, width = body.shape[0] // n_rows, body.shape[1] // 5
    assert (height, width) == (192 + GAP, 192 + GAP)
    # One pixel in the middle of each of the enlarged ones.
    return [
        [body[r * height + 3 : r * height + 192 : 6, c * width + 3 : c * width + 192 : 6] for c in range(5)]
        for r in range(n_rows)
    ]


def test_a_perfect_prediction_is_drawn_like_the_truth_also_when_it_is_the_mirror_image():
    dataset = ViewDataset(drawn_store(2, 1))
    inputs = stage1_inputs(dataset[np.array([0, 1])], SPEC)
    logits = 9.0 * torch.nn.functional.one_hot(inputs.classes, 6).movedim(-1, 1).float() - 4
    depth = inputs.depth_target.clone()
    depth[1] = 1 - depth[1]
    for silhouette, seg, true_seg, predicted_depth, true_depth in tiles_of(
        panels(inputs, SegVAEOutput(vector=torch.zeros(2, 3), posteriors={}, seg_logits=logits, depth=depth)), 2
    ):
        assert np.array_equal(seg, true_seg)
        assert np.array_equal(predicted_depth, true_depth)
        assert np.array_equal(silhouette[..., 0] > 0, true_depth.any(axis=-1))
    assert np.array_equal(true_seg, PALETTE[inputs.classes[1].numpy()])


def test_pictured_views_are_of_neurons_spread_over_the_data():
    dataset = ViewDataset(drawn_store(9, 2))
    rows = sample_rows(dataset, 3)
    assert [row // 2 for row in rows] == [0, 4, 8]
    assert len(sample_rows(dataset, 50)) == 9


def test_the_legend_shows_the_color_of_every_class():
    dataset = ViewDataset(drawn_store(1, 1))
    inputs = stage1_inputs(dataset[np.array([0])], SPEC)
    output = SegVAEOutput(
        vector=torch.zeros(1, 3), posteriors={}, seg_logits=torch.zeros(1, 6, 32, 32), depth=inputs.depth_target
    )
    legend = panels(inputs, output)[-LEGEND_HEIGHT:].reshape(-1, 3)
    for color in PALETTE[1:]:
        assert (legend == color).all(axis=1).sum() >= 100  # ten by ten pixels; letters have grays
