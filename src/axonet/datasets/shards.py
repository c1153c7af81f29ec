"""Packed views: Arrow IPC files with one record batch per neuron and each image compressed by itself.

A few hundred such files hold what would otherwise be millions of PNG files; a memory-mapped file gives any single
view in a fraction of a millisecond.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

from axonet.core.errors import UserError
from axonet.core.files import atomic_path, to_json
from axonet.core.input_spec import InputSpec
from axonet.datasets.manifest import MANIFEST_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 1
_METADATA = b"axonet"
_PATHS = ("mask_bw", "mask", "mask_color", "depth", "zoom_bw", "shard")
_ROW_FIELDS = [field for field in MANIFEST_SCHEMA if field.name not in _PATHS]
_IMAGES = ("mask_zstd", "depth_zstd", "zoom_zstd")
_ZSTD = pa.Codec("zstd", compression_level=3)


@dataclass(frozen=True, slots=True)
class ViewImages:
    """The pictures of one view, and its row of the manifest (without paths)."""

    row: Mapping[str, Any]
    mask: NDArray[np.uint8]  # (h, w) class ids
    depth: NDArray[Any]  # (h, w) uint8 or uint16, 0 background
    zoom: NDArray[np.uint8] | None = None  # (h, w) 0 and 255


def shard_schema(spec: InputSpec, depth_bits: int, settings: Mapping[str, Any]) -> pa.Schema:
    """Schema of a shard; its metadata say what the images are."""
    description = {
        "format": FORMAT,
        "depth_bits": depth_bits,
        "input_spec": spec.model_dump(mode="json"),
        "settings": dict(settings),
    }
    fields = [*_ROW_FIELDS, *(pa.field(name, pa.binary()) for name in _IMAGES)]
    return pa.schema(fields, metadata={_METADATA: to_json(description).encode()})


def neuron_batch(views: Sequence[ViewImages], schema: pa.Schema) -> pa.RecordBatch:
    """The record batch of a neuron's views, images compressed."""
    codec = pa.Codec("zstd", compression_level=3)

    def packed(values: NDArray[Any] | None) -> bytes | None:
        return None if values is None else codec.compress(np.ascontiguousarray(values), asbytes=True)

    rows = []
    for view in views:
        images = (view.mask, _depth_steps(view.mask, view.depth), view.zoom)
        rows.append({**view.row, **dict(zip(_IMAGES, map(packed, images), strict=True))})
    return pa.RecordBatch.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)


def _depth_steps(mask: NDArray[np.uint8], depth: NDArray[Any]) -> NDArray[Any]:
    """Differences between the depths of successive foreground pixels, modulo the range of their type.

    The background needs no depth and neighbors are alike, so this takes about half of what the image takes.
    """
    values = np.take(depth, np.flatnonzero(mask > 0))
    if np.count_nonzero(depth) != np.count_nonzero(values):
        raise ValueError("depth must be 0 on the background")
    return np.diff(values, prepend=values.dtype.type(0))


def _depth_image(mask: NDArray[np.uint8], steps: NDArray[Any]) -> NDArray[Any]:
    """The inverse of :func:`_depth_steps`."""
    image = np.zeros(mask.shape, steps.dtype)
    image[mask > 0] = np.cumsum(steps, dtype=steps.dtype)
    return image


