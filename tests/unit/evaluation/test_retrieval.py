from __future__ import annotations

import numpy as np
import pytest

from axonet.core.seeds import rng
from axonet.evaluation.data import Embedding
from axonet.evaluation.retrieval import CaptionLevel, ask_level, headline, retrieval_rows
from axonet.evaluation.scoring import Sample
from axonet.metadata.captions import NeuronTextGenerator

from .synthetic import DIM, constant_vector, make_captions, make_data, pick, spoken_vector

NAMES = ("recall_at_1", "mean_reciprocal_rank")

ABOUT = {"split": "neuron", "model": "image", "compartments": None}


def all_rows(data, captions, weights=None):
    sample = Sample(np.arange(len(data.embedding.items_of(data.judged))), np.zeros(0, dtype=np.int64), 0, 1, weights)
    directions = [way for level in captions for way in ask_level(level, data.embedding, sample, 0)]
    return retrieval_rows(headline(directions) + directions, ABOUT)


def tiny(answer, vectors, neurons, pooling="mean", owner=None):
    """One level with given captions and neuron vectors."""
    answer = np.array(answer)
    n_texts = len(vectors)
    true = np.eye(n_texts, dtype=bool)[answer]
    level = CaptionLevel("standard", tuple("abc"[:n_texts]), np.array(vectors, dtype=float), answer, true)
    owner = np.arange(len(neurons)) if owner is None else np.array(owner)
    embedding = Embedding(np.array(neurons, dtype=float), owner, pooling)
    sample = Sample(np.arange(len(embedding.items)), np.zeros(0, dtype=np.int64), 0, 1, None)
    return retrieval_rows(ask_level(level, embedding, sample, 0), ABOUT)


@pytest.mark.parametrize("level", ["broad", "standard", "detailed", "morphometric"])
@pytest.mark.parametrize("pooling", ["mean", "max", "none"])
def test_a_perfect_embedding_scores_one_both_ways(level, pooling):
    data = make_data(vector_of=spoken_vector(NeuronTextGenerator(), level), pooling=pooling)
    rows = all_rows(data, make_captions(data))
    for name in NAMES:
        assert pick(rows, level=level, hit="equal", direction="neuron_to_text", metric=name)["value"] == 1
    back = pick(rows, level=level, hit="equal", direction="text_to_neuron", metric="mean_average_precision")
    assert back["value"] == 1
    assert back["p"] < 0.02


def test_shuffled_captions_fall_to_chance():
    spoken = spoken_vector(NeuronTextGenerator(), "standard")

    def vector(record, measures, stream):  # without ties, which would count against it
        return spoken(record, measures, stream) + 0.01 * stream.normal(size=DIM)

    data = make_data(n_judged=60, vector_of=vector)
    captions = make_captions(data)
    values = []
    for seed in range(40):
        order = np.concatenate([np.random.default_rng(seed).permutation(60), np.arange(60, len(data.neurons))])
        shuffled = [
            CaptionLevel(level.level, level.texts, level.vectors, level.answer[order], level.true, level.rows[order])
            for level in captions
            if level.level == "standard"
        ]
        row = pick(all_rows(data, shuffled), direction="text_to_neuron", hit="equal", metric="mean_average_precision")
        values.append((row["value"], row["chance"], row["p"]))
    value, chance, p = np.mean(values, axis=0)
    assert value == pytest.approx(chance, abs=0.02)
    assert 0.3 < p < 0.7, "p values of a true null are spread evenly"


def test_a_constant_embedding_reaches_at_most_the_constant_line():
    data = make_data(vector_of=constant_vector)
    rows = all_rows(data, make_captions(data))
    for row in (row for row in rows if row["direction"] == "neuron_to_text" and row["metric"].startswith("recall")):
        assert row["value"] <= row["majority"] + 1e-9


def test_a_constant_embedding_beside_the_commonest_caption_equals_the_frequency_line():
    rows = tiny([0, 0, 0, 1, 1, 2], [[1, 0], [0.9, 0.4], [0.5, 0.9]], [[1, 0]] * 6)
    for name in ("recall_at_1", "mean_reciprocal_rank", "median_rank"):
        row = pick(rows, hit="equal", direction="neuron_to_text", metric=name)
        assert row["value"] == row["majority"]
    assert pick(rows, hit="equal", direction="neuron_to_text", metric="recall_at_1")["value"] == 0.5


