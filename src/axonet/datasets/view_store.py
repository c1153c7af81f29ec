"""One reader of rendered views, whether they are PNG files or packed shards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.core.progress import warn
from axonet.datasets.dataset_info import FILE_NAME, DatasetInfo, read_dataset_info
from axonet.datasets.manifest import MANIFEST_SCHEMA, read_manifest
from axonet.datasets.png_tree import PngImages
from axonet.datasets.shards import ShardImages, locate, read_description

ViewArrays = tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.uint8] | None]


class _Images(Protocol):
    def read(self, position: int, *, zoom: bool = True) -> ViewArrays: ...


class ViewStore:
    """Views and their rows, sorted by neuron id and view.

    Attributes:
        rows: table in ``MANIFEST_SCHEMA``.
        spec: what an image is.
        depth_bits: 8 or 16.
    """

    def __init__(
        self, rows: pa.Table, images: _Images, positions: NDArray[np.int64], spec: InputSpec, depth_bits: int
    ) -> None:
        self.rows = rows
        self.spec = spec
        self.depth_bits = depth_bits
        self._images = images
        self._positions = positions

    @classmethod
    def from_manifest(cls, data_dir: Path, manifest: Path) -> Self:
        """Open the views that a manifest names.

        Args:
            data_dir: the folder that the manifest's paths start from; it holds ``dataset.json``. Images that were
                made elsewhere, named without cameras, may come without: their sizes are then looked up.
            manifest: JSON lines or Parquet.

        Raises:
            UserError: something is missing or broken.
        """
        data_dir, manifest = Path(data_dir), Path(manifest)
        info = read_dataset_info(data_dir) if (data_dir / FILE_NAME).is_file() else None
        table = read_manifest(manifest)
        if table.column("shard").null_count == 0 and len(table):
            return cls._from_packed_manifest(data_dir, manifest, table)
        order = _sorted_order(table)
        rows = table.take(order).combine_chunks()
        images = PngImages(data_dir, manifest, rows, order)
        without = rows.column("um_per_px").null_count
        if info is None:
            info = _seen_in(images, data_dir) if len(rows) and without == len(rows) else read_dataset_info(data_dir)
        if without:
            warn(
                f"{manifest}: {without:,} of {len(rows):,} rows have no um_per_px: the scale of these views is not "
                "known; models are told so, and no depth is learned from them"
            )
            rows = _sized(rows, info.input_spec)
        return cls(rows, images, np.arange(len(rows)), info.input_spec, info.depth_bits)

    @classmethod
    def from_shards(cls, files: Sequence[Path]) -> Self:
        """Open packed shards.

        Args:
            files: Arrow files with the same settings.

        Raises:
            UserError: no file, a broken file, or files of different settings.
        """
        if not files:
            raise UserError("no shards of views to read: nothing was rendered")
        files = sorted(Path(file) for file in files)
        first = read_description(files[0])
        for file in files[1:]:
            other = read_description(file)
            if other.spec != first.spec or other.depth_bits != first.depth_bits:
                what = "; ".join(first.spec.difference(other.spec)) or "other view settings or depth bits"
                raise UserError(f"{file} and {files[0]} were made with different settings: {what}")
        table, file_of, batch_of, row_of = locate(files)
        images = ShardImages(files, file_of, batch_of, row_of, first.depth_bits)
        order = _sorted_order(table)
        return cls(table.take(order).combine_chunks(), images, order, first.spec, first.depth_bits)

    @classmethod
    def _from_packed_manifest(cls, data_dir: Path, manifest: Path, table: pa.Table) -> Self:
        store = cls.from_shards([data_dir / name for name in pc.unique(table.column("shard")).to_pylist()])
        found = pc.index_in(_view_keys(store.rows), value_set=_view_keys(table))
        kept = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
        if len(kept) != len(table):
            missing = pc.index_in(_view_keys(table), value_set=_view_keys(store.rows)).is_null()
            absent = np.flatnonzero(missing.to_numpy(zero_copy_only=False))
            if not len(absent):
                raise UserError(f"{manifest}: the same view is named twice")
            row = int(absent[0])
            raise UserError(f"{manifest}, row {row + 1}: {data_dir / table['shard'][row].as_py()} has no such view")
        return store.subset(kept)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def neuron_ids(self) -> list[str]:
        """The neuron of each row."""
        return list(self.rows.column("neuron_id").to_pylist())

    def subset(self, indices: Sequence[int] | NDArray[Any]) -> Self:
        """A store of some of the rows, in the order given."""
        chosen = np.asarray(indices, dtype=np.int64)
        rows = self.rows.take(pa.array(chosen)).combine_chunks()
        return type(self)(rows, self._images, self._positions[chosen], self.spec, self.depth_bits)

    def read(self, index: int, *, zoom: bool = True) -> ViewArrays:
        """The images of a row.

        Args:
            index: number of the row.
            zoom: whether the window around the soma is wanted too.

        Returns:
            Class ids ``(h, w)`` uint8; depth ``(h, w)`` uint8 or uint16 with 0 on the background and 1 to the largest
            value from near to far; silhouette of the window around the soma ``(h, w)`` uint8 0 and 255, or None.

        Raises:
            UserError: an image is missing or damaged; the message names where.
        """
        return self._images.read(int(self._positions[index]), zoom=zoom)


def _seen_in(images: PngImages, data_dir: Path) -> DatasetInfo:
    """What the first images are, where nothing was written down about them."""
    mask, depth, _ = images.read(0)
    height, width = mask.shape
    warn(f"{data_dir / FILE_NAME}: no such file; {width} x {height} pixels, rendered with default settings, is assumed")
    return DatasetInfo(
        depth_bits=8 if depth.dtype == np.uint8 else 16, input_spec=InputSpec(width=width, height=height)
    )


def _sized(rows: pa.Table, spec: InputSpec) -> pa.Table:
    """The rows with the size of the images where they lack it."""
    for name, size in (("width", spec.width), ("height", spec.height)):
        number = MANIFEST_SCHEMA.get_field_index(name)
        rows = rows.set_column(number, MANIFEST_SCHEMA.field(number), pc.fill_null(rows.column(name), size))
    return rows


def _sorted_order(table: pa.Table) -> NDArray[np.int64]:
    keys = [("neuron_id", "ascending"), ("view", "ascending")]
    return np.asarray(pc.sort_indices(table, sort_keys=keys), dtype=np.int64)


def _view_keys(table: pa.Table) -> pa.Array:
    keys = pc.binary_join_element_wise(table["neuron_id"], table["view"].cast(pa.string()), "\x1f")
    return keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
