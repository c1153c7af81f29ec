"""Manifests: one row per view, as JSON lines for people and other tools, as Parquet beside them for speed.

``swc``, ``mask_bw``, ``mask``, ``depth``, ``direction`` and ``qc`` are what any reader needs; the other fields are what
training and evaluation use. Paths are relative to the data directory. Of a row with those six fields alone, neuron and
view are read off the paths of its images, ``images/<neuron>/view_00_mask.png``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from axonet.core.errors import UserError
from axonet.core.files import atomic_path, read_jsonl, read_table, sha256_file


def _vector(length: int) -> pa.DataType:
    return pa.list_(pa.float64(), length)


MANIFEST_SCHEMA = pa.schema(
    [
        pa.field("swc", pa.string(), nullable=False),  # path of the reconstruction below the SWC folder
        pa.field("mask_bw", pa.string()),  # silhouette, 0 and 255
        pa.field("mask", pa.string()),  # class ids 0..5
        pa.field("mask_color", pa.string()),  # the classes in colors, for people
        pa.field("depth", pa.string()),  # 0 background, 1..max from near to far
        pa.field("direction", _vector(3)),  # unit vector that the camera looks along
        pa.field("qc", pa.float64()),  # fraction of cable length inside the frame
        pa.field("neuron", pa.string(), nullable=False),  # name of the image folder
        pa.field("neuron_id", pa.string(), nullable=False),
        pa.field("view", pa.int32(), nullable=False),
        pa.field("tier", pa.string()),
        pa.field("um_per_px", pa.float64()),
        pa.field("near_um", pa.float64()),
        pa.field("far_um", pa.float64()),
        pa.field("basis", _vector(9)),  # rows right, up, forward
        pa.field("center", _vector(3)),  # um, the world point in the middle of the image
        pa.field("class_fractions", _vector(6)),  # of the foreground
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("has_zoom", pa.bool_()),
        pa.field("zoom_bw", pa.string()),  # silhouette of the window around the soma
        pa.field("shard", pa.string()),  # packed file that holds the images instead of PNG files
    ]
)
_REQUIRED = [field.name for field in MANIFEST_SCHEMA if not field.nullable]
_NAMED_BY_IMAGES = ("neuron", "neuron_id", "view")
_IMAGE_PATH = re.compile(r"(?:^|[/\\])(?P<neuron>[^/\\]+)[/\\]view_(?P<view>\d+)_[^/\\]*$")
_JSONL_DIGEST = "axonet.jsonl_sha256"
_ROWS_AT_A_TIME = 2048


def parquet_beside(path: Path) -> Path:
    """The Parquet file that belongs to a JSON-lines manifest."""
    return path.with_suffix(".parquet")


def write_manifest(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write a manifest as JSON lines and as Parquet beside it.

    Rows are taken one by one: millions of them need no memory.

    Args:
        path: ``manifest_train.jsonl`` or the like.
        rows: mappings with fields of ``MANIFEST_SCHEMA``; absent fields are null, and null fields are left out of the
            JSON lines.

    Returns:
        How many rows were written.
    """
    import pyarrow.parquet as pq

    count, source = 0, iter(rows)
    with (
        atomic_path(path) as text,
        atomic_path(parquet_beside(path)) as binary,
        pq.ParquetWriter(binary, MANIFEST_SCHEMA, compression="zstd") as writer,
    ):
        with text.open("w", encoding="utf-8", newline="\n") as lines:
            while chunk := list(islice(source, _ROWS_AT_A_TIME)):
                ordered = [{name: row.get(name) for name in MANIFEST_SCHEMA.names} for row in chunk]
                for row in ordered:
                    present = {name: value for name, value in row.items() if value is not None}
                    lines.write(json.dumps(present, ensure_ascii=False, allow_nan=False) + "\n")
                writer.write_table(pa.Table.from_pylist(ordered, schema=MANIFEST_SCHEMA))
                count += len(chunk)
        # The digest tells later whether somebody edited the JSON lines, which then count.
        writer.add_key_value_metadata({_JSONL_DIGEST: sha256_file(text)})
    return count