class ShardWriter:
    """Writes record batches, one per neuron, in the order given."""

    def __init__(self, sink: pa.RecordBatchFileWriter) -> None:
        self._sink = sink
        self.n_neurons = 0
        self.n_views = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Append the views of a neuron."""
        self._sink.write_batch(batch)
        self.n_neurons += 1
        self.n_views += len(batch)


@contextmanager
def shard_writer(path: Path, schema: pa.Schema) -> Iterator[ShardWriter]:
    """Write a shard atomically: the file appears when the block ends well."""
    with atomic_path(path) as temporary, pa.OSFile(str(temporary), "wb") as file, pa.ipc.new_file(file, schema) as sink:
        yield ShardWriter(sink)


@dataclass(frozen=True, slots=True)
class ShardDescription:
    """What the schema metadata of a shard say."""

    spec: InputSpec
    depth_bits: int
    settings: Mapping[str, Any]


def _open(path: Path, options: pa.ipc.IpcReadOptions | None = None) -> pa.RecordBatchFileReader:
    try:
        return pa.ipc.open_file(pa.memory_map(str(path)), options=options)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a readable shard of views ({error})") from error


def read_description(path: Path) -> ShardDescription:
    """Read what the images of a shard are.

    Raises:
        UserError: missing, broken, or of another format.
    """
    metadata = _open(path).schema.metadata or {}
    found = json.loads(metadata.get(_METADATA, b"{}"))
    if found.get("format") != FORMAT:
        raise UserError(f"{path}: not a shard of views that this version reads (format {found.get('format')})")
    return ShardDescription(InputSpec.model_validate(found["input_spec"]), found["depth_bits"], found["settings"])


def read_rows(path: Path) -> tuple[pa.Table, NDArray[np.int32], NDArray[np.int32]]:
    """Read the rows of a shard without touching its images.

    Returns:
        The rows in the manifest's schema, and for each the record batch and the row in it.
    """
    names = [field.name for field in _ROW_FIELDS]
    reader = _open(path, pa.ipc.IpcReadOptions(included_fields=list(range(len(names)))))
    try:
        batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path}: damaged shard of views ({error})") from error
    table = pa.Table.from_batches(batches, schema=pa.schema(_ROW_FIELDS, metadata=reader.schema.metadata))
    sizes = [len(batch) for batch in batches]
    batch_of = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    row_of = np.concatenate([np.arange(size, dtype=np.int32) for size in sizes] or [np.zeros(0, np.int32)])
    columns = [
        table.column(field.name) if field.name in names else pa.nulls(len(table), field.type)
        for field in MANIFEST_SCHEMA
    ]
    return pa.Table.from_arrays(columns, schema=MANIFEST_SCHEMA), batch_of, row_of


class ShardImages:
    """Random access to the images of packed files; survives pickling into worker processes."""

    def __init__(
        self,
        files: Sequence[Path],
        file_of: NDArray[np.int32],
        batch_of: NDArray[np.int32],
        row_of: NDArray[np.int32],
        depth_bits: int,
    ) -> None:
        self.files = [Path(file) for file in files]
        self._file_of, self._batch_of, self._row_of = file_of, batch_of, row_of
        self._depth_type = np.dtype(np.uint8 if depth_bits == 8 else np.uint16)
        self._readers: dict[int, pa.RecordBatchFileReader] = {}
        self._last: tuple[tuple[int, int], pa.RecordBatch] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_readers": {}, "_last": None}

    def _batch(self, file: int, number: int) -> pa.RecordBatch:
        if self._last is None or self._last[0] != (file, number):
            if file not in self._readers:
                self._readers[file] = _open(self.files[file])
            self._last = ((file, number), self._readers[file].get_batch(number))
        return self._last[1]

    def read(
        self, position: int, *, zoom: bool = True
    ) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.uint8] | None]:
        """Mask, depth and, if asked for, zoom window of a row.

        Raises:
            UserError: the stored bytes are damaged; the message names file, neuron and view.
        """
        file, number, row = (int(array[position]) for array in (self._file_of, self._batch_of, self._row_of))
        try:
            batch = self._batch(file, number)
            shape = (batch.column("height")[row].as_py(), batch.column("width")[row].as_py())
            mask = self._unpacked(batch, "mask_zstd", row, np.uint8, shape)
            window = self._unpacked(batch, "zoom_zstd", row, np.uint8, shape) if zoom else None
            if mask is None:
                raise ValueError("no mask")
            steps = self._unpacked(batch, "depth_zstd", row, self._depth_type, (int(np.count_nonzero(mask)),))
            if steps is None:
                raise ValueError("no depth")
            return mask, _depth_image(mask, steps), window
        except (pa.ArrowException, OSError, ValueError) as error:
            where = f"record batch {number}, row {row}"
            raise UserError(f"{self.files[file]}: damaged image in {where} ({error})") from error

    @staticmethod
    def _unpacked(
        batch: pa.RecordBatch, name: str, row: int, dtype: DTypeLike, shape: tuple[int, ...]
    ) -> NDArray[Any] | None:
        packed = batch.column(name)[row].as_buffer()
        if packed is None:
            return None
        plain = _ZSTD.decompress(packed, int(np.prod(shape)) * np.dtype(dtype).itemsize)
        return np.frombuffer(plain, dtype).reshape(shape)


def locate(files: Iterable[Path]) -> tuple[pa.Table, NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Rows of many shards, and for each its file, record batch and row in the batch."""
    tables, file_of, batch_of, row_of = [], [], [], []
    for number, file in enumerate(files):
        table, batches, rows = read_rows(file)
        tables.append(table)
        file_of.append(np.full(len(table), number, np.int32))
        batch_of.append(batches)
        row_of.append(rows)
    none = [np.zeros(0, np.int32)]
    table = pa.concat_tables(tables) if tables else MANIFEST_SCHEMA.empty_table()
    return table, np.concatenate(file_of or none), np.concatenate(batch_of or none), np.concatenate(row_of or none)
