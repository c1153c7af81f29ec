"""Stage 2 as a whole, on discs, bars and crosses."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from axonet.core.errors import UserError
from axonet.inference.embed import EmbeddingModel
from axonet.inference.encode import build_view_encoder
from axonet.inference.pool import pool_poses
from axonet.learning.clip_captions import NeuronCaptions
from axonet.learning.clip_data import ClipDataset
from axonet.learning.clip_module import ClipModule, ClipWords
from axonet.learning.clip_settings import ClipSettings
from axonet.learning.clip_views import encode_once
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metrics.ranks import chance_reciprocal_rank
from axonet.models.checkpoint import load_checkpoint
from axonet.models.text import HashTextEncoder

from .clip_runs import FROZEN, QUICK, TUNED, history, train
from .clip_toy import toy_data, toy_stage1, toy_store


@pytest.fixture(scope="module")
def frozen(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("frozen")
    train(folder, FROZEN)
    return folder


@pytest.fixture(scope="module")
def tuned(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tuned")
    train(folder, TUNED)
    return folder


def test_shapes_that_differ_find_their_names(frozen):
    """Three classes of validation neurons; chance is a third."""
    model = EmbeddingModel(load_checkpoint(frozen / "best.ckpt"))
    numbers = list(range(18, 27))
    vectors = model.embed_views(toy_store(numbers))
    images = pool_poses(vectors.vector, vectors.neuron_id, "mean").vectors
    names = ["a mouse Purkinje cell", "a mouse pyramidal neuron", "a mouse chandelier cell"]
    right = np.array([number % 3 for number in numbers])
    accuracy = ((images @ model.embed_text(names).T).argmax(axis=1) == right).mean()
    assert accuracy >= 8 / 9
    best = max(history(frozen), key=lambda row: float(row["val/score"]))
    assert float(best["val/mrr_standard"]) > chance_reciprocal_rank(np.ones(9, np.int64), 3) + 0.2


def test_the_best_epoch_is_that_of_the_best_validation_rank_and_zero_shot(tmp_path):
    result = train(tmp_path, FROZEN.model_copy(update={"max_epochs": 4}))
    rows = history(tmp_path)
    values = [(float(row["val/mrr"]) + float(row["val/zero_shot"])) / 2 for row in rows]
    assert values == pytest.approx([float(row["val/score"]) for row in rows], rel=1e-5)
    assert len(values) == 4
    assert result.best_value == pytest.approx(max(values), rel=1e-5)
    assert result.best_epoch == int(np.argmax(values))


@pytest.mark.parametrize("run", ["frozen", "tuned"])
def test_every_output_is_there(run, request):
    folder = request.getfixturevalue(run)
    for name in ("best.ckpt", "last.ckpt", "history.csv", "skipped.jsonl"):
        assert (folder / name).is_file()
    assert not (folder / ".training").exists()
    assert list((folder / "logs").glob("events.*"))
    for name in ("train/loss", "val/loss", "val/mrr", "train/temperature"):
        assert np.isfinite([float(row[name]) for row in history(folder)]).all()


@pytest.mark.parametrize("run", ["frozen", "tuned"])
def test_a_reloaded_model_gives_the_very_same_vectors(run, request, monkeypatch):
    """And it needs no Stage 1 file: what is in the checkpoint is enough."""
    folder = request.getfixturevalue(run)
    checkpoint = load_checkpoint(folder / "best.ckpt", 2)
    store = toy_store(range(4))
    first = EmbeddingModel(checkpoint)
    second = EmbeddingModel(load_checkpoint(folder / "best.ckpt", 2))
    np.testing.assert_array_equal(first.embed_views(store).vector, second.embed_views(store).vector)
    np.testing.assert_array_equal(first.embed_text(["a rat neuron"]), second.embed_text(["a rat neuron"]))
    assert checkpoint["text_encoder"] == {"name": "hash:64", "digest": HashTextEncoder(64).digest}
    assert checkpoint["stage1"].keys() == {"architecture", "state"}
    assert not any("text_encoder" in name for name in checkpoint["state"])


def test_the_last_epochs_model_is_what_was_trained(frozen):
    """best.ckpt and last.ckpt load alike; with the same weights their fingerprints agree."""
    last = load_checkpoint(frozen / "last.ckpt", 2)
    best = load_checkpoint(frozen / "best.ckpt", 2)
    assert last.keys() == best.keys()
    assert (last["fingerprint"] == best["fingerprint"]) == all(
        torch.equal(last["state"][name], best["state"][name]) for name in best["state"]
    )


def test_a_frozen_encoder_is_carried_unchanged_and_a_tuned_one_is_not(frozen, tuned):
    stage1 = toy_stage1()["state"]
    kept = load_checkpoint(frozen / "best.ckpt")["stage1"]["state"]
    assert all(torch.equal(kept[name], stage1[name]) for name in stage1)
    changed = {
        n for n, v in load_checkpoint(tuned / "last.ckpt")["stage1"]["state"].items() if not torch.equal(v, stage1[n])
    }
    assert any(name.startswith("encoder.") for name in changed)
    assert not any(name.startswith(("decoder.", "skip_heads.")) for name in changed)


def _module(settings: ClipSettings, data) -> ClipModule:
    generator = NeuronTextGenerator.fit(data.train.records, data.train.by_record)
    words = ClipWords(HashTextEncoder(64), NeuronCaptions(data.train, generator, settings.seed), None)
    return ClipModule(settings, toy_stage1(), words, 10, {})


def test_training_on_cached_vectors_equals_training_on_images(tmp_path):
    """A frozen encoder gives a batch the same loss and gradient, whether its vectors were cached or not."""
    data = toy_data(n_train=8, n_val=0)
    encoder = build_view_encoder(toy_stage1())
    cached = encode_once(data.train_views, encoder, tmp_path, 4, 0)
    rows = np.arange(8 * 3)[::2]
    batch_of_vectors = ClipDataset(cached, data.train)[rows]
    batch_of_images = ClipDataset(data.train_views, data.train)[rows]
    frozen_model, image_model = _module(FROZEN, data).eval(), _module(TUNED, data).eval()
    image_model.seg_vae.requires_grad_(False)
    gradients = []
    for module, batch in ((frozen_model, batch_of_vectors), (image_model, batch_of_images)):
        image = module._embed_neurons(batch)
        text = module._embed_texts([f"caption {i}" for i in range(len(image))])
        loss = module._contrast(image, text, torch.eye(len(image), dtype=torch.bool))
        loss.backward()
        gradients.append((loss.detach(), module.model.image.layers[0].weight.grad))
    torch.testing.assert_close(gradients[0][0], gradients[1][0])
    torch.testing.assert_close(gradients[0][1], gradients[1][1], rtol=1e-4, atol=1e-6)


def test_neurons_are_pooled_in_training_as_in_inference(tmp_path):
    data = toy_data(n_train=4, n_val=0)
    module = _module(TUNED, data).eval()
    batch = ClipDataset(data.train_views, data.train)[np.arange(12)]
    with torch.no_grad():
        trained = module._embed_neurons(batch)
    model = EmbeddingModel(module.checkpoint())
    found = model.embed_views(toy_store(range(4)))
    pooled = pool_poses(found.vector, found.neuron_id, "mean").vectors
    np.testing.assert_allclose(trained.numpy(), pooled, atol=1e-5)


def test_the_encoder_learns_at_its_own_rate():
    data = toy_data(n_train=4, n_val=0)
    settings = TUNED.model_copy(update={"encoder_lr_mult": 0.1, "lr_scheduler": "constant"})
    optimizer = _module(settings, data).configure_optimizers()["optimizer"]
    rates = sorted({round(group["lr"], 10) for group in optimizer.param_groups})
    assert rates == pytest.approx([5e-4, 5e-3])
    trained = sum(p.numel() for group in optimizer.param_groups for p in group["params"])
    network = _module(settings, data).seg_vae
    assert trained > sum(p.numel() for p in network.encoder.parameters())


def test_the_posterior_is_held_back_by_lambda_kld(tmp_path):
    """It starts as that of Stage 1, moves away with the contrast, and less so where that costs more."""
    last = []
    for weight in (1e-6, 1e4):
        settings = ClipSettings(
            **QUICK, lr=3e-3, max_epochs=4, views_per_neuron=1, lambda_kld=weight, encoder_lr_mult=1.0
        )
        train(tmp_path / str(weight), settings)
        kld = [float(row["train/kld"]) for row in history(tmp_path / str(weight))]
        assert kld[0] > 0
        last.append(kld[-1])
    assert last[1] < 0.5 * last[0]


def test_a_learned_temperature_stays_within_its_bounds(tmp_path):
    settings = FROZEN.model_copy(update={"learnable_temperature": True, "lr": 0.5, "max_epochs": 6})
    train(tmp_path, settings)
    temperatures = [float(row["train/temperature"]) for row in history(tmp_path)]
    assert min(temperatures) >= 0.01 * (1 - 1e-4)
    assert max(temperatures) <= 1.0
    assert len(set(temperatures)) > 1


@pytest.mark.parametrize("loss", ["infonce", "masked", "siglip"])
def test_every_loss_trains(loss, tmp_path):
    train(tmp_path, FROZEN.model_copy(update={"loss": loss, "max_epochs": 8}))
    losses = [float(row["train/loss"]) for row in history(tmp_path)]
    assert losses[-1] < losses[0]


def test_without_validation_the_training_loss_chooses(tmp_path, capsys):
    result = train(tmp_path, FROZEN.model_copy(update={"max_epochs": 3}), data=toy_data(n_val=0))
    assert "no validation neurons" in capsys.readouterr().err
    values = [float(row["train/loss"]) for row in history(tmp_path)]
    assert result.best_value == pytest.approx(min(values), rel=1e-5)


def test_steps_may_be_limited(tmp_path):
    assert train(tmp_path, FROZEN.model_copy(update={"max_steps": 4})).steps == 4


def test_more_devices_than_neurons_of_a_batch_are_refused(tmp_path):
    with pytest.raises(UserError, match="they share the 6 neurons of a batch"):
        train(tmp_path, FROZEN.model_copy(update={"devices": 7}))


def test_views_made_otherwise_are_refused(tmp_path):
    data = toy_data(n_val=0)
    data.train_views.store.spec = data.train_views.store.spec.model_copy(update={"margin": 0.1})
    with pytest.raises(UserError, match=r"margin 0\.1 instead of 0\.4"):
        train(tmp_path, FROZEN, data=data)


def test_the_fingerprint_tells_two_encoders_apart():
    """The vectors of views depend on the Stage 1 network too."""
    data = toy_data(n_train=4, n_val=0)
    module = _module(TUNED, data)
    before = module.checkpoint()["fingerprint"]
    assert module.checkpoint()["fingerprint"] == before
    with torch.no_grad():
        next(module.seg_vae.encoder.parameters()).add_(0.1)
    assert module.checkpoint()["fingerprint"] != before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"freeze_encoder": True, "lambda_kld": 0.1}, "leave out freeze_encoder or lambda_kld"),
        ({"lambda_clip": 0.0}, "greater than 0"),
        ({"batch_size": 1}, "batch_size"),
        ({"temperature": 0.0}, "temperature"),
    ],
)
def test_settings_that_do_nothing_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        ClipSettings(**values)


def test_untrained_projections_depend_on_the_seed_alone():
    data = toy_data(n_train=4, n_val=0)
    one, two = (_module(FROZEN, data).model.state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    other = _module(FROZEN.model_copy(update={"seed": 1}), data).model.state_dict()
    assert not torch.equal(one["text.linear.weight"], other["text.linear.weight"])
    assert (
        functional.cosine_similarity(one["text.linear.weight"].flatten(), other["text.linear.weight"].flatten(), dim=0)
        < 0.5
    )