def read_manifest(path: Path) -> pa.Table:
    """Read a manifest.

    The Parquet file beside is used as long as it was made from these very JSON lines.

    Raises:
        UserError: missing, broken, or without a required field; the message names the row.
    """
    path = Path(path)
    if path.suffix == ".parquet":
        return _checked(read_table(path), path)
    twin = parquet_beside(path)
    if path.is_file() and twin.is_file():
        table = read_table(twin)
        if _digest_in(twin) == sha256_file(path):
            return _checked(table, twin)
    return table_from_rows(read_jsonl(path), path)


def named_files(path: Path) -> list[str]:
    """The SWC files that a manifest names, each once.

    Raises:
        UserError: as `read_manifest`.
    """
    twin = parquet_beside(path)
    if path.is_file() and twin.is_file() and _digest_in(twin) == sha256_file(path):
        return [str(name) for name in read_table(twin, ["swc"])["swc"].unique().to_pylist()]
    return [str(name) for name in read_manifest(path)["swc"].unique().to_pylist()]


def _digest_in(twin: Path) -> str:
    import pyarrow.parquet as pq

    return str((pq.read_metadata(twin).metadata or {}).get(_JSONL_DIGEST.encode(), b"").decode())


def table_from_rows(rows: list[dict[str, Any]], path: Path) -> pa.Table:
    """Turn rows into a table with the manifest's schema.

    Raises:
        UserError: a row lacks a required field or holds a value of the wrong kind.
    """
    rows = [_named(row) for row in rows]
    for number, row in enumerate(rows, start=1):
        missing = [name for name in _REQUIRED if row.get(name) is None]
        if missing:
            told = set(missing) & set(_NAMED_BY_IMAGES) and row.get("mask") is not None
            why = f"; {row['mask']!r} does not tell it, images/<neuron>/view_00_mask.png would" if told else ""
            raise UserError(f"{path}, row {number}: missing {', '.join(missing)}{why}")
    try:
        return pa.Table.from_pylist(rows, schema=MANIFEST_SCHEMA)
    except (pa.ArrowException, TypeError) as error:
        raise UserError(f"{path}: a value of the wrong kind ({_first_wrong(rows)}; {error})") from error


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """The row with neuron and view, where the paths of its images tell them."""
    if all(row.get(name) is not None for name in _NAMED_BY_IMAGES):
        return row
    paths = (row.get(name) for name in ("mask", "mask_bw", "depth"))
    found = next((match for path in paths if isinstance(path, str) and (match := _IMAGE_PATH.search(path))), None)
    if found is None:
        return row
    neuron = row.get("neuron") or found["neuron"]
    told = {"neuron": neuron, "neuron_id": neuron, "view": int(found["view"])}
    return {**row, **{name: value for name, value in told.items() if row.get(name) is None}}


def _first_wrong(rows: list[dict[str, Any]]) -> str:
    for number, row in enumerate(rows, start=1):
        for field in MANIFEST_SCHEMA:
            try:
                pa.array([row.get(field.name)], field.type)
            except (pa.ArrowException, TypeError):
                return f"row {number}, {field.name}"
    return "unknown row"


def _checked(table: pa.Table, path: Path) -> pa.Table:
    missing = [name for name in _REQUIRED if name not in table.column_names]
    if missing and set(missing) <= set(_NAMED_BY_IMAGES) and "mask" in table.column_names:
        return table_from_rows(table.to_pylist(), path)
    if missing:
        raise UserError(f"{path}: missing column {', '.join(missing)}")
    columns = []
    for field in MANIFEST_SCHEMA:
        if field.name in table.column_names:
            columns.append(table.column(field.name).cast(field.type))
        else:
            columns.append(pa.chunked_array([pa.nulls(len(table), field.type)]))
    return pa.Table.from_arrays(columns, schema=MANIFEST_SCHEMA)
