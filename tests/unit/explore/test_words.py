"""Word vectors: the formula, what is measured, and when there are none."""

from __future__ import annotations

import itertools
import math

import numpy as np

from axonet.explore.words import fit_word_vectors, read_word_vectors, words_of, write_word_vectors

ADJECTIVES = ("large", "small", "planar", "spiny", "sparse", "bitufted")
PLACES = ("cortex", "cerebellum", "striatum", "retina", "thalamus", "olfactory bulb")
KINDS = ("pyramidal", "granule", "basket", "Purkinje", "stellate")
TEXTS = [f"a {a} {k} neuron of the {p}" for a, p, k in itertools.product(ADJECTIVES, PLACES, KINDS)]


def bag_encoder(dim: int = 24):
    """An encoder that sums a random vector per word: exactly what a table of word vectors can express."""

    def embed(texts):
        rows = []
        for text in texts:
            words = [np.random.default_rng(list(word.encode())).normal(size=dim) for word in words_of(text)]
            rows.append(np.sum(words, axis=0))
        found = np.array(rows)
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

    return embed


def order_encoder(texts):
    """An encoder to which only the exact text matters."""
    rows = np.array([np.random.default_rng(list(text.encode())).normal(size=24) for text in texts])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def neurons(n: int = 400) -> np.ndarray:
    vectors = np.random.default_rng(9).normal(size=(n, 24))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_what_words_can_express_is_found_again():
    table = fit_word_vectors(TEXTS, bag_encoder(), neurons(), 0)
    assert not isinstance(table, str)
    assert table.fidelity > 0.85
    assert (table.n_best, 20 < table.n_texts < 60) == (20, True)


def test_what_words_cannot_express_is_left_out_and_said():
    found = fit_word_vectors(TEXTS, order_encoder, neurons(), 0)
    assert isinstance(found, str)
    assert "of the encoder's best 20" in found
    assert "only 5" in fit_word_vectors(TEXTS[:5], bag_encoder(), neurons(), 0)


def test_a_text_is_the_bias_and_its_known_words_over_the_root_of_their_number(tmp_path):
    table = fit_word_vectors(TEXTS, bag_encoder(), neurons(), 0)
    write_word_vectors(tmp_path / "w.npz", table, 24)
    back = read_word_vectors(tmp_path / "w.npz")
    rows = [back.words.index(word) for word in ("large", "purkinje")]
    by_hand = back.bias + sum(back.codes[k] * back.scale[k] for k in rows) / math.sqrt(2)
    found = back.embed(["LARGE large zebra Purkinje"])[0]
    assert np.allclose(found, by_hand / np.linalg.norm(by_hand), atol=1e-5)
    assert np.allclose(back.embed(["zebra"])[0], back.bias / np.linalg.norm(back.bias), atol=1e-5)


def test_an_empty_table_is_none(tmp_path):
    write_word_vectors(tmp_path / "w.npz", None, 24)
    assert read_word_vectors(tmp_path / "w.npz") is None
