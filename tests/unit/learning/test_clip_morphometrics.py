"""Pictures with the neurons' measurements beside them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from axonet.core.errors import UserError
from axonet.inference.embed import EmbeddingModel
from axonet.inference.encode import build_view_encoder, encode_store
from axonet.learning.clip_settings import ClipSettings
from axonet.models.checkpoint import load_checkpoint
from axonet.models.clip import ClipModel

from .clip_runs import FROZEN, history, train
from .clip_toy import toy_data, toy_measures, toy_store

NAMES = ["cable_length", "n_branch_points"]
JOINING = FROZEN.model_copy(update={"morphometrics": True, "morphometric_names": NAMES})


@pytest.fixture(scope="module")
def joined(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("joined")
    train(folder, JOINING)
    return folder


def test_both_embeddings_are_judged_and_both_choose_the_epoch(joined):
    for row in history(joined):
        both = float(row["val/score_image"]), float(row["val/score_joined"])
        assert float(row["val/score"]) == pytest.approx(sum(both) / 2, rel=1e-5)
        assert {"val/mrr", "val/mrr_joined", "val/zero_shot", "val/zero_shot_joined", "val/loss_joined"} <= row.keys()


def test_the_checkpoint_knows_names_and_statistics_of_the_training_neurons(joined):
    inputs = load_checkpoint(joined / "best.ckpt")["input_spec"]["morphometrics"]
    assert [item["name"] for item in inputs] == NAMES
    lengths = np.log1p([row["cable_length"] for row in toy_measures(range(18)).values()])
    assert inputs[0]["mean"] == pytest.approx(lengths.mean())
    assert inputs[0]["deviation"] == pytest.approx(lengths.std())


def test_one_checkpoint_gives_vectors_with_and_without_measurements(joined):
    model = EmbeddingModel(load_checkpoint(joined / "best.ckpt"))
    store = toy_store(range(18, 22))
    alone, both = model.embed_views(store), model.embed_views(store, measures=toy_measures(range(18, 22)))
    assert alone.joined is None
    np.testing.assert_allclose(both.vector, alone.vector, atol=1e-6)
    assert not np.allclose(both.joined, both.vector, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(both.joined, axis=1), 1, rtol=1e-5)


def test_a_neuron_that_was_not_measured_is_a_picture_alone(joined):
    encoder = build_view_encoder(load_checkpoint(joined / "best.ckpt"))
    found = encode_store(encoder, toy_store(range(2)), measures={"cell_000": toy_measures([0])["cell_000"]})
    rows = np.array(found.neuron_id) == "cell_001"
    np.testing.assert_allclose(found.joined[rows], found.vector[rows], atol=1e-6)
    assert not np.allclose(found.joined[~rows], found.vector[~rows], atol=1e-3)


def test_measurements_answer_what_the_picture_does_not_show(tmp_path):
    """The toy's pictures are replaced by noise: only measurements can tell the three types apart."""
    data = toy_data(n_train=36, n_val=18)
    random = np.random.default_rng(0)
    noise = [random.normal(size=(len(v), 33)).astype(np.float32) for v in (data.train_views, data.val_views)]
    data = replace(
        data,
        train_views=replace(data.train_views, vectors=noise[0][:, : vector_size()]),
        val_views=replace(data.val_views, vectors=noise[1][:, : vector_size()]),
    )
    train(tmp_path, JOINING.model_copy(update={"max_epochs": 20}), data)
    best = max(history(tmp_path), key=lambda row: float(row["val/score"]))
    assert float(best["val/zero_shot_joined"]) > 0.8
    assert float(best["val/zero_shot"]) < 0.7


def vector_size() -> int:
    from axonet.models.checkpoint import build_seg_vae

    from .clip_toy import toy_stage1

    return build_seg_vae(toy_stage1()).vector_size


def test_without_measurements_there_is_nothing_to_join(tmp_path):
    data = toy_data(n_val=0)
    data = replace(data, train=replace(data.train, measures=(None,) * len(data.train)))
    with pytest.raises(UserError, match="no training neuron was measured"):
        train(tmp_path, JOINING, data)


def test_the_share_of_steps_without_them_is_what_was_asked_for():
    from .test_clip_fit import _module

    module = _module(JOINING, toy_data(n_train=4, n_val=0))
    module.spec = module.spec.model_copy(update={"morphometrics": ({"name": "n_tips", "log": True},)})
    kinds = [module._kind_of_step(step) for step in range(1000)]
    assert 0.25 < kinds.count("image") / 1000 < 0.35


def test_the_block_of_missing_values_is_the_picture_alone():
    torch.manual_seed(0)
    model = ClipModel(7, 5, embed_dim=4, n_morphometrics=3).eval()
    pooled = torch.randn(6, 7)
    missing = torch.cat([torch.zeros(6, 3), torch.ones(6, 3)], dim=1)
    torch.testing.assert_close(model.embed_pooled(pooled, missing), model.embed_pooled(pooled))
    measured = torch.cat([torch.randn(6, 3), torch.zeros(6, 3)], dim=1)
    assert not torch.allclose(model.embed_pooled(pooled, measured), model.embed_pooled(pooled))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"morphometric_names": ["width"]}, "give both"),
        ({"morphometrics": True, "morphometric_names": ["girth"]}, "no morphometric 'girth'"),
    ],
)
def test_settings_that_contradict_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        ClipSettings(**values)