def test_neurons_that_share_a_caption_share_one_candidate():
    rows = tiny([0, 0, 0, 1], [[1, 0], [0, 1]], [[1, 0]] * 4)
    row = pick(rows, hit="equal", direction="neuron_to_text", metric="recall_at_1")
    assert (row["n"], row["candidates"], row["chance"]) == (4, 2, 0.5)


def test_a_model_that_cannot_tell_gets_the_worst_rank():
    rows = tiny([0, 1, 2], [[1, 0], [1, 0], [1, 0]], [[1, 0]] * 3)
    assert pick(rows, hit="equal", direction="neuron_to_text", metric="median_rank")["value"] == 3
    assert pick(rows, hit="equal", direction="text_to_neuron", metric="recall_at_1")["value"] == 0


def test_the_best_pose_finds_what_the_mean_misses():
    neurons = [[1, 0], [-0.8, 0.6], [0.6, 0.8], [0.6, 0.8]]
    texts, owner = [[1, 0], [0, 1]], [0, 0, 1, 1]
    found = {
        pooling: pick(
            tiny([0, 1], texts, neurons, pooling, owner), hit="equal", direction="text_to_neuron", metric="recall_at_1"
        )["value"]
        for pooling in ("mean", "max")
    }
    assert found == {"mean": 0.0, "max": 1.0}


def test_true_captions_are_hits_in_the_second_number():
    data = make_data(vector_of=spoken_vector(NeuronTextGenerator(), "broad"))
    captions = make_captions(data)
    rows = all_rows(data, captions)
    for level in ("standard", "detailed", "morphometric"):
        equal, true = (
            pick(rows, level=level, hit=hit, direction="neuron_to_text", metric="recall_at_1")["value"]
            for hit in ("equal", "true")
        )
        assert true >= equal


def test_the_headline_is_the_mean_of_broad_and_standard():
    data = make_data()
    weights = np.random.default_rng(0).integers(0, 3, size=(50, data.n_judged)).astype(float)
    rows = all_rows(data, make_captions(data), weights)
    for direction, metric in (("neuron_to_text", "recall_at_1"), ("text_to_neuron", "mean_average_precision")):
        wanted = {"hit": "equal", "direction": direction, "metric": metric}
        parts = [pick(rows, level=level, **wanted)["value"] for level in ("broad", "standard")]
        row = pick(rows, level="broad+standard", **wanted)
        assert row["value"] == pytest.approx(np.mean(parts), abs=1e-6)
        assert row["interval"][0] <= row["interval"][1]
        assert row["n"] == (data.n_judged if direction == "neuron_to_text" else sum(asked(rows, direction)))


def asked(rows, direction):
    """How many captions ask at the broad and at the standard level."""
    wanted = {"hit": "equal", "direction": direction, "metric": "recall_at_1"}
    return [pick(rows, level=level, **wanted)["n"] for level in ("broad", "standard")]


def test_intervals_from_captions_to_neurons_have_width():
    data = make_data(n_judged=40)
    weights = np.random.default_rng(0).integers(0, 3, size=(100, data.n_judged)).astype(float)
    rows = all_rows(data, make_captions(data), weights)
    low, high = pick(rows, level="standard", hit="equal", direction="text_to_neuron", metric="mean_average_precision")[
        "interval"
    ]
    assert high - low > 0.01


def test_intervals_of_random_vectors_hold_chance_even_when_groups_are_few():
    """Resamples of few groups have fewer captions and more right answers to each; that must not look like skill."""
    shares = []
    for first in range(8):

        def vector(record, measures, stream, first=first):
            return rng(first, record.id).normal(size=DIM)

        data = make_data(n_judged=30, n_train=0, vector_of=vector)
        group = np.arange(30) // 5
        drawn = np.random.default_rng(first).multinomial(6, np.full(6, 1 / 6), size=100)
        rows = all_rows(data, make_captions(data), drawn[:, group].astype(float))
        for name in ("mean_average_precision", "mean_reciprocal_rank"):
            row = pick(rows, level="morphometric", hit="equal", direction="text_to_neuron", metric=name)
            shares.append(row["interval"][0] <= row["chance"] <= row["interval"][1])
    assert np.mean(shares) > 0.6


def test_nothing_is_asked_of_neurons_without_captions():
    data = make_data()
    level = make_captions(data)[0]
    nobody = CaptionLevel(
        level.level, level.texts, level.vectors, np.full_like(level.answer, -1), level.true, level.rows
    )
    assert all_rows(data, [nobody]) == []
