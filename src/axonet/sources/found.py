"""What a source hands to the catalog, and what the catalog reads off its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from axonet.core.bucket import in_bucket, read_bytes
from axonet.core.errors import UserError
from axonet.core.files import read_table, sha256_bytes, sha256_file, write_table
from axonet.core.progress import track
from axonet.metadata.record import NeuronRecord
from axonet.sources.workers import map_ordered


@dataclass(frozen=True, slots=True)
class FoundNeuron:
    """A reconstruction that a source has, and what is known about it.

    Attributes:
        record: normalized metadata; ``record.source`` and ``record.id`` name the neuron.
        path: its SWC file, or the address of one in a bucket.
        scale: um per unit of the file.
        facts: of the file, where the source knows them already.
    """

    record: NeuronRecord
    path: Path | str
    scale: float = 1.0
    facts: FileFacts | None = None


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Content and shape of an SWC file."""

    sha256: str
    fingerprint: str | None  # None: no neuron could be read


def describe_file(path: Path | str) -> FileFacts:
    """Read a file; one that holds no neuron has a hash all the same.

    Raises:
        UserError: the file cannot be read.
    """
    from axonet.morphology.fingerprint import fingerprint
    from axonet.morphology.swc import SWCError, parse_swc

    try:
        data = read_bytes(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        shape = fingerprint(parse_swc(data, Path(path).stem))
    except SWCError:
        shape = None
    return FileFacts(sha256_bytes(data), shape or None)


def describe_files(neurons: Sequence[FoundNeuron], memory: Path, jobs: int = 1) -> list[FileFacts]:
    """Content and shape of every neuron's file.

    Args:
        neurons: their files.
        memory: a table of shapes found before, by content; only files that it does not know are parsed. It is
            brought up to date.
        jobs: number of processes.
    """
    import pyarrow as pa

    known: dict[str, str | None] = {}
    if memory.is_file():
        table = read_table(memory, ["sha256", "fingerprint"])
        known = dict(zip(table["sha256"].to_pylist(), table["fingerprint"].to_pylist(), strict=True))
    facts: list[FileFacts | None] = [neuron.facts for neuron in neurons]
    if known:
        for position, neuron in enumerate(neurons):
            if facts[position] is not None or in_bucket(neuron.path):
                continue
            digest = sha256_file(neuron.path)
            if digest in known:
                facts[position] = FileFacts(digest, known[digest])
    todo = [position for position, fact in enumerate(facts) if fact is None]
    if todo:
        results = map_ordered(describe_file, [neurons[position].path for position in todo], jobs)
        for position, fact in zip(todo, track(results, "reading SWC files", len(todo)), strict=True):
            facts[position] = fact
    found = [fact for fact in facts if fact is not None]
    read = {fact.sha256: fact.fingerprint for neuron, fact in zip(neurons, found, strict=True) if neuron.facts is None}
    shapes = {**known, **read}
    ordered = sorted(shapes)
    columns = [pa.array(ordered, pa.string()), pa.array([shapes[digest] for digest in ordered], pa.string())]
    write_table(memory, pa.table(columns, names=["sha256", "fingerprint"]))
    return found
