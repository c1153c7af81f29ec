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
from axonet.learning.augmentation import augment, turn
from axonet.learning.settings import Stage1Settings
from axonet.learning.stage1_inputs import stage1_inputs

from .synthetic import drawn_store

SPEC = InputSpec(width=32, height=32, log_fov_mean=math.log(400), log_fov_std=0.5)


def drawn_batch(n: int = 4):
    return ViewDataset(drawn_store(n, 1))[np.arange(n)]


STILL = {"flips": False, "scale_dropout": 0.0, "zoom_dropout": 0.0, "merge_dendrites": 0.0, "drop_types": 0.0}


def changed(inputs, spec=SPEC, **more):
    return augment(inputs, spec, Stage1Settings(**(STILL | more)))


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
    flipped = changed(inputs, flips=True)
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
    inputs = stage1_inputs(drawn_batch(3), SPEC)
    turned = turn(inputs, SPEC, torch.full((3,), math.pi / 2), torch.ones(3))
    quarter = [torch.rot90(inputs.classes, k, (-2, -1)) for k in (1, -1)]
    assert any(torch.equal(turned.classes, candidate) for candidate in quarter)
    assert torch.equal(turned.classes > 0, turned.silhouette[:, 0] > 0)


def test_rotation_keeps_the_amount_of_neuron():
    torch.manual_seed(0)
    inputs = stage1_inputs(drawn_batch(8), SPEC)
    turned = changed(inputs, rotation=180)
    assert turned.silhouette.sum() == pytest.approx(inputs.silhouette.sum().item(), rel=0.1)
    assert torch.equal(turned.classes > 0, turned.silhouette[:, 0] > 0)
    assert not torch.equal(turned.classes, inputs.classes)


def test_the_scale_is_withheld_now_and_then():
    torch.manual_seed(0)
    inputs = stage1_inputs(drawn_batch(1), SPEC)
    withheld = [bool(changed(inputs, scale_dropout=0.25).fov.isnan()) for _ in range(400)]
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
    for changes in ({"flips": True}, {"rotation": 180.0}):
        moved = changed(replace(inputs, zoom=inputs.silhouette), **changes)
        assert torch.equal(moved.zoom, moved.silhouette)
        assert not torch.equal(moved.silhouette, inputs.silhouette)


def test_the_window_is_withheld_now_and_then():
    torch.manual_seed(0)
    inputs = stage1_inputs(zoomed_batch(1), ZOOM)
    kept = [bool(changed(inputs, ZOOM, zoom_dropout=0.25).zoom.any()) for _ in range(400)]
    assert 60 < 400 - sum(kept) < 140


def test_a_magnified_view_has_the_smaller_field_of_view_and_shows_the_same_lengths():
    inputs = stage1_inputs(zoomed_batch(3), ZOOM)
    larger = turn(inputs, ZOOM, torch.zeros(3), torch.full((3,), 2.0))
    assert larger.fov_um.tolist() == pytest.approx((inputs.fov_um / 2).tolist())
    torch.testing.assert_close(larger.fov, fov_feature(inputs.fov_um / 2, ZOOM))
    middle = inputs.classes[:, 8:24, 8:24]
    assert torch.equal(larger.classes, middle.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2))
    um = (inputs.depth - 0.5) * inputs.fov_um[:, None, None, None]
    um_larger = (larger.depth - 0.5) * larger.fov_um[:, None, None, None]
    expected = um[:, :, 8:24, 8:24].repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    torch.testing.assert_close(um_larger[larger.has_depth], expected[larger.has_depth])
    assert torch.equal(larger.zoom, inputs.zoom)  # its side is a length, whatever the view's scale


def test_magnifications_spread_over_their_range():
    torch.manual_seed(0)
    inputs = stage1_inputs(drawn_batch(1), SPEC)
    factors = [(inputs.fov_um / changed(inputs, magnification=(0.8, 1.25)).fov_um).item() for _ in range(200)]
    assert 0.8 <= min(factors) < 0.85
    assert 1.2 < max(factors) <= 1.2501
    assert np.mean(np.log(factors)) == pytest.approx(0, abs=0.03)


SHAPE = SPEC.model_copy(update={"inputs": "shape"})


def test_a_model_of_shapes_sees_compartments_and_depth():
    batch = drawn_batch(3)
    x = apply_spec(batch, SHAPE)
    assert x.shape == (3, SHAPE.n_channels, 32, 32)
    for k in range(1, 6):
        assert torch.equal(x[:, k], (batch.mask == k).float())
    inputs = stage1_inputs(batch, SHAPE)
    assert torch.equal(inputs.network_input, x)
    row, col = np.argwhere(batch.mask[0].numpy() > 0)[5]
    depth_um = -80 + (int(batch.depth[0, row, col]) - 1) / 254 * 160
    assert x[0, 6, row, col].item() == pytest.approx(2 * depth_um / 320, abs=1e-6)
    assert not x[:, 6][x[:, 0] == 0].any()


def test_depth_that_is_not_known_is_the_middle_plane():
    batch = drawn_batch(1)
    x = apply_spec(batch._replace(far_um=torch.tensor([math.nan])), SHAPE)
    assert not x[:, 6].any()
    assert torch.isfinite(x).all()


def test_dendrites_can_be_shown_as_one():
    batch = drawn_batch(2)
    apart, merged = (apply_spec(batch, SHAPE.model_copy(update={"merge_dendrites": both})) for both in (False, True))
    assert apart[:, 4].any()
    assert not merged[:, 4].any()
    assert torch.equal(merged[:, 3], apart[:, 3] + apart[:, 4])
    untouched = [0, 1, 2, 5, 6]
    assert torch.equal(merged[:, untouched], apart[:, untouched])


def test_types_are_merged_and_dropped_at_random_in_training_only_where_they_are_shown():
    torch.manual_seed(0)
    inputs = stage1_inputs(drawn_batch(1), SHAPE)
    kinds = {"merged": 0, "untyped": 0, "whole": 0}
    for _ in range(400):
        classes = set(changed(inputs, SHAPE, merge_dendrites=0.3, drop_types=0.2).classes.unique().tolist())
        kinds[{(0, 5): "untyped", (0, 1, 2, 3): "merged", (0, 1, 2, 3, 4): "whole"}[tuple(sorted(classes))]] += 1
    assert kinds["untyped"] == pytest.approx(80, abs=25)
    assert kinds["merged"] == pytest.approx(400 * 0.8 * 0.3, abs=30)
    targets = stage1_inputs(drawn_batch(1), SPEC)
    assert torch.equal(changed(targets, merge_dendrites=1.0, drop_types=1.0).classes, targets.classes)


def test_every_other_image_is_taken_with_all_that_belongs_to_it():
    inputs = stage1_inputs(zoomed_batch(5), ZOOM)
    some = inputs.every(2)
    assert torch.equal(some.network_input, inputs.network_input[::2])
    assert torch.equal(some.classes, inputs.classes[::2])
    assert torch.equal(some.has_depth, inputs.has_depth[::2])
    assert inputs.every(1) is inputs
