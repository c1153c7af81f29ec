"""The catalog: one row per neuron of all sources, divided into shards whose digests name the files made from them.

Which shard a neuron is in depends on its id alone, and a shard's digest on nothing but the ids, the content of the
files and the units: moving the data or mending metadata renders nothing again.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axonet.core.bucket import in_bucket, read_bytes
from axonet.core.errors import UserError
from axonet.core.files import read_table, safe_name, sha256_bytes, short_hash, to_json, write_json, write_table
from axonet.sources.listing import listing_digest

if TYPE_CHECKING:
    import pyarrow as pa

    from axonet.sources.found import FileFacts, FoundNeuron

__all__ = [
    "CatalogEntry",
    "catalog_table",
    "index_of",
    "keep_once",
    "listing_digest",
    "read_entry",
    "shard_entries",
    "shard_of",
    "write_catalog",
]


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """What is needed to work on a neuron's file: the file, and what it must still be.

    Attributes:
        neuron_id: ``source:id``, or the name alone outside a catalog.
        name: the id as a name for files.
        swc: path that rows give for it.
        path: where it is; in a bucket its address.
        sha256: of its bytes; empty when that was not looked at.
        scale: um per unit of the file.
    """

    neuron_id: str
    name: str
    swc: str
    path: str
    sha256: str = ""
    scale: float = 1.0


def shard_of(neuron_id: str, bits: int) -> str:
    """Hexadecimal name of the shard, out of ``2**bits``, that a neuron belongs to."""
    digest = hashlib.sha256(neuron_id.encode("utf-8")).digest()
    number = int.from_bytes(digest[:8], "big") % (1 << bits)
    return f"{number:0{max(2, -(-bits // 4))}x}"


def shard_digest(members: Iterable[tuple[str, str, float]]) -> str:
    """Digest of a shard: its neurons' ids, SHA-256 of their files and units, in any order."""
    return short_hash(sorted([neuron_id, sha256, scale] for neuron_id, sha256, scale in members))


def keep_once(
    neurons: Sequence[FoundNeuron], facts: Sequence[FileFacts]
) -> tuple[list[int], dict[int, str], dict[int, list[str]]]:
    """Find the same cell told twice.

    Of a cell in several sources the one of the first source is kept. Within a source all are kept, and the later ones
    name the first.

    Args:
        neurons: in the order of the sources.
        facts: of their files.

    Returns:
        Positions to keep; for a kept duplicate the id of the first; for a kept neuron the ids that were left out.
    """
    first: dict[str, int] = {}
    kept: list[int] = []
    duplicate_of: dict[int, str] = {}
    also: dict[int, list[str]] = defaultdict(list)
    for position, (neuron, fact) in enumerate(zip(neurons, facts, strict=True)):
        earlier = first.setdefault(fact.fingerprint or f"file:{fact.sha256}", position)
        if earlier != position and neurons[earlier].record.source != neuron.record.source:
            also[earlier].append(neuron.record.neuron_id)
            continue
        kept.append(position)
        if earlier != position:
            duplicate_of[position] = neurons[earlier].record.neuron_id
    return kept, duplicate_of, dict(also)


def catalog_table(neurons: Sequence[FoundNeuron], facts: Sequence[FileFacts], bits: int) -> pa.Table:
    """The catalog of neurons, sorted by id.

    Args:
        neurons: in the order of the sources.
        facts: of their files.
        bits: there are ``2**bits`` shards.

    Returns:
        Columns ``neuron_id``, ``name``, ``shard``, ``swc``, ``sha256``, ``scale``, ``fingerprint``, ``duplicate_of``,
        ``also``, and those of the records.

    Raises:
        UserError: an id occurs twice.
    """
    import pyarrow as pa

    from axonet.metadata.adapters import to_table

    kept, duplicate_of, also = keep_once(neurons, facts)
    kept.sort(key=lambda position: neurons[position].record.neuron_id)
    ids = [neurons[position].record.neuron_id for position in kept]
    for one, other in pairwise(ids):
        if one == other:
            raise UserError(f"the id {one} occurs twice; ids must be unique within a source")
    own: dict[str, tuple[pa.DataType, list[Any]]] = {
        "neuron_id": (pa.string(), ids),
        "name": (pa.string(), [safe_name(neuron_id) for neuron_id in ids]),
        "shard": (pa.string(), [shard_of(neuron_id, bits) for neuron_id in ids]),
        "swc": (pa.string(), [portable(neurons[position].path) for position in kept]),
        "sha256": (pa.string(), [facts[position].sha256 for position in kept]),
        "scale": (pa.float64(), [neurons[position].scale for position in kept]),
        "fingerprint": (pa.string(), [facts[position].fingerprint for position in kept]),
        "duplicate_of": (pa.string(), [duplicate_of.get(position) for position in kept]),
        "also": (pa.list_(pa.string()), [also.get(position, []) for position in kept]),
    }
    table = pa.table({name: pa.array(values, kind) for name, (kind, values) in own.items()})
    records = to_table([neurons[position].record for position in kept])
    for name in records.column_names:
        if name not in own:
            table = table.append_column(records.schema.field(name), records.column(name))
    return table.replace_schema_metadata(None)


