"""Contrast between views, against a slow one with loops."""

import math

import pytest
import torch
from torch.nn import functional

from axonet.models.losses.nt_xent import nt_xent


def slow_nt_xent(vectors: list[list[float]], neuron: list[int], temperature: float) -> float:
    def similarity(i: int, j: int) -> float:
        return sum(a * b for a, b in zip(vectors[i], vectors[j], strict=True)) / temperature

    asked = []
    for i in range(len(vectors)):
        others = [j for j in range(len(vectors)) if j != i]
        same = [j for j in others if neuron[j] == neuron[i]]
        if not same:
            continue
        total = sum(math.exp(similarity(i, j)) for j in others)
        asked.append(sum(-math.log(math.exp(similarity(i, j)) / total) for j in same) / len(same))
    return sum(asked) / len(asked) if asked else 0.0


def unit_vectors(n: int, seed: int = 0) -> torch.Tensor:
    return functional.normalize(torch.randn(n, 5, generator=torch.Generator().manual_seed(seed)), dim=1)


@pytest.mark.parametrize("neuron", [[0, 0, 1, 1, 2, 2], [3, 1, 3, 1, 3, 7], [0, 0, 0, 0, 0, 1], [0, 1, 2, 3, 4, 5]])
@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_it_is_the_cross_entropy_over_the_other_views(neuron, temperature):
    vectors = unit_vectors(6)
    expected = slow_nt_xent(vectors.tolist(), neuron, temperature)
    assert nt_xent(vectors, torch.tensor(neuron), temperature).item() == pytest.approx(expected, rel=1e-4)


def test_with_pairs_it_is_the_loss_of_simclr():
    vectors = unit_vectors(8)
    logits = (vectors @ vectors.T / 0.1).fill_diagonal_(-torch.inf)
    partner = torch.arange(8) ^ 1
    expected = functional.cross_entropy(logits, partner)
    torch.testing.assert_close(nt_xent(vectors, torch.arange(8) // 2, 0.1), expected)


def test_the_order_of_the_views_does_not_matter():
    vectors, neuron = unit_vectors(6), torch.tensor([0, 0, 1, 1, 2, 2])
    order = torch.tensor([4, 1, 3, 0, 5, 2])
    torch.testing.assert_close(nt_xent(vectors[order], neuron[order]), nt_xent(vectors, neuron))


@pytest.mark.parametrize("neuron", [[0, 1, 2], [0, 0]])
def test_nothing_to_compare_costs_nothing_and_pulls_nowhere(neuron):
    vectors = unit_vectors(len(neuron)).requires_grad_()
    loss = nt_xent(vectors, torch.tensor(neuron))
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert torch.allclose(vectors.grad, torch.zeros_like(vectors), atol=1e-6)


def test_a_single_view_costs_nothing():
    vectors = unit_vectors(1).requires_grad_()
    loss = nt_xent(vectors, torch.tensor([0]))
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(vectors.grad).all()
