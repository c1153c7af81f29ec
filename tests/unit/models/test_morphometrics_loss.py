"""The loss of predicted measurements, against a slow one with loops."""

import math

import pytest
import torch

from axonet.models.losses.morphometrics import morphometrics_loss


def slow_loss(predicted: list[list[float]], target: list[list[float]]) -> float:
    images = []
    for guesses, truths in zip(predicted, target, strict=True):
        distances = [abs(p - t) for p, t in zip(guesses, truths, strict=True) if not math.isnan(t)]
        if distances:
            images.append(sum(0.5 * d * d if d < 1 else d - 0.5 for d in distances) / len(distances))
    return sum(images) / len(images) if images else 0.0


def test_it_is_a_mean_over_what_is_known_of_each_image():
    generator = torch.Generator().manual_seed(0)
    predicted, target = (2 * torch.randn(5, 4, generator=generator) for _ in range(2))
    target[0, 1] = target[3, 0] = torch.nan
    target[2] = torch.nan  # nothing is known of this one
    expected = slow_loss(predicted.tolist(), target.tolist())
    assert morphometrics_loss(predicted, target).item() == pytest.approx(expected, rel=1e-5)


def test_what_is_not_known_pulls_nowhere():
    predicted = torch.randn(2, 3, requires_grad=True)
    target = torch.tensor([[0.0, torch.nan, 1.0], [torch.nan] * 3])
    morphometrics_loss(predicted, target).backward()
    assert torch.isfinite(predicted.grad).all()
    assert (predicted.grad != 0).tolist() == [[True, False, True], [False] * 3]


def test_nothing_known_at_all_costs_nothing():
    predicted = torch.randn(2, 3, requires_grad=True)
    loss = morphometrics_loss(predicted, torch.full((2, 3), torch.nan))
    loss.backward()
    assert loss.item() == 0
    assert not predicted.grad.any()
