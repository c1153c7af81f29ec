"""Every loss against a slow one with loops."""

import math

import numpy as np
import pytest
import torch

from axonet.models.losses.depth import depth_loss, sign_free_error
from axonet.models.losses.kl import drift_loss, kl_loss
from axonet.models.losses.segmentation import classification_loss, dice_loss
from axonet.models.variational import LOGVAR_LIMIT, GaussianHead, Posterior, draw, kl_between, kl_per_channel


@pytest.fixture
def case():
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 4, 3, 5, generator=generator, dtype=torch.float64)
    target = torch.randint(0, 3, (2, 3, 5), generator=generator)  # class 3 is absent
    return logits, target


def probabilities(logits: torch.Tensor) -> np.ndarray:
    values = np.exp(logits.numpy())
    return values / values.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("kind", "gamma"), [("ce", 0.0), ("focal", 2.0)])
def test_pixel_loss_is_the_mean_over_each_image_s_foreground_pixels(case, kind, gamma):
    logits, target = case
    p = probabilities(logits)
    losses = [[], []]
    for i, row, col in np.ndindex(*target.shape):
        true = int(target[i, row, col])
        if true > 0:
            p_true = p[i, true, row, col]
            losses[i].append((1 - p_true) ** gamma * -math.log(p_true))
    assert len(losses[0]) != len(losses[1])
    expected = np.mean([np.mean(of_image) for of_image in losses])
    assert classification_loss(logits, target, kind).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", [classification_loss, dice_loss])
def test_the_loss_of_a_batch_is_the_mean_of_its_images_empty_ones_aside(case, loss):
    logits, target = case
    target[1] = torch.tensor([1, 0, 0, 2, 0])  # as many classes as the other image, but fewer pixels
    single = [loss(logits[i : i + 1], target[i : i + 1]).item() for i in range(2)]
    assert loss(logits, target).item() == pytest.approx(np.mean(single), rel=1e-6)
    target[1] = 0
    assert loss(logits, target).item() == pytest.approx(single[0], rel=1e-6)


def test_background_pixels_have_no_say(case):
    logits, target = case
    changed = torch.where(target[:, None] == 0, logits + 5 * torch.randn_like(logits), logits)
    assert classification_loss(changed, target) == classification_loss(logits, target)
    torch.testing.assert_close(dice_loss(changed, target), dice_loss(logits, target))


def test_dice_is_averaged_over_the_classes_present_in_each_image(case):
    logits, target = case
    p, truth = probabilities(logits), target.numpy()
    target[1][target[1] == 2] = 1  # one class fewer than the other image
    losses = [[], []]
    for i in range(2):
        for k in (1, 2, 3):
            if not (truth[i] == k).any():
                continue
            overlap = total = 0.0
            for row, col in np.ndindex(3, 5):
                if truth[i, row, col] > 0:
                    overlap += p[i, k, row, col] * (truth[i, row, col] == k)
                    total += p[i, k, row, col] + (truth[i, row, col] == k)
            losses[i].append(1 - (2 * overlap + 1e-5) / (total + 1e-5))
    assert len(losses[0]) != len(losses[1])
    expected = np.mean([np.mean(of_image) for of_image in losses])
    assert dice_loss(logits, target).item() == pytest.approx(expected, rel=1e-5)


def test_a_perfect_segmentation_costs_nothing(case):
    _, target = case
    logits = 50.0 * torch.nn.functional.one_hot(target, 4).movedim(-1, 1).float()
    assert dice_loss(logits, target).item() == pytest.approx(0, abs=1e-5)
    assert classification_loss(logits, target).item() == pytest.approx(0, abs=1e-5)


def test_an_empty_image_has_zero_loss_and_zero_gradient():
    logits = torch.randn(1, 4, 3, 3, requires_grad=True)
    target = torch.zeros(1, 3, 3, dtype=torch.long)
    loss = classification_loss(logits, target) + dice_loss(logits, target)
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_depth_error_takes_the_nearer_of_the_two_mirror_images():
    generator = torch.Generator().manual_seed(5)
    predicted, target = torch.rand(3, 1, 4, 4, generator=generator), torch.rand(3, 1, 4, 4, generator=generator)
    foreground = torch.rand(3, 1, 4, 4, generator=generator) < 0.5
    for i, error in enumerate(sign_free_error(predicted, target, foreground).tolist()):
        shown = foreground[i]
        pairs = list(zip(predicted[i][shown].tolist(), target[i][shown].tolist(), strict=True))
        as_seen = sum(abs(p - t) for p, t in pairs) / len(pairs)
        mirrored = sum(abs(p - (1 - t)) for p, t in pairs) / len(pairs)
        assert error == pytest.approx(min(as_seen, mirrored), rel=1e-5)


