"""SegVAE2D: from a silhouette to compartments and depth, through a bottleneck that has to describe the whole neuron."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from axonet.models.blocks import Down, GeneralizedMean, ResidualBlock, ScaleModulation, Up
from axonet.models.variational import GaussianHead, Posterior, draw

LATENT = "latent"
KNOWN_LOGIT = 20.0


def receptive_field(levels: int) -> int:
    """Side in pixels of what one bottleneck unit sees, for a number of halvings.

    The stem's two 3x3 convolutions see 5 pixels; level k adds a strided and two plain ones: ``2^k + 4 * 2^k``.
    """
    return 5 + sum(5 << level for level in range(1, levels + 1))


def auto_levels(height: int, width: int) -> int:
    """The smallest number of halvings with which every bottleneck unit, also in a corner, sees the whole image."""
    size = max(height, width)
    levels = 1
    # A corner unit is centered half a stride inside the border and must reach the opposite one.
    while receptive_field(levels) < 2 * size - 2**levels:
        levels += 1
    return levels


@dataclass(frozen=True, kw_only=True)
class SegVAEOutput:
    """What the network says about a batch.

    Attributes:
        vector: ``(b, v)`` the neuron vectors, see :meth:`SegVAE2D.encode`.
        posteriors: ``latent`` (the bottleneck) and, with variational skips, ``skip_0`` (full size) and on; the skips
            of the decoded images only.
        seg_logits: ``(d, c, h, w)`` of the ``d`` decoded images; class 0 is set by the silhouette, not predicted. None
            without a decoder.
        depth: ``(d, 1, h, w)`` in [0, 1]: fraction of the field of view, 0.5 = middle plane. None without a decoder.
    """

    vector: Tensor
    posteriors: dict[str, Posterior]
    seg_logits: Tensor | None = None
    depth: Tensor | None = None

    @property
    def classes(self) -> Tensor:
        """``(d, h, w)`` predicted class ids: background exactly where the silhouette has it."""
        assert self.seg_logits is not None
        background = self.seg_logits[:, 0] > 0
        return torch.where(background, 0, self.seg_logits[:, 1:].argmax(dim=1) + 1)


class Encoder(nn.Module):
    """Image to features per level and the bottleneck's posterior."""

    def __init__(self, in_channels: int, widths: list[int], latent_channels: int, *, zoom: bool, patch: int) -> None:
        super().__init__()
        self.zoom = zoom
        self.patch = patch
        self.stem = ResidualBlock(in_channels * patch * patch, widths[0])
        self.downs = nn.ModuleList([Down(a, b) for a, b in pairwise(widths)])
        self.scale = ScaleModulation(widths[-1], n_flags=int(zoom))
        self.latent = GaussianHead(widths[-1], latent_channels)

    def forward(self, x: Tensor, fov: Tensor) -> tuple[list[Tensor], Posterior]:
        """Encode ``(b, in, h, w)``, h and w multiples of ``patch * 2^levels``, and ``(b, 1)`` field of view.

        Returns:
            Features before each halving (full size first), and the bottleneck's posterior ``(b, latent, h', w')``.
        """
        features = []
        # A blank window is one that there is not; said once more, so that it need not be told from a dark picture.
        flags = [x[:, -1].flatten(1).any(dim=1, keepdim=True)] if self.zoom else []
        y: Tensor = self.stem(functional.pixel_unshuffle(x, self.patch))  # (b, base, h / patch, w / patch)
        for down in self.downs:
            features.append(y)
            y = down(y)  # half the size, up to twice the channels
        posterior: Posterior = self.latent(self.scale(y, fov, *flags))
        return features, posterior


