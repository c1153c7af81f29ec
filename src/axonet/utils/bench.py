"""A published benchmark: ``axonet bench bil6 --data DIR --model best.ckpt``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field
from pydantic.config import JsonDict
from pydantic_settings import CliPositionalArg

from axonet.core.config import CommandSettings, run_command

if TYPE_CHECKING:
    from axonet.evaluation.protocols import Entry, Protocol
    from axonet.morphology.neuron import Neuron

IO: JsonDict = {"io": True}
FEWEST_NODES = 10  # the papers leave out smaller files


class BenchConfig(CommandSettings):
    """Judge a model on a published benchmark, with the papers' folds and vote, and put their figures beside ours.

    The data are not part of axonet; docs/how-to/benchmarks.md says where they are and how --data has to look. Writes
    bench.json, bench.txt and run.json into --output-dir.
    """

    benchmark: CliPositionalArg[Literal["bil6", "jml4", "act4", "n7"]] = Field(description="which benchmark")
    data: Path = Field(description="folder with the table of folds and the SWC files", json_schema_extra=IO)
    model: Path = Field(description="checkpoint of Stage 2", json_schema_extra=IO)
    output_dir: Path = Field(Path("bench_results"), description="folder for the outputs", json_schema_extra=IO)
    bootstrap: int = Field(1000, ge=0, description="resamples behind each 95 % interval; 0 gives none")
    seed: int = Field(0, ge=0, description="seed of resamples and forests")
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = Field(
        "auto", description="what to compute on; auto takes a GPU when there is one"
    )


def run(config: BenchConfig) -> None:
    """Read, embed, judge, write."""
    from collections import Counter

    import numpy as np

    from axonet.core.errors import UserError
    from axonet.core.files import write_json, write_text
    from axonet.core.progress import say, track
    from axonet.core.provenance import run_record
    from axonet.evaluation.bench import bench_rows, bench_text
    from axonet.evaluation.protocols import PROTOCOLS, read_benchmark
    from axonet.inference.device import torch_device
    from axonet.inference.embed import EmbeddingModel
    from axonet.models.checkpoint import load_checkpoint
    from axonet.morphology.morphometrics import MORPHOMETRICS
    from axonet.morphology.swc import SWCError
    from axonet.rendering.errors import RenderError

    protocol = PROTOCOLS[config.benchmark]
    entries, left_out = read_benchmark(config.benchmark, config.data)
    model = EmbeddingModel(load_checkpoint(config.model, 2), torch_device(config.accelerator))
    names = [name for name, measure in MORPHOMETRICS.items() if not measure.compartment]
    kept: list[Entry] = []
    vectors, measures, reasons = [], [], Counter(left_out)
    for entry in track(entries, f"embedding {protocol.name}", len(entries)):
        try:
            neuron = load_neuron(entry, protocol)
            vector = None if neuron is None else model.embed([neuron], image_only=True)[0]
        except (SWCError, RenderError) as error:
            reasons[f"{getattr(error, 'code', 'not drawn')}, such as {entry.name}"] += 1
            continue
        if neuron is None or vector is None:
            reasons[f"fewer than {FEWEST_NODES} nodes"] += 1
            continue
        kept.append(entry)
        vectors.append(vector)
        measures.append([neuron.morphometrics()[name] for name in names])
    if not any(entry.tested for entry in kept) or all(entry.tested for entry in kept):
        raise UserError(f"{config.data}: no neuron that can be read is left to test or to learn from")
    table = np.array(measures, dtype=np.float64)
    table[~np.isfinite(table)] = np.nan
    rows = bench_rows(kept, np.array(vectors, dtype=np.float64), table, config.bootstrap, config.seed)
    text = bench_text(config.benchmark, rows, reasons)
    with run_record(config.output_dir, "axonet.utils.bench", config, [config.model]):
        content: dict[str, object] = {
            "format": 1,
            "benchmark": config.benchmark,
            "checkpoint": model.fingerprint,
            "rows": rows,
        }
        content |= {"published": dict(protocol.published), "left_out": dict(sorted(reasons.items()))}
        write_json(config.output_dir / "bench.json", content)
        write_text(config.output_dir / "bench.txt", text)
    sys.stdout.write(text)
    say(f"{config.output_dir / 'bench.json'} holds every figure")


def load_neuron(entry: Entry, protocol: Protocol) -> Neuron | None:
    """The neuron as the benchmark wants it; None where too little is left of it.

    Raises:
        SWCError: the file is no reconstruction.
    """
    from axonet.morphology.compartments import Compartment
    from axonet.morphology.forest import drop_nodes
    from axonet.morphology.neuron import Neuron
    from axonet.morphology.swc import read_swc

    neuron = read_swc(entry.path)
    xyz, parent, types, radius = neuron.xyz, neuron.parent, neuron.swc_type, neuron.radius
    if protocol.rescaled is not None and entry.name.endswith(protocol.rescaled[0]):
        xyz = xyz * protocol.rescaled[1]
    if protocol.dendrites_only:
        keep = neuron.compartment != Compartment.AXON
        parent = drop_nodes(parent, keep)
        xyz, types, radius = xyz[keep], types[keep], radius[keep]
    if len(xyz) < FEWEST_NODES:
        return None
    return Neuron.from_arrays(xyz, parent, types, radius, name=entry.path.stem)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(BenchConfig, run, argv, program="axonet bench")


if __name__ == "__main__":
    sys.exit(main())
