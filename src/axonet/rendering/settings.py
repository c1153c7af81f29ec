"""What decides how a neuron's views look: the settings of every command that renders."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from axonet.core.config import Settings

MAX_SAMPLES_PER_SIDE = 16_384
"""Widest supersampled image; its depth buffer takes 1 GiB."""


class RenderSettings(Settings):
    """How views are chosen, framed and drawn. Lengths are in um, image sizes in pixels."""

    sampling: Literal["pca", "fibonacci", "random"] = Field(
        "pca",
        description="how look directions are chosen: pca (along the principal axes, near the widest view, and random), "
        "fibonacci (an even sphere) or random; leave pca unless you compare strategies",
    )
    canonical_views: int = Field(
        6,
        ge=0,
        le=26,
        description="views along the principal axes, six are +-PC1, +-PC2, +-PC3; fewer keep the widest, up to 26 add "
        "the diagonals",
    )
    biased_views: int = Field(
        12,
        ge=0,
        le=1000,
        description="views spread around +-PC3, where the projected area is largest; raise it when silhouettes alone "
        "must tell cells apart",
    )
    random_views: int = Field(
        6,
        ge=0,
        le=1000,
        description="views in uniformly random directions; raise it so that a model meets edge-on views too",
    )
    width: int = Field(
        512, ge=8, le=4096, description="image width in pixels; lower it (256) when memory or disk is short"
    )
    height: int = Field(
        512, ge=8, le=4096, description="image height in pixels; lower it (256) when memory or disk is short"
    )
    projection: Literal["ortho", "perspective"] = Field(
        "ortho",
        description="ortho (one um per pixel everywhere, so sizes can be read off) or perspective (near parts larger)",
    )
    supersample_factor: int = Field(
        4,
        ge=1,
        le=8,
        description="samples per pixel side; 2 takes two thirds of the time, 4 gives finer edges and mean depths",
    )
    adaptive_framing: bool = Field(
        False,
        description="frame each view as closely as it allows; off, all views of a neuron share one scale",
    )
    margin: float = Field(
        0.40,
        ge=0.0,
        le=10.0,
        description="padding as a fraction of the neuron's box (0.40: the frame is 1.4 times the box), never a crop; "
        "lower it to spend more pixels on the neuron",
    )
    min_qc: float = Field(
        0.7,
        ge=0.0,
        le=1.0,
        description="smallest fraction of the cable length that must lie inside the frame of a view; a neuron with a "
        "view below it is set aside with a reason",
    )
    backend: Literal["auto", "gl", "cpu"] = Field(
        "auto",
        description="what draws: cpu is the exact rasterizer and needs no graphics driver, gl is OpenGL without a "
        "window (extra 'gl'), auto takes gl where a graphics card draws it and cpu elsewhere",
    )
    device: int | None = Field(
        None,
        ge=0,
        description="which graphics device draws, counted from 0 with cards before software; the first that works by "
        "default; set it to share out several cards",
    )
    depth_bits: Literal[8, 16] = Field(
        8, description="bits of a stored depth image; 16 when depth differences below 1/254 of the range matter"
    )
    zoom_um: float | None = Field(
        None,
        gt=0.0,
        description="side in um of an extra silhouette around the soma per view (e.g. 160); helps to tell cells apart "
        "by their stems",
    )
    no_cache: bool = Field(
        False, description="accepted for compatibility: nothing is meshed, so there is no mesh cache to switch off"
    )
    seed: int = Field(0, ge=0, description="seed of the sampled look directions; another one gives other views")

    @field_validator("depth_bits", mode="before")
    @classmethod
    def _is_a_number(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.isdecimal() else value  # arguments are text

    @model_validator(mode="after")
    def _can_be_rendered(self) -> RenderSettings:
        if self.device is not None and self.backend == "cpu":
            raise ValueError("device chooses what OpenGL draws on, but backend is cpu; use --backend gl or auto")
        if self.n_views == 0:
            raise ValueError("no views asked for: canonical_views, biased_views and random_views are all 0")
        samples = max(self.width, self.height) * self.supersample_factor
        if samples > MAX_SAMPLES_PER_SIDE:
            raise ValueError(
                f"an image of {self.width} x {self.height} with supersample_factor {self.supersample_factor} needs "
                f"{samples} samples a side, more than {MAX_SAMPLES_PER_SIDE}; lower one of them"
            )
        return self

    @property
    def n_views(self) -> int:
        """Number of views of a neuron, the same for every sampling."""
        return self.canonical_views + self.biased_views + self.random_views

    @property
    def notices(self) -> tuple[str, ...]:
        """One line for each setting that is accepted but changes nothing; a command says them."""
        return ("--no-cache: there is no mesh cache to switch off",) if self.no_cache else ()
