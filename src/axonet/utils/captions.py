"""Show what captions say of neurons, and why: ``axonet captions --metadata FILE --swc-dir DIR``."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic.config import JsonDict

from axonet.core.config import CommandSettings, run_command
from axonet.metadata.settings import TableColumns

IO: JsonDict = {"io": True}


class CaptionsConfig(TableColumns, CommandSettings):
    """Print captions of neurons, each phrase with the field or the measurement that it comes from.

    The captions are drawn as in training: each level as often as there, details at random. At the end it says how many
    different captions all neurons have at each level. Without --swc-dir nothing is said of shapes.
    """

    metadata: Path = Field(description="metadata of the neurons: metadata.jsonl or a table", json_schema_extra=IO)
    source: Literal["neuromorpho", "allen", "table"] = Field(
        "neuromorpho", description="dialect of --metadata", json_schema_extra=IO
    )
    swc_dir: Path | None = Field(
        None, description="folder of their SWC files, which are measured; captions then speak of shapes too"
    )
    n: int = Field(20, ge=1, description="captions to print; --n too")
    level: Literal["broad", "standard", "detailed", "morphometric"] | None = Field(
        None, description="captions of one level only; by default each level has its share of training"
    )
    fixed: bool = Field(False, description="the one caption of evaluation, instead of a drawn one of training")
    seed: int = Field(0, ge=0, description="another seed picks other neurons and draws other captions")
    batch_size: int = Field(64, ge=2, description="warn where there are fewer different captions than in such a batch")
    as_json: bool = Field(False, description="one JSON object instead of text", json_schema_extra={"short": "json"})
    jobs: int = Field(
        1, ge=1, description="parallel workers that measure", json_schema_extra={"io": True, "short": "j"}
    )


def run(config: CaptionsConfig) -> None:
    """Read, measure, draw, print."""
    from axonet.core.errors import UserError
    from axonet.core.files import to_json
    from axonet.core.progress import say, warn
    from axonet.metadata.adapters import load_records
    from axonet.metadata.caption_report import Described, caption_report, report_text
    from axonet.metadata.captions import NeuronTextGenerator

    records = load_records(config.metadata, config.source, config.columns)
    if not records:
        raise UserError(f"{config.metadata}: no rows, so there is nothing to make captions of")
    neurons: list[Described] = [(record, None) for record in records]
    if config.swc_dir is not None:
        from axonet.datasets.described import describe_folder

        neurons = [*describe_folder(records, config.metadata, config.swc_dir, config.jobs)]
    measured = {record.neuron_id: row for record, row in neurons if row is not None}
    generator = NeuronTextGenerator.fit([record for record, _ in neurons], measured)
    if generator.bins.edges:
        say(f"words of size by the quartiles of these {len(neurons)} neurons; training fits them on its own")
    chosen = {name: getattr(config, name) for name in ("n", "level", "fixed", "seed", "batch_size")}
    report = caption_report(neurons, generator, **chosen)
    if config.as_json:
        text = to_json(report.to_json(), indent=1)
    else:
        terminal = sys.stdout.isatty()
        width = os.get_terminal_size().columns if terminal else None
        text = report_text(report, width=width, color=terminal and "NO_COLOR" not in os.environ)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no µ shows a question mark
    try:
        sys.stdout.write(text.rstrip("\n") + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough; what is still buffered must not be flushed at the exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    for line in report.warnings:
        warn(line)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    given = sys.argv[1:] if argv is None else argv
    # The parser knows a single letter with one dash only; people write two.
    words = [re.sub(r"^--n(?==|$)", "-n", word) for word in given]
    return run_command(CaptionsConfig, run, words, program="axonet captions")


if __name__ == "__main__":
    sys.exit(main())
