"""Command: vectors of a folder of SWC files: ``axonet embed cells/ --model best.ckpt --out vectors.parquet``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic.config import JsonDict
from pydantic_settings import CliPositionalArg

from axonet.core.config import CommandSettings, run_command

IO: JsonDict = {"io": True}


class EmbedConfig(CommandSettings):
    """Embed the neurons of a folder with a trained model: measured, drawn as the model was trained, encoded.

    Beside --out, which has a vector per view, lie OUT.neurons.parquet (a row per neuron: measurements and the pooled
    vector) and OUT.qc.csv (what is odd, and why a neuron has no vector). A run that was stopped goes on; new and
    changed files are embedded by calling again.
    """

    swc_dir: CliPositionalArg[Path] = Field(
        description="folder of SWC files, with its sub-folders; lengths in um", json_schema_extra=IO
    )
    model: str = Field(description="checkpoint of Stage 2", json_schema_extra=IO)
    out: Path = Field(Path("vectors.parquet"), description="Parquet file to write", json_schema_extra=IO)
    jobs: int = Field(
        1, ge=1, description="processes that read and draw neurons", json_schema_extra={"io": True, "short": "j"}
    )
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = Field(
        "auto", description="what to compute on; auto takes a GPU when there is one"
    )


def run(config: EmbedConfig) -> None:
    """Embed, write, say what came of it."""
    from axonet.core.errors import UserError
    from axonet.core.progress import say
    from axonet.datasets.measures import OK
    from axonet.inference.device import torch_device
    from axonet.inference.encode import load_view_encoder
    from axonet.inference.folder import EmbeddedFiles, embed_folder
    from axonet.inference.shipped import checkpoint_path

    if config.out.suffix.lower() != ".parquet":
        raise UserError(f"--out {config.out}: a Parquet file is written; give it a name that ends in .parquet")
    encoder = load_view_encoder(checkpoint_path(config.model), 2, torch_device(config.accelerator))
    counts = embed_folder(encoder, config.swc_dir, config.out, config.jobs)
    files = EmbeddedFiles.beside(config.out)
    left_out = ", ".join(f"{code} {n}" for code, n in sorted(counts.items()) if code != OK)
    say(f"{config.out}: {counts[OK]:,} of {counts.total():,} neurons (model {encoder.fingerprint})")
    if left_out:
        say(f"left out: {left_out}; reasons are in {files.quality}")
    say(f"a row per neuron, with measurements: {files.neurons}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(EmbedConfig, run, argv, program="axonet embed")


if __name__ == "__main__":
    sys.exit(main())
