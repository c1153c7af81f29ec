"""Captions of a batch, what is true of whom, and how validation ranks."""

import numpy as np
import pytest

from axonet.learning.clip_captions import NeuronCaptions, TextVectors
from axonet.learning.clip_fit import train_clip
from axonet.learning.clip_validation import (
    ValidationWords,
    distinct_captions,
    mean_reciprocal_rank,
    weighted_over_levels,
)
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.claims import LEVELS, true_of
from axonet.models.text import HashTextEncoder

from .clip_toy import toy_data


class CountingEncoder(HashTextEncoder):
    def __init__(self) -> None:
        super().__init__(32)
        self.seen: list[str] = []

    def encode(self, texts):
        self.seen += texts
        return super().encode(texts)


@pytest.fixture
def captions() -> NeuronCaptions:
    train = toy_data(n_train=12, n_val=0).train
    return NeuronCaptions(train, NeuronTextGenerator.fit(train.records, train.by_record), seed=0)


def test_equal_captions_are_encoded_once():
    encoder = CountingEncoder()
    text = TextVectors(encoder)
    first = text(["a mouse neuron", "a rat neuron", "a mouse neuron"])
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(text(["a rat neuron"])[0], first[1])
    assert sorted(encoder.seen) == ["a mouse neuron", "a rat neuron"]


def test_the_memory_of_texts_is_bounded():
    text = TextVectors(CountingEncoder(), limit=2)
    expected = HashTextEncoder(32).encode(["a", "b", "c", "d", "e"])
    for start in range(5):
        np.testing.assert_array_equal(text(["abcde"[start]])[0], expected[start])
    np.testing.assert_array_equal(text(list("abcde")), expected)
    assert text([]).shape == (0, 32)


def test_the_mask_says_caption_by_neuron_what_is_true(captions):
    chosen = [4, 0, 7, 11]
    drawn = captions.draw(chosen, epoch=2)
    mask = captions.true_of(drawn, chosen)
    for i, neuron in enumerate(chosen):
        for j, caption in enumerate(drawn):
            assert mask[i, j] == true_of(caption, captions.facts[neuron])
    assert mask.diagonal().all()


def test_an_epoch_draws_the_same_captions_whatever_the_batch(captions):
    together = captions.draw([1, 2, 3], epoch=5)
    assert captions.draw([2], epoch=5) == [together[1]]
    assert any(captions.draw([2], epoch=e) != [together[1]] for e in range(10))


def test_ranks_are_over_distinct_captions():
    """Nine neurons share one caption: it is one candidate, not nine chances."""
    candidates = distinct_captions(["a mouse neuron"] * 9 + ["a rat neuron"])
    assert len(candidates.texts) == 2
    vectors = HashTextEncoder(64).encode(candidates.texts)
    image = vectors[[0] * 9 + [0]]
    assert mean_reciprocal_rank(image, vectors, candidates.answer) == pytest.approx((9 + 0.5) / 10)


def test_a_model_that_cannot_tell_gets_the_worst_rank():
    image = np.ones((5, 3), np.float32)
    candidates = np.ones((4, 3), np.float32)
    assert mean_reciprocal_rank(image, candidates, np.zeros(5, np.int64)) == pytest.approx(1 / 4)


def test_many_neurons_are_ranked_as_in_one_go(monkeypatch):
    random = np.random.default_rng(0)
    image, candidates = (random.normal(size=(n, 4)).astype(np.float32) for n in (23, 9))
    answer = random.integers(0, 9, 23)
    whole = mean_reciprocal_rank(image, candidates, answer)
    monkeypatch.setattr("axonet.learning.clip_validation.QUERIES_AT_ONCE", 5)
    assert mean_reciprocal_rank(image, candidates, answer) == pytest.approx(whole)
    order = np.argsort(-(image @ candidates.T), axis=1)
    ranks = [list(order[i]).index(answer[i]) + 1 for i in range(23)]
    assert whole == pytest.approx(np.mean([1 / rank for rank in ranks]))


def test_levels_count_as_often_as_they_are_drawn():
    values = {"broad": 1.0, "standard": 0.0, "detailed": 0.0, "morphometric": 0.0}
    assert weighted_over_levels(values) == pytest.approx(0.1)
    assert weighted_over_levels(dict.fromkeys(LEVELS, 0.3)) == pytest.approx(0.3)


def test_validation_batches_hold_every_neuron_once(captions):
    words = ValidationWords(captions, batch_size=5, seed=0)
    neurons = np.concatenate([part.neuron for part in words.loss_batches])
    assert sorted(neurons) == list(range(12))
    for part in words.loss_batches:
        assert part.true_of.shape == (len(part.neuron), len(part.neuron))
        assert part.true_of.diagonal().all()


def test_bins_come_from_training_neurons_alone(tmp_path, monkeypatch):
    """What validation neurons measure must not decide who is called large."""
    from axonet.learning.clip_settings import ClipSettings
    from axonet.models.checkpoint import load_checkpoint

    from .clip_toy import toy_stage1

    data = toy_data(n_train=12, n_val=6)
    seen: list[str] = []
    fit_bins = NeuronTextGenerator.fit

    def spy(records, measures):
        records = list(records)
        seen.extend(record.swc for record in records)
        seen.extend(measured["neuron_id"] + ".swc" for measured in measures.values())
        return fit_bins(records, measures)

    monkeypatch.setattr(NeuronTextGenerator, "fit", spy)
    settings = ClipSettings(
        text_encoder="hash:32", freeze_encoder=True, max_steps=1, accelerator="cpu", clip_embed_dim=8
    )
    train_clip(settings, toy_stage1(), data, save_dir=tmp_path, log_dir=tmp_path / "logs")
    assert set(seen) == {record.swc for record in data.train.records}
    assert data.val is not None
    assert not set(seen) & {record.swc for record in data.val.records}
    expected = fit_bins(data.train.records, data.train.by_record).to_json()
    assert load_checkpoint(tmp_path / "best.ckpt")["captions"] == expected
    assert expected["bins"]