def test_a_neuron_and_its_mirror_image_through_the_image_plane_cost_the_same():
    predicted, target = torch.rand(2, 1, 4, 4), torch.rand(2, 1, 4, 4)
    foreground = torch.ones(2, 1, 4, 4, dtype=torch.bool)
    torch.testing.assert_close(depth_loss(predicted, target, foreground), depth_loss(predicted, 1 - target, foreground))


def test_images_without_known_depth_do_not_dilute_the_depth_loss():
    predicted, target = torch.rand(2, 1, 4, 4), torch.rand(2, 1, 4, 4)
    foreground = torch.ones(2, 1, 4, 4, dtype=torch.bool)
    foreground[1] = False
    torch.testing.assert_close(
        depth_loss(predicted, target, foreground), depth_loss(predicted[:1], target[:1], foreground[:1])
    )


@pytest.fixture
def posteriors():
    generator = torch.Generator().manual_seed(7)

    def posterior(channels: int, size: int) -> Posterior:
        shape = (2, channels, size, size)
        return Posterior(0.3 * torch.randn(shape, generator=generator), 0.3 * torch.randn(shape, generator=generator))

    return {"latent": posterior(3, 2), "skip_0": posterior(2, 4)}


def slow_kl(posterior: Posterior, image: int, channel: int) -> float:
    total = 0.0
    mean, logvar = posterior.mean[image, channel].ravel(), posterior.logvar[image, channel].ravel()
    for m, v in zip(mean.tolist(), logvar.tolist(), strict=True):
        total += 0.5 * (m * m + math.exp(v) - 1 - v)
    return total


def test_kl_is_that_of_the_distributions_in_torch(posteriors):
    posterior = posteriors["latent"]
    normal = torch.distributions.Normal(posterior.mean, (0.5 * posterior.logvar).exp())
    prior = torch.distributions.Normal(torch.zeros_like(posterior.mean), torch.ones_like(posterior.mean))
    expected = torch.distributions.kl_divergence(normal, prior).sum(dim=(2, 3))
    torch.testing.assert_close(kl_per_channel(posterior), expected)


def test_kl_between_posteriors_is_that_of_the_distributions_in_torch(posteriors):
    one = posteriors["latent"]
    other = Posterior(one.mean.flip(0) + 0.3, one.logvar.flip(1) - 0.2)
    p, q = (torch.distributions.Normal(own.mean, (0.5 * own.logvar).exp()) for own in (one, other))
    expected = torch.distributions.kl_divergence(p, q).sum(dim=(2, 3))
    torch.testing.assert_close(kl_between(one, other), expected)
    assert drift_loss(one, other, 64).item() == pytest.approx(expected.sum(dim=1).mean().item() / 64, rel=1e-5)
    assert not kl_between(one, one).any()


@pytest.mark.parametrize("free_nats", [0.0, 0.3])
def test_kl_is_summed_over_dimensions_with_free_nats_per_channel_and_divided_by_pixels(posteriors, free_nats):
    n_pixels, charged, levels = 64, 0.0, {}
    for name, posterior in posteriors.items():
        per_channel = [np.mean([slow_kl(posterior, i, c) for i in range(2)]) for c in range(posterior.mean.shape[1])]
        charged += sum(max(kl, free_nats) for kl in per_channel) / n_pixels
        levels[name] = sum(per_channel) / n_pixels
    loss, by_level = kl_loss(posteriors, n_pixels, free_nats)
    assert loss.item() == pytest.approx(charged, rel=1e-5)
    assert {name: value.item() for name, value in by_level.items()} == pytest.approx(levels, rel=1e-5)


def test_a_channel_below_the_free_nats_does_not_silence_the_others():
    mean = torch.zeros(2, 2, 2, 2, requires_grad=True)
    with torch.no_grad():
        mean[:, 0], mean[:, 1] = 0.01, 2.0
    loss, _ = kl_loss({"latent": Posterior(mean, torch.zeros_like(mean))}, 16, free_nats=1.0)
    loss.backward()
    assert not mean.grad[:, 0].any()
    assert mean.grad[:, 1].all()


def test_the_log_variance_is_clamped():
    head = GaussianHead(1, 1)
    torch.nn.init.constant_(head.project.weight, 1e6)
    high, low = head(torch.ones(1, 1, 1, 1)).logvar, head(-torch.ones(1, 1, 1, 1)).logvar
    assert (high.item(), low.item()) == (LOGVAR_LIMIT, -LOGVAR_LIMIT)


def test_samples_have_the_posterior_s_mean_and_deviation():
    torch.manual_seed(0)
    posterior = Posterior(torch.full((1, 1, 300, 300), 2.0), torch.full((1, 1, 300, 300), math.log(0.25)))
    sample = draw(posterior, sample=True)
    assert sample.mean().item() == pytest.approx(2.0, abs=0.01)
    assert sample.std().item() == pytest.approx(0.5, abs=0.01)
    assert torch.equal(draw(posterior, sample=False), posterior.mean)
