"""Views to vectors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.datasets.view_store import ViewStore
from axonet.inference.encode import (
    ViewEncoder,
    build_view_encoder,
    encode_batches,
    encode_store,
    encode_views,
    load_view_encoder,
)
from axonet.inference.view_batch import ViewBatch, fields_of_view
from axonet.models.checkpoint import Checkpoint, save_checkpoint, stage1_checkpoint
from axonet.models.seg_vae import SegVAE2D

MakeBatch = Callable[..., ViewBatch]


def test_stage_1_gives_pooled_features_and_stage_2_unit_vectors(encoders: list[ViewEncoder], store: ViewStore) -> None:
    pooled, unit = (encode_views(encoder, store) for encoder in encoders)
    assert pooled.shape == (7, 9)
    assert unit.shape == (7, 16)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1.0, rtol=1e-5)


@pytest.mark.parametrize("stage", [1, 2])
def test_vectors_do_not_depend_on_the_batch_size(stage: int, encoders: list[ViewEncoder], store: ViewStore) -> None:
    encoder = encoders[stage - 1]
    expected = encode_views(encoder, store, batch_size=7)
    for batch_size in (1, 2, 64):
        np.testing.assert_allclose(encode_views(encoder, store, batch_size=batch_size), expected, atol=2e-6)


def test_vectors_are_the_same_twice(encoders: list[ViewEncoder], store: ViewStore) -> None:
    encoders[1].train()  # whoever hands over a model in training mode gets no dropout
    np.testing.assert_array_equal(encode_views(encoders[1], store), encode_views(encoders[1], store))


def test_only_the_silhouette_is_seen(encoders: list[ViewEncoder], store: ViewStore, make_batch: MakeBatch) -> None:
    """Compartments are what Stage 1 has to find out; an encoder that saw them would give them away."""
    mask = store.read(0)[0]
    other = np.where(mask > 0, 1, 0).astype(np.uint8)
    one, same = (encode_batches(encoders[0], [make_batch(image[None], [100.0])]) for image in (mask, other))
    np.testing.assert_array_equal(one, same)


def test_size_in_um_matters_and_may_be_unknown(
    encoders: list[ViewEncoder], store: ViewStore, make_batch: MakeBatch
) -> None:
    masks = np.stack([store.read(0)[0]] * 3)
    small, large, unknown = encode_batches(encoders[0], [make_batch(masks, [200.0, 2000.0, np.nan])])
    assert not np.allclose(small, large)
    assert np.isfinite(unknown).all()


def test_the_field_of_view_is_pixels_times_their_size(store: ViewStore) -> None:
    np.testing.assert_allclose(fields_of_view(store), [(8.0 + i) * 32 for i in range(7)])


def test_images_made_otherwise_are_refused_with_the_difference(
    encoders: list[ViewEncoder], make_store: Callable[..., ViewStore]
) -> None:
    spec = encoders[0].spec.model_copy(update={"margin": 0.1, "random_views": 99})
    other = make_store(np.zeros((1, 32, 32), np.uint8), ["a"], spec)
    with pytest.raises(UserError, match=r"margin 0.1 instead of 0.4"):
        encode_views(encoders[0], other)


def test_a_store_without_views_gives_no_vectors(
    encoders: list[ViewEncoder], make_store: Callable[..., ViewStore]
) -> None:
    empty = encode_store(encoders[1], make_store(np.zeros((0, 32, 32), np.uint8), []))
    assert empty.vector.shape == (0, 16)
    assert len(empty) == 0


def test_vectors_know_their_model_and_views(encoders: list[ViewEncoder], store: ViewStore) -> None:
    found = encode_store(encoders[1], store, batch_size=3)
    assert found.neuron_id == ["a", "a", "a", "b", "b", "c", "c"]
    assert (found.stage, found.checkpoint, found.spec) == (2, encoders[1].fingerprint, encoders[1].spec)


def test_a_checkpoint_of_the_wrong_stage_is_refused(stage1: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "best.ckpt", stage1)
    assert load_view_encoder(tmp_path / "best.ckpt", 1).stage == 1
    with pytest.raises(UserError, match="Stage 2"):
        load_view_encoder(tmp_path / "best.ckpt", 2)


def test_the_spec_can_be_given(encoders: list[ViewEncoder], store: ViewStore) -> None:
    with pytest.raises(UserError, match="width"):
        encode_views(encoders[0], store, InputSpec(width=64, height=32))


def test_a_model_that_looks_at_the_window_around_the_soma_is_shown_it(
    zoom_stage1: Checkpoint, make_store: Callable[..., ViewStore], store: ViewStore
) -> None:
    encoder = build_view_encoder(zoom_stage1)
    masks = np.stack([store.read(0)[0]] * 2)
    windows = np.zeros_like(masks)
    windows[1, 8:20, 8:20] = 255
    blank, window = encode_views(encoder, make_store(masks, ["a", "b"], encoder.spec, windows))
    assert not np.allclose(blank[:-1], window[:-1])


def test_views_without_the_window_are_refused_by_a_model_that_looks_at_it(
    zoom_stage1: Checkpoint, store: ViewStore
) -> None:
    with pytest.raises(UserError, match=r"zoom_um None instead of 60\.0") as refused:
        encode_views(build_view_encoder(zoom_stage1), store)
    assert "\n" not in str(refused.value)


def test_a_model_that_does_not_look_at_the_window_takes_views_with_it(
    encoders: list[ViewEncoder], make_store: Callable[..., ViewStore], store: ViewStore
) -> None:
    masks = np.stack([store.read(i)[0] for i in range(len(store))])
    spec = encoders[0].spec.model_copy(update={"zoom_um": 60.0})
    others = make_store(masks, store.neuron_ids, spec, 255 - masks)
    np.testing.assert_array_equal(encode_views(encoders[0], others), encode_views(encoders[0], store))


@pytest.fixture
def shape_stage1(stage1: Checkpoint) -> Checkpoint:
    torch.manual_seed(0)
    spec = InputSpec.model_validate(stage1["input_spec"]).model_copy(update={"inputs": "shape"})
    network = SegVAE2D(levels=2, base_channels=4, latent_channels=4, in_channels=7, decoder=False)
    return stage1_checkpoint(network, {}, spec)


def test_dendrites_merged_are_apical_ones_drawn_as_basal(
    shape_stage1: Checkpoint, make_store: Callable[..., ViewStore], store: ViewStore
) -> None:
    masks = np.stack([np.where(store.read(i)[0] > 0, 3 + i % 2, 0).astype(np.uint8) for i in range(2)])
    basal = np.where(masks > 0, 3, 0).astype(np.uint8)
    spec = InputSpec.model_validate(shape_stage1["input_spec"])
    apart, merged = (build_view_encoder(shape_stage1, merge_dendrites=both) for both in (False, True))
    found = encode_views(merged, make_store(masks, ["a", "b"], spec))
    np.testing.assert_array_equal(found, encode_views(apart, make_store(basal, ["a", "b"], spec)))
    assert not np.allclose(found[1], encode_views(apart, make_store(masks, ["a", "b"], spec))[1])
    assert encode_store(merged, make_store(masks, ["a", "b"], spec)).spec.merge_dendrites


def test_to_a_model_of_silhouettes_merging_makes_no_difference(stage1: Checkpoint, store: ViewStore) -> None:
    apart, merged = (build_view_encoder(stage1, merge_dendrites=both) for both in (False, True))
    np.testing.assert_array_equal(encode_views(apart, store), encode_views(merged, store))


@pytest.mark.parametrize(("extent", "said"), [((2000.0, 4000.0), True), ((300.0, 500.0), False), (None, False)])
def test_neurons_in_other_units_are_noticed(
    stage1: Checkpoint, store: ViewStore, extent: object, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = InputSpec.model_validate(stage1["input_spec"]).model_copy(update={"fov_um_range": extent})
    encode_views(build_view_encoder(stage1 | {"input_spec": spec.model_dump(mode="json")}), store)
    assert ("not in voxels?" in capsys.readouterr().err) == said
