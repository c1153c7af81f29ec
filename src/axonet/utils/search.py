"""Command: the neurons nearest to words or to a neuron: ``axonet search "a mouse Purkinje cell"``."""

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
    import numpy as np
    import numpy.typing as npt

    from axonet.explore.folder import ExploreFolder
    from axonet.explore.hits import Hit
    from axonet.inference.embed import EmbeddingModel

IO: JsonDict = {"io": True}


class SearchConfig(CommandSettings):
    """Find the neurons of a run whose shape is nearest to words, or to a neuron of one's own.

    Searches what axonet export wrote. The cosine orders neurons: it is no probability that the words are true, and
    there is always a nearest one.
    """

    words: CliPositionalArg[list[str]] = Field(
        [], description="what to look for, in English: 'a mouse Purkinje cell'", json_schema_extra=IO
    )
    swc: Path | None = Field(None, description="an SWC file to look for, instead of words", json_schema_extra=IO)
    like: str | None = Field(None, description="id of a neuron of the run to look for, instead", json_schema_extra=IO)
    where: dict[str, str] = Field(
        {}, description="search only neurons with this value, as column=value: species=mouse", json_schema_extra=IO
    )
    results: Path = Field(Path("results"), description="the workflow's results folder", json_schema_extra=IO)
    k: int = Field(8, ge=1, le=1000, description="how many neurons; -k too", json_schema_extra={"io": True})
    out: Path | None = Field(
        None, description="page of pictures to write, PNG", json_schema_extra={"io": True, "short": "o"}
    )
    approximate: bool = Field(
        False,
        description="take words from the table of word vectors in the export: in a second and without torch, but order "
        "and negation are lost",
    )
    as_json: bool = Field(False, description="one JSON object instead of text", json_schema_extra={"short": "json"})
    model: str | None = Field(
        None, description="checkpoint of Stage 2, where it is no longer where the export says", json_schema_extra=IO
    )

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if sum((bool(self.words), self.swc is not None, self.like is not None)) != 1:
            raise ValueError("say what to look for: words, --swc or --like, one of them")
        if self.approximate and not self.words:
            raise ValueError("--approximate is about words, and there are none")
        return self


def run(config: SearchConfig) -> None:
    """Embed the question, search, print."""
    from axonet.core.errors import UserError
    from axonet.core.files import to_json
    from axonet.core.progress import say
    from axonet.explore.folder import EXPLORE, ExploreFolder
    from axonet.explore.hits import find, hits_text, rows_where

    if config.out is not None and config.out.suffix.lower() != ".png":
        raise UserError(f"--out {config.out}: a PNG file is written; give it a name that ends in .png")
    folder = ExploreFolder(config.results / EXPLORE)
    allowed = rows_where(folder, config.where)
    own = None
    if config.like is not None:
        if config.like not in folder.ids:
            raise UserError(f"--like {config.like}: {config.results} has no such neuron with a vector")
        own = folder.ids.index(config.like)
        query = folder.vectors[own]
    else:
        query = _embed_words(" ".join(config.words), folder) if config.approximate else _embed(config, folder)
    hits = find(folder, query, config.k, allowed, without=own)
    asked = " ".join(config.words) or config.like or str(config.swc)
    if config.as_json:
        found = {"query": asked, "model": folder.meta["checkpoint"], "hits": [hit.to_json() for hit in hits]}
        text = to_json(found, indent=1)
    else:
        text = hits_text(hits, _width())
    print(text)  # noqa: T201 - the answer of the command
    if config.out is not None:
        _write_sheet(config.out, asked, folder, hits, config.swc, own)
        say(f"{config.out}: {len(hits)} neurons")


def _embed(config: SearchConfig, folder: ExploreFolder) -> npt.NDArray[np.float32]:
    """The unit vector of words or of an SWC file, by the model that made the vectors."""
    from axonet.core.progress import warn
    from axonet.morphology.swc import read_swc

    model = _load(config, folder)
    if config.swc is None:
        found = model.embed_text([" ".join(config.words)])
    else:
        neuron = read_swc(config.swc)
        for code in neuron.warnings:
            warn(f"{config.swc}: {code}")
        found = model.embed([neuron])
    vector: npt.NDArray[np.float32] = found[0]
    return vector


def _embed_words(text: str, folder: ExploreFolder) -> npt.NDArray[np.float32]:
    """The unit vector of words by the table in the export; says how far it can be trusted, and what it does not know.

    Raises:
        UserError: the export has no table, or the table knows none of the words.
    """
    from axonet.core.errors import UserError
    from axonet.core.progress import say, warn
    from axonet.explore.words import words_of

    table = folder.word_vectors
    if table is None:
        raise UserError(f"--approximate: {folder.path} has no table of word vectors; its meta.json says why")
    asked = words_of(text)
    unknown = [word for word in asked if word not in set(table.words)]
    if len(unknown) == len(asked):
        raise UserError(f"--approximate: the table of word vectors knows none of these words: {text}")
    if unknown:
        warn(f"unknown words, passed over: {', '.join(unknown)}")
    say(f"approximate: the table finds {table.fidelity:.0%} of the text encoder's best {table.n_best} neurons")
    vector: npt.NDArray[np.float32] = table.embed([text])[0]
    return vector


def _load(config: SearchConfig, folder: ExploreFolder) -> EmbeddingModel:
    from axonet.core.errors import UserError
    from axonet.inference.embed import load_model

    path = config.model or str(folder.root / folder.origin.checkpoint)
    model = load_model(path)
    if model.fingerprint != folder.meta["checkpoint"]:
        raise UserError(
            f"{path}: is model {model.fingerprint}, but the vectors of {folder.path} are of "
            f"{folder.meta['checkpoint']}; name that one with --model, or export again: axonet export {config.results}"
        )
    return model


def _width() -> int:
    import shutil

    return shutil.get_terminal_size((200, 24)).columns if sys.stdout.isatty() else 200


def _write_sheet(
    out: Path, title: str, folder: ExploreFolder, hits: Sequence[Hit], swc: Path | None, own: int | None
) -> None:
    from axonet.core.files import atomic_path
    from axonet.explore.portrait import portrait
    from axonet.explore.tiles import hit_sheet, mask_picture
    from axonet.morphology.swc import read_swc

    def picture(row: int) -> bytes | None:
        return next(iter(folder.views(row)), None)

    asked = None if own is None else picture(own)
    if swc is not None:
        drawn = portrait(read_swc(swc))
        asked = None if drawn is None else mask_picture(drawn[0])
    page = hit_sheet(title, hits, [picture(hit.row) for hit in hits], asked)
    with atomic_path(out) as path:
        page.save(path, format="PNG", optimize=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(SearchConfig, run, argv, program="axonet search")


if __name__ == "__main__":
    sys.exit(main())