class Decoder(nn.Module):
    """Latent map and skips to foreground logits and depth."""

    def __init__(
        self, widths: list[int], skip_widths: list[int], latent_channels: int, num_classes: int, patch: int
    ) -> None:
        super().__init__()
        self.patch = patch
        self.expand = ResidualBlock(latent_channels, widths[-1])
        pairs = zip(widths[:0:-1], skip_widths[::-1], widths[-2::-1], strict=True)
        self.ups = nn.ModuleList([Up(below, skip, above) for below, skip, above in pairs])
        self.heads = nn.Conv2d(widths[0], num_classes * patch * patch, 1)  # foreground classes and depth
        # Depth starts at the middle plane, which a silhouette rarely allows to beat by much.
        nn.init.zeros_(self.heads.weight[-patch * patch :])
        nn.init.zeros_(self.heads.bias[-patch * patch :])  # type: ignore[index]

    def forward(self, latent: Tensor, skips: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Decode ``(b, latent, h', w')`` to foreground logits ``(b, c - 1, h, w)`` and depth ``(b, 1, h, w)``."""
        y: Tensor = self.expand(latent)
        for up, skip in zip(self.ups, reversed(skips), strict=True):
            y = up(y, skip)
        heads = functional.pixel_shuffle(self.heads(y), self.patch)
        return heads[:, :-1], heads[:, -1:].sigmoid()


class SegVAE2D(nn.Module):
    """A U-Net with a variational bottleneck and, by default, thin variational skips.

    Args:
        levels: number of halvings; see :func:`auto_levels`.
        base_channels: width at full size; doubles with each level up to ``max_channels``.
        latent_channels: channels of the bottleneck's posterior.
        num_classes: mask classes, background included.
        skip_mode: ``variational`` skips are thin posteriors whose content costs KL, so that the shape has to pass
            through the bottleneck; ``deterministic`` ones are the plain features of a U-Net.
        max_channels: cap on the width.
        skip_channels: channels of a variational skip.
        skip_dropout: fraction of a variational skip's channels that is dropped while training.
        in_channels: channels of the input; the first is the silhouette.
        zoom: whether the last channel is the window around the soma, blank where there is none.
        decoder: whether there is one; without it the network only encodes.
        patch: side of the blocks of pixels that the network works on; level 0 has one feature per block.
        pool_levels: how many levels above the bottleneck are pooled into the neuron vector too.
    """

    def __init__(
        self,
        levels: int,
        base_channels: int = 64,
        latent_channels: int = 128,
        num_classes: int = 6,
        skip_mode: Literal["variational", "deterministic"] = "variational",
        max_channels: int = 256,
        skip_channels: int = 8,
        skip_dropout: float = 0.3,
        in_channels: int = 1,
        zoom: bool = False,
        decoder: bool = True,
        patch: int = 1,
        pool_levels: int = 0,
    ) -> None:
        super().__init__()
        self.architecture = {
            "levels": levels,
            "base_channels": base_channels,
            "latent_channels": latent_channels,
            "num_classes": num_classes,
            "skip_mode": skip_mode,
            "max_channels": max_channels,
            "skip_channels": skip_channels,
            "skip_dropout": skip_dropout,
            "in_channels": in_channels,
            "zoom": zoom,
            "decoder": decoder,
            "patch": patch,
            "pool_levels": pool_levels,
        }
        widths = [min(base_channels * 2**level, max(max_channels, base_channels)) for level in range(levels + 1)]
        variational = skip_mode == "variational"
        skip_widths = [skip_channels] * levels if variational else widths[:-1]
        self.stride = patch * 2**levels
        self.encoder = Encoder(in_channels, widths, latent_channels, zoom=zoom, patch=patch)
        thin = widths[:-1] if decoder and variational else []
        self.skip_heads = nn.ModuleList([GaussianHead(width, skip_channels) for width in thin])
        self.skip_dropout = nn.Dropout2d(skip_dropout)
        self.decoder = Decoder(widths, skip_widths, latent_channels, num_classes, patch) if decoder else None
        self.generalized_mean = GeneralizedMean()
        self.pool_levels = min(pool_levels, levels)
        self.vector_size = 2 * (latent_channels + sum(widths[levels - self.pool_levels : levels])) + 1

    def forward(self, x: Tensor, fov: Tensor | None = None, decode_every: int = 1) -> SegVAEOutput:
        """Encode, and recover compartments and depth; posteriors are sampled in training mode only.

        Args:
            x: ``(b, in, h, w)`` of any size, the silhouette first.
            fov: ``(b, 1)`` standardized ln(field of view in um); NaN (or None for all) where it is not known.
            decode_every: decode only every so many images, beginning with the first; the others are only encoded.
        """
        known = self._known(x, fov)
        features, latent = self.encoder(self._pad(x), known)
        posteriors = {LATENT: latent}
        vector = self._pooled(features, latent, known)
        if self.decoder is None:
            return SegVAEOutput(vector=vector, posteriors=posteriors)
        x = x[::decode_every]
        features = [y[::decode_every] for y in features]
        skips = features
        if self.skip_heads:
            posteriors |= {
                f"skip_{i}": head(y) for i, (head, y) in enumerate(zip(self.skip_heads, features, strict=True))
            }
            skips = [
                self.skip_dropout(draw(posteriors[f"skip_{i}"], sample=self.training)) for i in range(len(features))
            ]
        decoded = Posterior(latent.mean[::decode_every], latent.logvar[::decode_every])
        foreground, depth = self.decoder(draw(decoded, sample=self.training), skips)
        foreground, depth = self._crop(foreground, x), self._crop(depth, x)
        # The silhouette tells what is background; a logit learned for it would only compete with the others.
        background = KNOWN_LOGIT * (1 - 2 * x[:, :1].to(foreground.dtype))
        logits = torch.cat([background, foreground], dim=1)
        return SegVAEOutput(vector=vector, posteriors=posteriors, seg_logits=logits, depth=depth)

    def encode(self, x: Tensor, fov: Tensor | None = None) -> Tensor:
        """The neuron vector of each image, ``(b, vector_size)``: what everything downstream uses.

        Mean and generalized mean of the bottleneck's posterior mean, mean and maximum of the levels above, and the
        field of view; arguments as in :meth:`forward`. Nothing is sampled.
        """
        known = self._known(x, fov)
        features, latent = self.encoder(self._pad(x), known)
        return self._pooled(features, latent, known)

    def _pooled(self, features: list[Tensor], latent: Posterior, known: Tensor) -> Tensor:
        parts = [latent.mean.mean(dim=(2, 3)), self.generalized_mean(latent.mean)]
        for y in features[len(features) - self.pool_levels :]:
            parts += [y.mean(dim=(2, 3)), y.amax(dim=(2, 3))]
        pooled = torch.cat(parts, dim=1)
        return torch.cat([pooled, torch.nan_to_num(known).to(pooled.dtype)], dim=1)

    def _known(self, x: Tensor, fov: Tensor | None) -> Tensor:
        return x.new_full((x.shape[0], 1), torch.nan) if fov is None else fov.to(x.dtype)

    def _pad(self, x: Tensor) -> Tensor:
        """Surround the image with background up to a multiple of the stride."""
        top, left = self._offsets(x)
        bottom, right = -(x.shape[-2] + top) % self.stride, -(x.shape[-1] + left) % self.stride
        return functional.pad(x, (left, right, top, bottom)) if top or left or bottom or right else x

    def _crop(self, y: Tensor, x: Tensor) -> Tensor:
        top, left = self._offsets(x)
        return y[..., top : top + x.shape[-2], left : left + x.shape[-1]]

    def _offsets(self, x: Tensor) -> tuple[int, int]:
        return (-x.shape[-2] % self.stride) // 2, (-x.shape[-1] % self.stride) // 2
