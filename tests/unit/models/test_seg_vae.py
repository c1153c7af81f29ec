import numpy as np
import pytest
import torch
from torch import nn

from axonet.models.blocks import GeneralizedMean, ScaleModulation
from axonet.models.seg_vae import LATENT, SegVAE2D, auto_levels, receptive_field


def small_model(levels: int = 3, **more) -> SegVAE2D:
    torch.manual_seed(0)
    return SegVAE2D(levels, base_channels=4, latent_channels=6, **more).eval()


def silhouettes(n: int = 2, height: int = 32, width: int = 32) -> torch.Tensor:
    return (torch.rand(n, 1, height, width, generator=torch.Generator().manual_seed(1)) < 0.2).float()


def without_normalization(module: nn.Module) -> None:
    """Group normalization looks at the whole map, which would hide how far convolutions see."""
    for name, child in module.named_children():
        if isinstance(child, nn.GroupNorm):
            setattr(module, name, nn.Identity())
        else:
            without_normalization(child)


def pixels_seen_by_a_corner_unit(size: int, levels: int) -> torch.Tensor:
    model = SegVAE2D(levels, base_channels=2, latent_channels=2).double()
    without_normalization(model)
    for parameter in model.parameters():  # positive weights cannot cancel
        parameter.data = parameter.data.abs() + 0.01
    x = torch.ones(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    _, latent = model.encoder(x, torch.zeros(1, 1, dtype=torch.float64))
    latent.mean[0, :, 0, 0].sum().backward()
    return x.grad[0, 0] != 0


@pytest.mark.parametrize("size", [32, 48, 64])
def test_with_auto_levels_a_corner_unit_of_the_bottleneck_sees_every_pixel(size):
    levels = auto_levels(size, size)
    padded = -(-size // 2**levels) * 2**levels
    assert pixels_seen_by_a_corner_unit(padded, levels)[:size, :size].all()
    assert not pixels_seen_by_a_corner_unit(padded, levels - 1).all()


def test_the_receptive_field_of_the_formula_is_the_one_of_the_gradient():
    levels, size = 2, 128
    model = SegVAE2D(levels, base_channels=2, latent_channels=2).double()
    without_normalization(model)
    for parameter in model.parameters():
        parameter.data = parameter.data.abs() + 0.01
    x = torch.ones(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    _, latent = model.encoder(x, torch.zeros(1, 1, dtype=torch.float64))
    latent.mean[0, :, 16, 16].sum().backward()
    seen = (x.grad[0, 0] != 0).any(dim=0).sum().item()
    assert seen == receptive_field(levels)


def test_levels_grow_with_the_larger_side():
    assert [auto_levels(s, s) for s in (64, 128, 256, 512)] == [4, 5, 6, 7]
    assert auto_levels(64, 512) == auto_levels(512, 64) == 7


@pytest.mark.parametrize("skip_mode", ["variational", "deterministic"])
@pytest.mark.parametrize(("height", "width"), [(32, 32), (30, 45)])
def test_outputs_have_the_size_of_the_input(skip_mode, height, width):
    output = small_model(skip_mode=skip_mode)(silhouettes(2, height, width), torch.zeros(2, 1))
    assert output.seg_logits.shape == (2, 6, height, width)
    assert output.depth.shape == (2, 1, height, width)
    assert 0 <= output.depth.min() <= output.depth.max() <= 1


def test_only_variational_skips_have_posteriors():
    x = silhouettes()
    assert set(small_model()(x).posteriors) == {LATENT, "skip_0", "skip_1", "skip_2"}
    assert set(small_model(skip_mode="deterministic")(x).posteriors) == {LATENT}


@pytest.mark.parametrize("skip_mode", ["variational", "deterministic"])
def test_evaluation_repeats_itself_and_training_draws(skip_mode):
    model, x = small_model(skip_mode=skip_mode), silhouettes()
    first, second = model(x), model(x)
    assert torch.equal(first.seg_logits, second.seg_logits)
    assert torch.equal(first.depth, second.depth)
    model.train()
    assert not torch.equal(model(x).seg_logits, model(x).seg_logits)
    assert torch.equal(model.encode(x), model.encode(x))


def test_background_is_where_the_silhouette_has_it():
    x = silhouettes(3)
    classes = small_model()(x).classes
    assert torch.equal(classes > 0, x[:, 0] > 0)


def test_the_neuron_vector_is_mean_and_generalized_mean_of_the_posterior_mean_and_the_field_of_view():
    model, x, fov = small_model(), silhouettes(), torch.tensor([[0.5], [torch.nan]])
    with torch.no_grad():
        vector = model.encode(x, fov).numpy()
        mean = model(x, fov).posteriors[LATENT].mean.numpy()
    for i in range(2):
        for c in range(6):
            values = mean[i, c].ravel().astype(float)
            power = [max(v, 1e-4) ** 3.0 for v in values]
            assert vector[i, c] == pytest.approx(sum(values) / len(values), abs=1e-5)
            assert vector[i, 6 + c] == pytest.approx((sum(power) / len(power)) ** (1 / 3), rel=1e-4)
    assert vector[:, 12] == pytest.approx([0.5, 0.0])
    assert vector.shape == (2, model.vector_size)


def test_levels_above_the_bottleneck_join_the_vector_by_mean_and_maximum():
    alone, joined = small_model(), small_model(pool_levels=2)
    joined.load_state_dict(alone.state_dict())  # pooling has no parameters of its own
    x, fov = silhouettes(), torch.tensor([[0.5], [torch.nan]])
    with torch.no_grad():
        short, long = alone.encode(x, fov), joined.encode(x, fov)
        features, _ = alone.encoder(x, fov)
    assert long.shape[1] == joined.vector_size == alone.vector_size + 2 * (8 + 16)
    assert torch.equal(long[:, :12], short[:, :12])
    assert torch.equal(long[:, -1], short[:, -1])
    expected = [part for y in features[1:] for part in (y.mean(dim=(2, 3)), y.flatten(2).max(dim=2).values)]
    assert torch.allclose(long[:, 12:-1], torch.cat(expected, dim=1))


@pytest.mark.parametrize(("height", "width"), [(32, 32), (30, 45)])
def test_a_network_on_blocks_of_pixels_still_names_single_pixels(height, width):
    model, x = small_model(levels=2, patch=2), silhouettes(2, height, width)
    output = model(x, torch.zeros(2, 1))
    assert output.seg_logits.shape == (2, 6, height, width)
    assert output.depth.shape == (2, 1, height, width)
    assert torch.equal(output.depth, torch.full_like(output.depth, 0.5))  # starts at the middle plane
    assert torch.equal(output.classes > 0, x[:, 0] > 0)
    logits = output.seg_logits[:, 1:, : height // 2 * 2, : width // 2 * 2]
    assert (logits[..., ::2, ::2] != logits[..., 1::2, 1::2]).any()
    assert output.posteriors["skip_0"].mean.shape[2:] == (-(-height // 8) * 4, -(-width // 8) * 4)


def test_an_unknown_field_of_view_is_not_an_average_one():
    modulation = ScaleModulation(4)
    nn.init.normal_(modulation.modulate.weight)
    x = torch.ones(1, 4, 2, 2)
    known, unknown = modulation(x, torch.zeros(1, 1)), modulation(x, torch.full((1, 1), torch.nan))
    assert torch.isfinite(unknown).all()
    assert not torch.allclose(known, unknown)


def test_a_blank_window_around_the_soma_is_said_to_be_none():
    modulation = ScaleModulation(4, n_flags=1)
    nn.init.normal_(modulation.modulate.weight)
    x, fov = torch.ones(2, 4, 2, 2), torch.zeros(2, 1)
    there, absent = modulation(x, fov, torch.tensor([[True], [False]]))
    assert not torch.allclose(there, absent)
    model = small_model(in_channels=2, zoom=True)
    seen = []
    model.encoder.scale.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[2].tolist()))
    images = silhouettes(2).repeat(1, 2, 1, 1)
    images[1, 1] = 0
    model.encode(images)
    assert seen == [[[True], [False]]]


def test_the_silhouette_alone_decides_what_is_background_whatever_else_is_seen():
    model = small_model(in_channels=2, zoom=True)
    x = torch.cat([silhouettes(2), silhouettes(4)[2:]], dim=1)
    assert torch.equal(model(x).classes > 0, x[:, 0] > 0)
    assert model.encode(x).shape == (2, model.vector_size)
    other = x.clone()
    other[:, 1] = 0
    assert not torch.equal(model.encode(x), model.encode(other))


def test_modulation_starts_as_the_identity():
    x = torch.randn(2, 4, 3, 3)
    assert torch.equal(ScaleModulation(4)(x, torch.randn(2, 1)), x)


def test_the_generalized_mean_lies_between_mean_and_maximum():
    x = torch.rand(3, 5, 4, 4) + 0.1
    pooled = GeneralizedMean(3.0)(x)
    assert (pooled >= x.mean(dim=(2, 3))).all()
    assert (pooled <= x.amax(dim=(2, 3))).all()
    np.testing.assert_allclose(GeneralizedMean(1.0)(x).detach(), x.mean(dim=(2, 3)), rtol=1e-5)


def test_width_doubles_per_level_up_to_the_cap():
    model = SegVAE2D(4, base_channels=4, latent_channels=2, max_channels=16)
    assert [down.reduce.out_channels for down in model.encoder.downs] == [8, 16, 16, 16]


def test_the_vector_of_a_training_step_is_the_one_that_is_encoded():
    model, x, fov = small_model(), silhouettes(), torch.tensor([[0.5], [torch.nan]])
    assert torch.equal(model(x, fov).vector, model.encode(x, fov))
    model.train()  # nothing is sampled on its way
    torch.testing.assert_close(model(x, fov).vector, model.encode(x, fov))


@pytest.mark.parametrize("skip_mode", ["variational", "deterministic"])
def test_some_images_can_be_left_undecoded(skip_mode):
    model, x = small_model(skip_mode=skip_mode), silhouettes(5)
    whole, some = model(x), model(x, decode_every=2)
    torch.testing.assert_close(some.seg_logits, whole.seg_logits[::2])
    torch.testing.assert_close(some.depth, whole.depth[::2])
    torch.testing.assert_close(some.vector, whole.vector)
    torch.testing.assert_close(some.posteriors[LATENT].mean, whole.posteriors[LATENT].mean)
    for name, posterior in some.posteriors.items():
        if name != LATENT:
            torch.testing.assert_close(posterior.mean, whole.posteriors[name].mean[::2])


def test_a_network_without_decoder_only_encodes():
    model, x = small_model(in_channels=7, decoder=False), silhouettes(2).repeat(1, 7, 1, 1)
    output = model(x)
    assert output.seg_logits is None
    assert output.depth is None
    assert set(output.posteriors) == {LATENT}
    assert torch.equal(output.vector, model.encode(x))
    assert not [name for name, _ in model.named_parameters() if "skip" in name or "decoder" in name]


@pytest.mark.parametrize("more", [{}, {"in_channels": 2, "zoom": True}, {"in_channels": 7, "decoder": False}])
def test_every_parameter_of_a_step_has_a_gradient_and_the_pooling_gets_it_from_the_vector(more):
    model = small_model(**more).train()
    x = silhouettes().repeat(1, more.get("in_channels", 1), 1, 1)
    output = model(x, torch.zeros(2, 1))
    spread = sum(p.mean.square().sum() + p.logvar.square().sum() for p in output.posteriors.values())
    if output.seg_logits is not None:
        spread = spread + output.seg_logits[:, 1:].square().sum() + output.depth.sum()
    spread.backward(retain_graph=True)
    without = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert without == ["generalized_mean.exponent"]
    output.vector.square().sum().backward()
    assert model.generalized_mean.exponent.grad.abs() > 0
