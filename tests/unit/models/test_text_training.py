"""A text encoder that is trained, and that a checkpoint carries."""

import numpy as np
import pytest
import torch

from axonet.core.errors import UserError
from axonet.models.text import HashTextEncoder, SentenceTextEncoder, load_text_encoder, model_digest
from axonet.models.text_training import TrainableText, restore_text_encoder

TEXTS = ["a mouse neuron", "a rat Purkinje cell from the cerebellum"]


@pytest.fixture
def text() -> TrainableText:
    return TrainableText(load_text_encoder("minilm"))


def test_it_says_what_the_frozen_one_says_until_it_is_trained(text):
    expected = load_text_encoder("minilm").encode(TEXTS)
    text.eval()
    with torch.no_grad():
        np.testing.assert_allclose(text(TEXTS).numpy(), expected, atol=1e-5)


def test_every_weight_that_is_trained_has_a_gradient(text):
    text(TEXTS).sum().backward()
    trained = [parameter for parameter in text.parameters() if parameter.requires_grad]
    assert len(trained) > 50
    assert all(parameter.grad is not None for parameter in trained)


def test_what_a_checkpoint_carries_is_the_trained_encoder(text, tmp_path):
    with torch.no_grad():
        for parameter in text.parameters():
            parameter.add_(0.01)
    text.eval()
    torch.save(text.files(), tmp_path / "files.pt")
    again = restore_text_encoder("minilm", torch.load(tmp_path / "files.pt", weights_only=True))
    assert isinstance(again, SentenceTextEncoder)
    with torch.no_grad():
        np.testing.assert_allclose(again.encode(TEXTS), text(TEXTS).numpy(), atol=1e-5)
    assert again.digest == model_digest(text.model)
    assert again.digest != load_text_encoder("minilm").digest


def test_an_encoder_without_weights_cannot_be_trained():
    with pytest.raises(UserError, match="'hash:64' has no weights to train"):
        TrainableText(HashTextEncoder(64))


def test_a_checkpoint_cannot_write_elsewhere(text):
    with pytest.raises(UserError, match="outside"):
        restore_text_encoder("minilm", {"../evil": torch.zeros(1, dtype=torch.uint8)})
