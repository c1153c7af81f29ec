"""The projections and the temperature of Stage 2."""

from __future__ import annotations

import math

import pytest
import torch

from axonet.models.clip import MAX_LOG_SCALE, ClipModel


def test_both_sides_give_unit_vectors_of_the_asked_length() -> None:
    model = ClipModel(image_dim=9, text_dim=6, embed_dim=4, hidden=8)
    for vectors in (model.embed_pooled(torch.randn(5, 9)), model.embed_text_vectors(torch.randn(5, 6))):
        assert vectors.shape == (5, 4)
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(5))


def test_the_scale_starts_at_the_inverse_temperature() -> None:
    assert float(ClipModel(3, 3, temperature=0.07).scale) == pytest.approx(1 / 0.07)


@pytest.mark.parametrize(("log_scale", "kept"), [(-1.0, 0.0), (2.0, 2.0), (9.0, MAX_LOG_SCALE)])
def test_the_logarithm_of_the_scale_stays_between_0_and_ln_100(log_scale: float, kept: float) -> None:
    model = ClipModel(3, 3, learnable_temperature=True)
    with torch.no_grad():
        model.log_scale.fill_(log_scale)
    model.clamp_scale()
    assert float(model.log_scale.detach()) == pytest.approx(kept)
    assert math.log(100.0) == MAX_LOG_SCALE


def test_only_a_learnable_temperature_is_trained() -> None:
    assert not ClipModel(3, 3).log_scale.requires_grad
    assert ClipModel(3, 3, learnable_temperature=True).log_scale.requires_grad


def test_the_projection_does_not_care_about_the_units_of_a_feature() -> None:
    """Standardized on training vectors, a feature in nm and in um gives the same embedding."""
    torch.manual_seed(0)
    model = ClipModel(4, 3).eval()
    vectors = torch.randn(20, 4)
    factor = torch.tensor([1.0, 1000.0, 0.01, 1.0])
    model.image.standardize_on(vectors)
    expected = model.embed_pooled(vectors)
    model.image.standardize_on(vectors * factor)
    torch.testing.assert_close(model.embed_pooled(vectors * factor), expected, rtol=1e-4, atol=1e-5)


def test_a_constant_feature_does_not_explode() -> None:
    model = ClipModel(2, 3).eval()
    vectors = torch.tensor([[7.3, 1.0], [7.3, 2.0], [7.3, 4.0]])
    model.image.standardize_on(vectors)
    assert float(model.image.deviation[0]) == 1.0
    assert torch.isfinite(model.embed_pooled(vectors)).all()


def test_a_model_built_from_its_architecture_takes_its_state() -> None:
    torch.manual_seed(0)
    model = ClipModel(5, 4, embed_dim=8, hidden=6, temperature=0.1).eval()
    model.image.standardize_on(torch.randn(9, 5))
    copy = ClipModel(**model.architecture).eval()
    copy.load_state_dict(model.state_dict())
    pooled = torch.randn(3, 5)
    assert torch.equal(copy.embed_pooled(pooled), model.embed_pooled(pooled))
