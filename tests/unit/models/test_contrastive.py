"""Contrastive losses against slow, hand-written ones."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from axonet.models.losses.contrastive import LOSSES, entail, infonce, masked, siglip

N, D = 7, 5
SCALE = torch.tensor(6.0)
BIAS = torch.tensor(-3.0)


@pytest.fixture
def pairs() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    image = F.normalize(torch.randn(N, D, generator=generator), dim=1)
    text = F.normalize(torch.randn(N, D, generator=generator), dim=1)
    true_of = (torch.rand(N, N, generator=generator) < 0.3) | torch.eye(N, dtype=torch.bool)
    return image, text, true_of


def slow_softmax_loss(image: Tensor, text: Tensor, right: Tensor, counted: Tensor) -> float:
    """Mean over queries of the mean over right answers of -log of the share among counted answers."""
    n = len(image)
    logits = [[6.0 * sum(float(a) * float(b) for a, b in zip(i, t, strict=True)) for t in text] for i in image]
    total = 0.0
    for i in range(n):
        row = math.log(sum(math.exp(logits[i][j]) for j in range(n) if counted[i][j]))
        column = math.log(sum(math.exp(logits[j][i]) for j in range(n) if counted[j][i]))
        rights = [j for j in range(n) if right[i][j]]
        total += sum(row - logits[i][j] for j in rights) / len(rights) / 2
        rights = [j for j in range(n) if right[j][i]]
        total += sum(column - logits[j][i] for j in rights) / len(rights) / 2
    return total / n


def test_infonce_equals_the_slow_loss(pairs: tuple[Tensor, Tensor, Tensor]) -> None:
    image, text, true_of = pairs
    eye, all_pairs = torch.eye(N, dtype=torch.bool), torch.ones(N, N, dtype=torch.bool)
    assert float(infonce(image, text, true_of, SCALE, BIAS)) == pytest.approx(
        slow_softmax_loss(image, text, eye, all_pairs), rel=1e-5
    )


def test_masked_leaves_true_captions_out_of_the_negatives(pairs: tuple[Tensor, Tensor, Tensor]) -> None:
    image, text, true_of = pairs
    eye = torch.eye(N, dtype=torch.bool)
    assert float(masked(image, text, true_of, SCALE, BIAS)) == pytest.approx(
        slow_softmax_loss(image, text, eye, eye | ~true_of), rel=1e-5
    )


def test_entail_counts_true_captions_as_right(pairs: tuple[Tensor, Tensor, Tensor]) -> None:
    image, text, true_of = pairs
    all_pairs = torch.ones(N, N, dtype=torch.bool)
    assert float(entail(image, text, true_of, SCALE, BIAS)) == pytest.approx(
        slow_softmax_loss(image, text, true_of, all_pairs), rel=1e-5
    )


def test_siglip_asks_every_pair_yes_or_no(pairs: tuple[Tensor, Tensor, Tensor]) -> None:
    image, text, true_of = pairs
    total = 0.0
    for i in range(N):
        for j in range(N):
            sign = 1.0 if true_of[i, j] else -1.0
            total += math.log1p(math.exp(-sign * (6.0 * float(image[i] @ text[j]) - 3.0)))
    assert float(siglip(image, text, true_of, SCALE, BIAS)) == pytest.approx(total / N, rel=1e-5)


@pytest.mark.parametrize("name", ["entail", "masked"])
def test_with_only_own_captions_true_every_softmax_loss_is_infonce(
    name: str, pairs: tuple[Tensor, Tensor, Tensor]
) -> None:
    image, text, _ = pairs
    eye = torch.eye(N, dtype=torch.bool)
    plain = infonce(image, text, eye, SCALE, BIAS)
    torch.testing.assert_close(LOSSES[name](image, text, eye, SCALE, BIAS), plain)


def test_positives_that_share_one_caption_change_nothing_for_entail() -> None:
    """Identical captions give identical logits, so spreading the target over them is plain InfoNCE."""
    generator = torch.Generator().manual_seed(1)
    image = F.normalize(torch.randn(4, D, generator=generator), dim=1)
    text = F.normalize(torch.randn(1, D, generator=generator), dim=1).expand(4, D)
    everything = torch.ones(4, 4, dtype=torch.bool)
    torch.testing.assert_close(
        entail(image, text, everything, SCALE, BIAS), infonce(image, text, everything, SCALE, BIAS)
    )


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_the_order_of_a_batch_does_not_matter(name: str, pairs: tuple[Tensor, Tensor, Tensor]) -> None:
    image, text, true_of = pairs
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    torch.testing.assert_close(
        LOSSES[name](image[order], text[order], true_of[order][:, order], SCALE, BIAS),
        LOSSES[name](image, text, true_of, SCALE, BIAS),
    )


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_gradients_are_finite_though_everything_is_true(name: str) -> None:
    image = torch.eye(4).requires_grad_()
    loss = LOSSES[name](F.normalize(image, dim=1), torch.eye(4), torch.ones(4, 4, dtype=torch.bool), SCALE, BIAS)
    loss.backward()
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()
