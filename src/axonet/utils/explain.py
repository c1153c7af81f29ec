"""Command: what a match rests on: ``axonet explain cell.swc "a mouse Purkinje cell" --model best.ckpt``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator
from pydantic.config import JsonDict
from pydantic_settings import CliPositionalArg

from axonet.core.config import CommandSettings, run_command

if TYPE_CHECKING:
    from axonet.morphology.neuron import Neuron

IO: JsonDict = {"io": True}


class ExplainConfig(CommandSettings):
    """Show which views and which compartments of a neuron make it match words, or another neuron.

    Each compartment is hidden in all views, all else as before, and each view is taken alone and left out. A drop says
    that the match is worse without; large parts matter more than small ones, so mind the share of pixels beside it.
    """

    neuron: CliPositionalArg[str] = Field(
        description="SWC file of the neuron, or the id of a neuron of the run", json_schema_extra=IO
    )
    words: CliPositionalArg[list[str]] = Field([], description="what it is matched with", json_schema_extra=IO)
    match: str | None = Field(
        None, description="SWC file or id of a neuron that it is matched with, instead", json_schema_extra=IO
    )
    model: str | None = Field(
        None, description="checkpoint of Stage 2; by default the one of the export in --results", json_schema_extra=IO
    )
    results: Path = Field(Path("results"), description="the workflow's results folder", json_schema_extra=IO)
    out: Path | None = Field(
        None, description="page of pictures to write, PNG", json_schema_extra={"io": True, "short": "o"}
    )
    as_json: bool = Field(False, description="one JSON object instead of text", json_schema_extra={"short": "json"})

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if bool(self.words) == (self.match is not None):
            raise ValueError("say what the neuron is matched with: words, or --match FILE, one of them")
        return self


def run(config: ExplainConfig) -> None:
    """Embed both, take the match apart, print, draw."""
    from axonet.core.errors import UserError
    from axonet.core.files import atomic_path, to_json
    from axonet.core.progress import say
    from axonet.explore.explain import explain, explanation_text
    from axonet.inference.embed import load_model

    if config.out is not None and config.out.suffix.lower() != ".png":
        raise UserError(f"--out {config.out}: a PNG file is written; give it a name that ends in .png")
    neuron = _find(config.neuron, config.results)
    other = None if config.match is None else _find(config.match, config.results)
    model = load_model(config.model or _checkpoint(config.results))
    asked = " ".join(config.words) or str(config.match)
    target = model.embed_text([asked])[0] if other is None else model.embed([other])[0]
    found = explain(model, neuron, target)
    if config.as_json:
        about = {"neuron": config.neuron, "target": asked, "model": model.fingerprint}
        text = to_json({**about, **found.to_json()}, indent=1)
    else:
        text = explanation_text(found)
    print(text)  # noqa: T201 - the answer of the command
    if config.out is not None:
        from axonet.explore.explain_page import explanation_page

        with atomic_path(config.out) as path:
            explanation_page(f"{neuron.name}: {asked}", found).save(path, format="PNG", optimize=True)
        say(f"{config.out}: {len(found.parts)} parts and {len(found.views)} views")


def _find(name: str, results: Path) -> Neuron:
    """The neuron of a file or, where there is no such file, of the run.

    Raises:
        UserError: neither.
    """
    from axonet.core.errors import UserError
    from axonet.explore.folder import EXPLORE, ExploreFolder
    from axonet.morphology.swc import read_swc

    if Path(name).exists() or name.lower().endswith(".swc"):
        return read_swc(name)
    folder = ExploreFolder(results / EXPLORE)
    if name not in folder.ids:
        raise UserError(f"{name}: neither a file nor the id of a neuron of {results}")
    return folder.neuron(folder.ids.index(name))


def _checkpoint(results: Path) -> str:
    from axonet.explore.folder import EXPLORE, ExploreFolder

    folder = ExploreFolder(results / EXPLORE)
    return str(folder.root / folder.origin.checkpoint)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(ExplainConfig, run, argv, program="axonet explain")


if __name__ == "__main__":
    sys.exit(main())
