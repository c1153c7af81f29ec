"""A Stage 2 head on numbers alone."""

from __future__ import annotations

import numpy as np
import torch

from axonet.learning.clip_captions import NeuronCaptions, TextVectors
from axonet.learning.clip_head import head_vectors, train_head
from axonet.learning.clip_neurons import Neurons
from axonet.learning.clip_settings import ClipSettings
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.record import NeuronRecord
from axonet.models.text import HashTextEncoder

TYPES = ("pyramidal", "Purkinje", "granule")


def made_up(n=90, noise=0.3):
    stream = np.random.default_rng(0)
    kind = np.arange(n) % len(TYPES)
    features = (np.eye(len(TYPES))[kind] + noise * stream.normal(size=(n, len(TYPES)))).astype(np.float32)
    records = tuple(
        NeuronRecord(f"n{i}", "test", f"n{i}.swc", cell_type=TYPES[k], label=f"{TYPES[k]} cell")
        for i, k in enumerate(kind)
    )
    ids = tuple(record.neuron_id for record in records)
    neurons = Neurons(ids, records, (None,) * n, (np.zeros(0, np.int64),) * n)
    return features, kind, NeuronCaptions(neurons, NeuronTextGenerator(), 0)


SETTINGS = ClipSettings(batch_size=32, clip_embed_dim=16, lr=1e-3)


def test_neurons_come_to_lie_by_the_words_that_are_said_of_them():
    features, kind, captions = made_up()
    text = TextVectors(HashTextEncoder(64))
    model = train_head(features[:60], NeuronCaptions(_first(captions, 60), captions.generator, 0), text, SETTINGS)
    vectors = head_vectors(model, features[60:])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    words = model.embed_text_vectors(torch.from_numpy(text([f"a {name} cell" for name in TYPES]))).detach().numpy()
    assert ((vectors @ words.T).argmax(axis=1) == kind[60:]).mean() > 0.8


def test_the_same_seed_gives_the_same_head_whatever_was_drawn_before():
    features, _, captions = made_up(30)
    text = TextVectors(HashTextEncoder(32))
    first = head_vectors(train_head(features, captions, text, SETTINGS), features)
    torch.rand(5)
    assert (head_vectors(train_head(features, captions, text, SETTINGS), features) == first).all()


def _first(captions, n):
    own = captions.neurons
    return Neurons(own.ids[:n], own.records[:n], own.measures[:n], own.rows[:n])
