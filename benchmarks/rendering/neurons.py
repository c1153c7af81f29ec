"""Which neurons are measured: a mixed set out of a folder of SWC files or a Parquet file with a column ``swc``."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path

from axonet.core.errors import UserError
from axonet.datasets.build import list_entries
from axonet.morphology.swc import SWCError, parse_swc
from axonet.rendering import RenderError
from axonet.rendering.geometry import build_geometry
from axonet.sources.catalog import CatalogEntry

STRATA = ("archive", "source_set", "source")


def sample(source: Path, n_neurons: int, folder: Path) -> list[CatalogEntry]:
    """Write a sample of neurons that can be drawn into a folder, and list it.

    Archives (or sub-folders) take turns, so that a large one does not decide; within one, the order is that of the
    digests of the files. The same source and number always give the same sample.

    Args:
        source: folder, or Parquet file with the bytes of SWC files in a column ``swc``.
        n_neurons: how many.
        folder: an empty folder.
    """
    strata = _read_parquet(source) if source.suffix == ".parquet" else _read_folder(source)
    queues = [sorted(stratum, key=lambda data: hashlib.sha256(data).digest()) for _, stratum in sorted(strata.items())]
    n, turn = 0, 0
    while n < n_neurons and any(turn < len(queue) for queue in queues):
        for queue in queues:
            if turn < len(queue) and n < n_neurons and _can_be_drawn(queue[turn]):
                (folder / f"{n:04d}.swc").write_bytes(queue[turn])
                n += 1
        turn += 1
    if n == 0:
        raise UserError(f"{source}: no neuron that can be drawn")
    return list_entries(folder)


def _read_parquet(source: Path) -> dict[str, list[bytes]]:
    import pyarrow.parquet as pq

    names = pq.read_schema(source).names
    stratum = next((name for name in STRATA if name in names), None)
    table = pq.read_table(source, columns=["swc", *([stratum] if stratum else [])])
    keys = table.column(stratum).to_pylist() if stratum else [None] * len(table)
    strata = defaultdict(list)
    for key, data in zip(keys, table.column("swc").to_pylist(), strict=True):
        strata[str(key)].append(data)
    return strata


def _read_folder(source: Path) -> dict[str, list[bytes]]:
    strata = defaultdict(list)
    for path in sorted(source.rglob("*.swc")):
        strata[str(path.parent)].append(path.read_bytes())
    return strata


def _can_be_drawn(data: bytes) -> bool:
    try:
        build_geometry(parse_swc(data, "neuron"))
    except (SWCError, RenderError):
        return False
    return True
