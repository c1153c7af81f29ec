"""Draw all views of one neuron on a page: ``axonet render cell.swc -o views.png``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field
from pydantic.config import JsonDict
from pydantic_settings import CliPositionalArg

from axonet.core.config import CommandSettings, run_command, setting_values
from axonet.rendering.settings import RenderSettings

if TYPE_CHECKING:
    from axonet.morphology.neuron import Neuron

IO: JsonDict = {"io": True}


class RenderConfig(RenderSettings, CommandSettings):
    """Draw all views of a neuron on one page: compartments in color, look directions, scale bars.

    The views are those that a model is shown: the same settings as of axonet.training.dataset_generator.
    """

    swc: CliPositionalArg[Path] = Field(description="the SWC file", json_schema_extra=IO)
    out: Path = Field(
        Path("views.png"), description="image to write, PNG", json_schema_extra={"io": True, "short": "o"}
    )

    @property
    def notices(self) -> tuple[str, ...]:
        """One line for each setting that is accepted but changes nothing."""
        plain = RenderSettings.model_fields["depth_bits"].default
        depth = ("--depth-bits: a page of views stores no depth",) if self.depth_bits != plain else ()
        return (*super().notices, *depth)


def describe(neuron: Neuron, config: RenderSettings) -> list[str]:
    """What the page says about the neuron and its views."""
    lengths = neuron.morphometrics()
    facts = [f"{neuron.n_nodes:,} nodes", f"{lengths['cable_length']:,.0f} µm of cable"]
    projection = "orthographic" if config.projection == "ortho" else "perspective"
    facts += [f"{config.n_views} views of {config.width} × {config.height} px", projection]
    if config.zoom_um is not None:
        facts.append(f"insets: {config.zoom_um:g} µm around the soma")
    return facts


def run(config: RenderConfig) -> None:
    """Read, render, draw, write."""
    from PIL import Image

    from axonet.core.errors import UserError
    from axonet.core.files import atomic_path
    from axonet.core.progress import say, warn
    from axonet.morphology.swc import read_swc
    from axonet.rendering import render_neuron
    from axonet.rendering.contact_sheet import contact_sheet
    from axonet.rendering.geometry import build_geometry

    if config.out.suffix.lower() != ".png":
        raise UserError(f"--out {config.out}: a PNG file is written; give it a name that ends in .png")
    for notice in config.notices:
        say(notice)
    neuron = read_swc(config.swc)
    for code in neuron.warnings:
        warn(f"{config.swc}: {code}")
    settings = RenderSettings(**setting_values(config, list(RenderSettings.model_fields)))
    views = render_neuron(neuron, settings)
    page = contact_sheet(views, build_geometry(neuron).axes(), neuron.name, describe(neuron, settings))
    with atomic_path(config.out) as path:
        Image.fromarray(page).save(path, format="PNG", optimize=True)
    say(f"{config.out}: {len(views)} views of {neuron.name}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(RenderConfig, run, argv, program="axonet render")


if __name__ == "__main__":
    sys.exit(main())
