"""From stored images to what a network sees and has to recover."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.inference.inputs import apply_spec, fov_feature, resize_classes, resize_depth, trained_size
from axonet.inference.view_batch import ViewDataset
from axonet.learning.stage1_inputs import augment, stage1_inputs

from .synthetic import drawn_store

SPEC = InputSpec(width=32, height=32, log_fov_mean=math.log(400), log_fov_std=0.5)


def drawn_batch(n: int = 4):
    return ViewDataset(drawn_store(n, 1))[np.arange(n)]


def test_the_input_is_the_silhouette():
    batch = drawn_batch()
    x = apply_spec(batch, SPEC)
    assert x.shape == (4, 1, 32, 32)
    assert torch.equal(x[:, 0], (batch.mask > 0).float())
    assert torch.equal(apply_spec(batch._replace(mask=(batch.mask > 0).to(torch.uint8) * 255), SPEC), x)


@pytest.mark.parametrize("size", [(16, 16), (12, 12), (48, 48)])
def test_resized_classes_have_the_foreground_of_the_resized_silhouette(size):
    batch = drawn_batch()
    x = apply_spec(batch, SPEC.model_copy(update={"image_size": size}))
    classes = resize_classes(batch.mask, size, 6)
    assert x.shape[-2:] == classes.shape[-2:] == size
    assert torch.equal(classes > 0, x[:, 0] > 0)


def test_halving_takes_the_commonest_foreground_class_and_its_mean_depth():
    mask = torch.zeros(1, 4, 4, dtype=torch.uint8)
    mask[0, :2, :2] = torch.tensor([[2, 3], [3, 0]])
    mask[0, 2, 2] = 5  # a single pixel is not lost
    depth = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert resize_classes(mask, (2, 2), 6).tolist() == [[[3, 0], [0, 5]]]
    resized = resize_depth(depth, (mask > 0)[:, None], (2, 2))
    assert resized[0, 0].tolist() == [[pytest.approx((0 + 1 + 4) / 3), 0], [0, 10]]


def test_the_field_of_view_is_standardized_clamped_and_unknown_where_it_is_no_length():
    fov_um = torch.tensor([400.0, 400 * math.exp(0.5), 1e9, math.nan, 0.0, math.inf])
    feature = fov_feature(fov_um, SPEC)
    assert feature.shape == (6, 1)
    assert feature[:3, 0].tolist() == pytest.approx([0, 1, 5], abs=1e-5)
    assert torch.isnan(feature[3:]).all()


def test_a_spec_without_statistics_is_refused():
    with pytest.raises(UserError, match="statistics of the field of view"):
        fov_feature(torch.ones(1), InputSpec())


def test_the_other_side_follows_and_distortion_is_refused():
    spec = InputSpec(width=512, height=256)
    assert trained_size(spec, None, None) is None
    assert trained_size(spec, None, 512) is None
    assert trained_size(spec, None, 256) == (128, 256)
    assert trained_size(spec, 64, None) == (64, 128)
    with pytest.raises(UserError, match="distort"):
        trained_size(spec, 128, 128)


def test_depth_is_a_fraction_of_the_field_of_view_around_the_middle_plane():
    batch = drawn_batch(1)
    inputs = stage1_inputs(batch, SPEC)
    row, col = np.argwhere(batch.mask[0].numpy() > 0)[7]
    step = (int(batch.depth[0, row, col]) - 1) / 254  # near = 0, far = 1
    depth_um = -80 + step * 160
    assert inputs.depth[0, 0, row, col].item() == pytest.approx(0.5 + depth_um / 320, abs=1e-6)
    assert inputs.has_depth[0, 0, row, col]


def test_sixteen_bits_of_depth_mean_the_same_lengths():
    batch = drawn_batch(2)
    fine = torch.where(batch.depth > 0, 1 + (batch.depth.int() - 1) * 65534 // 254, 0).to(torch.uint16)
    coarse, exact = stage1_inputs(batch, SPEC), stage1_inputs(batch._replace(depth=fine), SPEC)
    torch.testing.assert_close(coarse.depth * coarse.has_depth, exact.depth * exact.has_depth, atol=1e-4, rtol=0)


def test_depth_without_near_and_far_is_not_judged():
    batch = drawn_batch(2)
    inputs = stage1_inputs(batch._replace(near_um=torch.tensor([math.nan, -80.0])), SPEC)
    assert not inputs.has_depth[0].any()
    assert inputs.has_depth[1].any()
    assert torch.isfinite(inputs.depth).all()


def test_a_flip_moves_input_and_targets_together():
    torch.manual_seed(0)
    inputs = stage1_inputs(drawn_batch(8), SPEC)
    flipped = augment(inputs, flips=True, rotation=0, scale_dropout=0)
    assert not torch.equal(flipped.silhouette, inputs.silhouette)
    for i in range(8):
        candidates = [(), (-1,), (-2,), (-1, -2)]
        matches = [
            axes
            for axes in candidates
            if torch.equal(inputs.silhouette[i].flip(axes), flipped.silhouette[i])
            and torch.equal(inputs.classes[i].flip(axes), flipped.classes[i])
            and torch.equal(inputs.depth[i].flip(axes), flipped.depth[i])
        ]
        assert matches


def test_a_turn_by_a_right_angle_is_exact():
    from axonet.learning.stage1_inputs import _rotate

    inputs = stage1_inputs(drawn_batch(3), SPEC)
    turned = _rotate(inputs, torch.full((3,), math.pi / 2))
    quarter = [torch.rot90(inputs.classes, k, (-2, -1)) for k in (1, -1)]
    assert any(torch.equal(turned.classes, candidate) for candidate in quarter)
    assert torch.equal(turned.classes > 0, turned.silhouette[:, 0] > 0)


def test_rotation_keeps_the_amount_of_neuron():
    torch.manual_seed(0)
    inputs = stage1_inputs(drawn_batch(8), SPEC)
    turned = augment(inputs, flips=False, rotation=180, scale_dropout=0)
    assert turned.silhouette.sum() == pytest.approx(inputs.silhouette.sum().item(), rel=0.1)
    assert torch.equal(turned.classes > 0, turned.silhouette[:, 0] > 0)
    assert not torch.equal(turned.classes, inputs.classes)


def test_the_scale_is_withheld_now_and_then():
    torch.manual_seed(0)
    inputs = stage1_inputs(drawn_batch(1), SPEC)
    withheld = [bool(augment(inputs, flips=False, rotation=0, scale_dropout=0.25).fov.isnan()) for _ in range(400)]
    assert 60 < sum(withheld) < 140


ZOOM = SPEC.model_copy(update={"zoom": True, "zoom_um": 160.0})


def zoomed_batch(n: int = 6):
    return ViewDataset(drawn_store(n, 1, zoom=True), zoom=True)[np.arange(n)]


@pytest.mark.parametrize("size", [(32, 32), (16, 16)])
def test_the_window_around_the_soma_is_the_second_channel(size):
    batch = zoomed_batch()
    x = apply_spec(batch, ZOOM.model_copy(update={"image_size": size}))
    assert x.shape == (6, 2, *size)
    windows = torch.nn.functional.adaptive_max_pool2d((batch.zoom > 0).float(), size)
    assert torch.equal(x[:, 1], windows)
    assert x[:, 1].flatten(1).any(dim=1).tolist() == [True, True, False] * 2  # every third neuron has no soma
    assert torch.equal(stage1_inputs(batch, ZOOM).network_input, apply_spec(batch, ZOOM.model_copy()))


def test_a_model_that_does_not_look_at_the_window_is_not_shown_it():
    batch = zoomed_batch()
    assert torch.equal(apply_spec(batch, SPEC), apply_spec(batch, ZOOM)[:, :1])
    with pytest.raises(ValueError, match="read without it"):
        apply_spec(drawn_batch(), ZOOM)


def test_the_window_moves_with_the_image():
    """The same picture in both channels stays the same picture."""
    torch.manual_seed(0)
    inputs = stage1_inputs(zoomed_batch(), ZOOM)
    for changes in ({"flips": True, "rotation": 0.0}, {"flips": False, "rotation": 180.0}):
        changed = augment(replace(inputs, zoom=inputs.silhouette), **changes, scale_dropout=0)
        assert torch.equal(changed.zoom, changed.silhouette)
        assert not torch.equal(changed.silhouette, inputs.silhouette)


def test_the_window_is_withheld_now_and_then():
    torch.manual_seed(0)
    inputs = stage1_inputs(zoomed_batch(1), ZOOM)
    kept = [
        bool(augment(inputs, flips=False, rotation=0, scale_dropout=0, zoom_dropout=0.25).zoom.any())
        for _ in range(400)
    ]
    assert 60 < 400 - sum(kept) < 140
