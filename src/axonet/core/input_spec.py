"""What an image must look like to be shown to a model: written by the dataset, carried by every checkpoint."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from axonet.core.config import Settings


class MorphometricInput(Settings):
    """A morphometric as a model takes it: standardized on the training neurons."""

    name: str = Field(description="its name in the table of measurements")
    log: bool = Field(description="whether the logarithm of 1 + value is taken")
    mean: float = Field(description="over training neurons, after the logarithm")
    deviation: float = Field(gt=0, description="over training neurons, after the logarithm; 1 for a constant")


class InputSpec(Settings):
    """How views were rendered, and how a trainer turned them into inputs.

    The dataset writes the first part; training completes the second; inference applies both and refuses data that
    was made otherwise.
    """

    width: int = Field(512, description="rendered image width in pixels")
    height: int = Field(512, description="rendered image height in pixels")
    supersample_factor: int = Field(4, description="samples per pixel side")
    margin: float = Field(0.40, description="padding as a fraction of the neuron's extent")
    adaptive_framing: bool = Field(False, description="whether each view has its own scale")
    projection: str = Field("ortho", description="camera projection")
    sampling: str = Field("pca", description="how view directions were chosen")
    canonical_views: int = Field(6, description="views along the principal axes")
    biased_views: int = Field(12, description="views near the third principal axis")
    random_views: int = Field(6, description="uniformly random views")
    view_seed: int = Field(0, description="seed of the views' random streams")
    zoom_um: float | None = Field(None, description="side of the soma window in um, if rendered")

    inputs: Literal["silhouette", "shape"] = Field(
        "silhouette", description="what the encoder sees: silhouettes, or compartments and depth as well"
    )
    merge_dendrites: bool = Field(
        False, description="whether basal and apical dendrites are shown as one; a way of looking, not of training"
    )
    zoom: bool = Field(False, description="whether the encoder also sees the window around the soma")
    image_size: tuple[int, int] | None = Field(None, description="(height, width) after resizing; none: as rendered")
    log_fov_mean: float | None = Field(None, description="mean of ln(field of view in um) over training views")
    log_fov_std: float | None = Field(None, description="deviation of ln(field of view in um) over training views")
    fov_um_range: tuple[float, float] | None = Field(
        None, description="smallest and largest field of view in um among training views"
    )
    morphometrics: tuple[MorphometricInput, ...] = Field(
        (), description="measurements that Stage 2 may join to the picture; none: it sees pictures alone"
    )

    def difference(self, other: InputSpec) -> list[str]:
        """What keeps images made for ``other`` from being inputs of this: one phrase per differing field.

        View counts, sampling and seeds choose which views there are, not what an image is, so they may differ; so may
        the window around the soma when the encoder does not see it.
        """
        pixels = ["width", "height", "supersample_factor", "margin", "adaptive_framing", "projection"]
        if self.zoom:
            pixels.append("zoom_um")
        return [
            f"{name} {getattr(other, name)} instead of {getattr(self, name)}"
            for name in pixels
            if getattr(self, name) != getattr(other, name)
        ]

    @property
    def n_channels(self) -> int:
        """Channels of what the encoder sees."""
        return (7 if self.inputs == "shape" else 1) + int(self.zoom)

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) in pixels of what the encoder sees."""
        return self.image_size if self.image_size is not None else (self.height, self.width)