def portable(path: Path | str) -> str:
    """The path relative to the working directory where it lies below it, with ``/``; an address stays as it is."""
    if in_bucket(path):
        return str(path)
    # Links stay as they are: a linked data folder below the working directory keeps its relative path.
    absolute, here = Path(os.path.abspath(path)), Path.cwd()  # noqa: PTH100
    return (absolute.relative_to(here) if absolute.is_relative_to(here) else absolute).as_posix()


def index_of(table: pa.Table, listing: str) -> dict[str, Any]:
    """The index of a catalog: its shards with their digests, and digests of the whole.

    Args:
        table: the catalog.
        listing: digest of the sources' listing.
    """
    members: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    columns = [table.column(name).to_pylist() for name in ("shard", "neuron_id", "sha256", "scale")]
    for shard, neuron_id, sha256, scale in zip(*columns, strict=True):
        members[shard].append((neuron_id, sha256, scale))
    # Paths may change without anything else changing; everything that is not a path or in a shard's digest is metadata.
    described = [name for name in table.column_names if name not in ("swc", "shard", "sha256", "scale")]
    rows = sorted(to_json(row) for row in table.select(described).to_pylist())
    return {
        "format": 1,
        "shards": [
            {"shard": shard, "n": len(members[shard]), "digest": shard_digest(members[shard])}
            for shard in sorted(members)
        ],
        "neurons": shard_digest(row for rows_of_shard in members.values() for row in rows_of_shard),
        "metadata": short_hash(rows),
        "listing": listing,
    }


def write_catalog(catalog: Path, index: Path, table: pa.Table, listing: str) -> dict[str, Any]:
    """Write catalog and index, and return the index. The index comes last: it says that the catalog is complete."""
    content = index_of(table, listing)
    write_table(catalog, table)
    write_json(index, content)
    return content


def shard_entries(catalog: Path, shard_name: str) -> list[CatalogEntry]:
    """The neurons of a shard, sorted by id.

    Args:
        catalog: the catalog.
        shard_name: ``<shard>-<digest>``, as the index has it.

    Raises:
        UserError: the catalog's rows of the shard are others than those of the digest.
    """
    import pyarrow.compute as pc

    shard, _, digest = shard_name.partition("-")
    table = read_table(catalog, ["neuron_id", "name", "shard", "swc", "sha256", "scale"])
    rows: list[Mapping[str, Any]] = table.filter(pc.equal(table["shard"], shard)).to_pylist()
    found = shard_digest((row["neuron_id"], row["sha256"], row["scale"]) for row in rows)
    if not rows or found != digest:
        what = "has no neurons" if not rows else f"is {shard}-{found} now"
        raise UserError(f"{catalog}: shard {shard_name} {what}; run acquire again")
    entries = [
        CatalogEntry(row["neuron_id"], row["name"], Path(row["swc"]).name, row["swc"], row["sha256"], row["scale"])
        for row in rows
    ]
    return sorted(entries, key=lambda entry: entry.neuron_id)


def read_entry(entry: CatalogEntry) -> bytes:
    """The bytes of a neuron's file, checked against the catalog.

    Raises:
        UserError: missing, or not what it was when the catalog was made.
    """
    try:
        data = read_bytes(entry.path)
    except OSError as error:
        raise UserError(f"{entry.path}: cannot be read ({error.strerror}); run acquire again") from error
    if entry.sha256 and sha256_bytes(data) != entry.sha256:
        raise UserError(f"{entry.path}: changed since the catalog was made; run acquire again")
    return data
