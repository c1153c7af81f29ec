"""Building stones of the networks: residual convolutions, resampling, modulation by a scalar, pooling."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


def group_norm(channels: int) -> nn.GroupNorm:
    """Group normalization with up to eight groups; unlike batch normalization it is the same for every batch size."""
    return nn.GroupNorm(math.gcd(8, channels), channels)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut: ``(b, in, h, w)`` -> ``(b, out, h, w)``."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.first_norm = group_norm(out_channels)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.second_norm = group_norm(out_channels)
        same = in_channels == out_channels
        self.shortcut: nn.Module = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to ``(b, in, h, w)``."""
        y = functional.silu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        return functional.silu(y + self.shortcut(x))


class Down(nn.Module):
    """Halve the resolution: ``(b, in, h, w)`` -> ``(b, out, h / 2, w / 2)``."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1)
        self.block = ResidualBlock(out_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Apply to a map with even height and width."""
        y: Tensor = self.block(self.reduce(x))
        return y


class Up(nn.Module):
    """Double the resolution and join a skip: ``(b, in, h, w)``, ``(b, skip, 2 h, 2 w)`` -> ``(b, out, 2 h, 2 w)``."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        # Narrowing before the enlargement costs a quarter of narrowing after it.
        self.narrow = nn.Conv2d(in_channels, out_channels, 1)
        self.block = ResidualBlock(out_channels + skip_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Enlarge ``x`` to the size of ``skip`` and merge the two."""
        x = functional.interpolate(self.narrow(x), scale_factor=2.0, mode="nearest")
        y: Tensor = self.block(torch.cat([x, skip], dim=1))
        return y


class ScaleModulation(nn.Module):
    """Tell a feature map how large the imaged field is (feature-wise linear modulation, Perez et al. 2018).

    It starts as the identity. An unknown field of view is a value of its own, not an average one. Yes-or-no facts
    about the image come in the same way.

    Args:
        channels: of the map.
        n_flags: how many facts there are.
        hidden: width of the hidden layer.
    """

    def __init__(self, channels: int, n_flags: int = 0, hidden: int = 32) -> None:
        super().__init__()
        self.embed = nn.Linear(2 + n_flags, hidden)
        self.modulate = nn.Linear(hidden, 2 * channels)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: Tensor, fov: Tensor, *flags: Tensor) -> Tensor:
        """Modulate ``x``.

        Args:
            x: ``(b, c, h, w)``.
            fov: ``(b, 1)`` standardized ln(field of view); NaN where it is not known.
            flags: ``(b, 1)`` bool each.

        Returns:
            ``(b, c, h, w)``.
        """
        known = torch.isfinite(fov)
        facts = [flag.to(fov.dtype) for flag in (known, *flags)]
        features = torch.cat([torch.where(known, fov, 0.0), *facts], dim=1)  # (b, 2 + flags)
        scale, shift = self.modulate(functional.silu(self.embed(features)))[:, :, None, None].chunk(2, dim=1)
        modulated: Tensor = x * (1 + scale) + shift
        return modulated


class GeneralizedMean(nn.Module):
    """Pool a map with a learnable exponent between the mean (p = 1) and the maximum (Radenovic et al. 2018)."""

    def __init__(self, exponent: float = 3.0, floor: float = 1e-4) -> None:
        super().__init__()
        self.exponent = nn.Parameter(torch.tensor(exponent))
        self.floor = floor

    def forward(self, x: Tensor) -> Tensor:
        """Pool ``(b, c, h, w)`` to ``(b, c)``; negative values count as (almost) zero."""
        exponent = self.exponent.clamp(1.0, 10.0)
        # Powers of small numbers leave the range of half precision.
        powered: Tensor = x.float().clamp(min=self.floor).pow(exponent)
        pooled: Tensor = torch.pow(powered.mean(dim=(2, 3)), exponent.reciprocal())
        return pooled.to(x.dtype)
