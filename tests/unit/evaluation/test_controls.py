"""Controls that keep the figures honest: words that are true teach, shuffled ones do not."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from axonet.core.seeds import rng
from axonet.evaluation import run
from axonet.evaluation.captions import caption_levels
from axonet.evaluation.data import join_vectors
from axonet.evaluation.write import prompt_vectors
from axonet.learning.clip_captions import NeuronCaptions, TextVectors
from axonet.learning.clip_head import head_vectors, train_head
from axonet.learning.clip_neurons import Neurons
from axonet.learning.clip_settings import ClipSettings
from axonet.metadata.captions import NeuronTextGenerator
from axonet.models.text import HashTextEncoder

from .synthetic import class_vector, make_data, pick, settings

N_JUDGED, N_TRAIN = 80, 120


N_SHUFFLES = 5  # of one shuffle a class can fall together with another one's words by chance


def judged_after_training(shuffle: int | None = None):
    """Train the projections on vectors that tell the class, with true or shuffled captions, and judge other neurons."""
    data = make_data(N_JUDGED, N_TRAIN, class_vector)
    vectors = data.embedding.item_vectors.astype(np.float32)
    train = np.arange(N_JUDGED, N_JUDGED + N_TRAIN)
    said_of = train if shuffle is None else rng(shuffle, "shuffled captions").permutation(train)
    neurons = data.neurons
    described = Neurons(
        tuple(neurons.ids[i] for i in train),
        tuple(neurons.records[i] for i in said_of),
        tuple(neurons.measures[i] for i in said_of),
        (np.zeros(0, np.int64),) * N_TRAIN,
    )
    text, generator = TextVectors(HashTextEncoder(64)), NeuronTextGenerator()
    options = ClipSettings(batch_size=48, clip_embed_dim=32, lr=1e-3)
    model = train_head(vectors[train], NeuronCaptions(described, generator, 0), text, options)

    def embed(texts):
        with torch.inference_mode():
            return model.embed_text_vectors(torch.from_numpy(text(list(texts)))).numpy()

    embedding = join_vectors(neurons.ids, head_vectors(model, vectors), neurons.ids)
    learned = replace(data, embedding=embedding)
    captions = caption_levels(generator, neurons, np.arange(N_JUDGED), embed)
    plain = settings(baselines=False, bootstrap=200 if shuffle is None else 0)
    vectors_of = partial(class_words, embed)
    return {
        "retrieval": run._retrieval(learned, captions, plain),
        "zero_shot": run._zero_shot(learned, vectors_of, plain, [], None)[1],
    }


def class_words(embed, field, classes):
    return prompt_vectors(field.name, classes, embed)


@pytest.fixture(scope="module")
def honest():
    return judged_after_training()


def zero_shot(metrics):
    return pick(metrics["zero_shot"], task="zero_shot_cell_type", prompts="ensemble", metric="balanced_accuracy")


def mean_precision(metrics):
    wanted = {"level": "standard", "hit": "equal", "direction": "text_to_neuron", "metric": "mean_average_precision"}
    return pick(metrics["retrieval"], **wanted)


def test_true_captions_are_learned(honest):
    row = zero_shot(honest)
    assert row["interval"][0] > 2 * row["chance"]
    assert mean_precision(honest)["p"] < 0.02
    assert mean_precision(honest)["value"] > 3 * mean_precision(honest)["chance"]


def test_shuffled_captions_fall_to_chance(honest):
    nonsense = [judged_after_training(shuffle) for shuffle in range(N_SHUFFLES)]
    for row_of in (zero_shot, mean_precision):
        chance, value = row_of(honest)["chance"], np.mean([row_of(metrics)["value"] for metrics in nonsense])
        # What is left is how often a class meets its own words by chance, averaged over few shuffles.
        assert value < chance + 0.25 * (row_of(honest)["value"] - chance)
