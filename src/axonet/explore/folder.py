"""The exported folder, opened."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from axonet.core.errors import UserError
from axonet.core.files import read_json, read_table
from axonet.explore.blobs import Blobs
from axonet.explore.export import FILES, FORMAT
from axonet.explore.origin import Origin
from axonet.explore.pictures import N_VIEWS
from axonet.explore.views import Pictures, pictures_of_neuron

if TYPE_CHECKING:
    import pyarrow as pa

    from axonet.explore.words import WordVectors
    from axonet.morphology.neuron import Neuron

EXPLORE = "explore"


class ExploreFolder:
    """``results/explore/``, whose files are opened when they are first needed.

    Args:
        path: the folder.

    Attributes:
        path: the folder.
        meta: content of ``meta.json``.

    Raises:
        UserError: no export there, or one of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        missing = [name for name in FILES if not (path / name).is_file()]
        if missing:
            raise UserError(f"{path / missing[0]}: no such file; make it with: axonet export {path.parent}")
        self.meta: dict[str, Any] = read_json(path / "meta.json")
        if self.meta.get("format") != FORMAT:
            raise UserError(f"{path}: written by another version of axonet; make it anew: axonet export {path.parent}")
        self.origin = Origin.of(self.meta["origin"])

    def __len__(self) -> int:
        return int(self.meta["n"])

    @property
    def root(self) -> Path:
        """The folder that relative paths start from: the one that holds ``results``."""
        return self.path.parent.parent

    @cached_property
    def vectors(self) -> npt.NDArray[np.float32]:
        """``(n, d)`` unit vectors, mapped into memory."""
        vectors: npt.NDArray[np.float32] = np.load(self.path / "vectors.npy", mmap_mode="r", allow_pickle=False)
        return vectors

    @cached_property
    def points(self) -> pa.Table:
        """The table without pictures and neighbors."""
        import pyarrow as pa

        return pa.ipc.open_file(pa.memory_map(str(self.path / "points.arrow"))).read_all()

    @cached_property
    def ids(self) -> list[str]:
        """Neuron ids in the order of the rows."""
        return list(self.points.column("neuron_id").to_pylist())

    @cached_property
    def xy(self) -> npt.NDArray[np.float32]:
        """``(n, 2)`` positions on the map."""
        return np.stack([self.points.column(name).to_numpy() for name in ("x", "y")], axis=1).astype(np.float32)

    @cached_property
    def thumbs(self) -> Blobs:
        """A WebP thumbnail per neuron, empty where there is none."""
        return Blobs(self.path / "thumbs.bin")

    @cached_property
    def neighbors(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]] | None:
        """``(n, k)`` rows of each neuron's neighbors and their cosines, None where they were not exported."""
        import pyarrow.parquet as pq

        if "neighbors" not in pq.read_schema(self.path / "neurons.parquet").names:
            return None
        column = read_table(self.path / "neurons.parquet", ["neighbors"]).column("neighbors").combine_chunks()
        flat = [column.field(name).flatten().to_numpy() for name in ("ids", "distances")]
        ids, distances = (values.reshape(len(self), -1) for values in flat)
        return ids.astype(np.int64), (1.0 - distances).astype(np.float32)

    @cached_property
    def word_vectors(self) -> WordVectors | None:
        """The table of word vectors, None where it was left out."""
        from axonet.explore.words import read_word_vectors

        return read_word_vectors(self.path / "word_vectors.npz")

    @cached_property
    def _views(self) -> Blobs:
        return Blobs(self.path / "views.bin")

    @cached_property
    def _catalog(self) -> dict[str, dict[str, Any]]:
        columns = ["neuron_id", "name", "shard", "swc", "sha256", "scale"]
        table = read_table(self.root / self.origin.metadata, columns)
        return {row["neuron_id"]: row for row in table.to_pylist()}

    def views(self, index: int) -> list[bytes]:
        """WebP pictures of a neuron, the most telling first; out of the packed views where they were not exported."""
        if len(self._views):
            found = [self._views[N_VIEWS * index + k] for k in range(N_VIEWS)]
            return [picture for picture in found if picture]
        files, row = self.origin.below(self.root), self._row(index)
        pictures: Pictures | None = pictures_of_neuron(
            files["shards"], files["render_dir"], row["shard"], self.ids[index]
        )
        return [] if pictures is None else pictures[1]

    def neuron(self, index: int) -> Neuron:
        """The neuron itself, in um.

        Raises:
            UserError: its SWC is gone or has changed.
            SWCError: it cannot be read.
        """
        from axonet.datasets.measures import load_entry
        from axonet.sources.catalog import CatalogEntry

        row = self._row(index)
        path = str(self.root / row["swc"])
        return load_entry(CatalogEntry(row["neuron_id"], row["name"], row["swc"], path, row["sha256"], row["scale"]))

    def swc(self, index: int) -> tuple[str, bytes]:
        """Name and bytes of a neuron's SWC file.

        Raises:
            UserError: it is gone or has changed.
        """
        from axonet.sources.catalog import CatalogEntry, read_entry

        row = self._row(index)
        path = str(self.root / row["swc"])
        entry = CatalogEntry(row["neuron_id"], row["name"], row["swc"], path, row["sha256"], row["scale"])
        return Path(row["swc"]).name, read_entry(entry)

    def _row(self, index: int) -> dict[str, Any]:
        row = self._catalog.get(self.ids[index])
        if row is None:
            raise UserError(f"{self.root / self.origin.metadata}: no longer has {self.ids[index]}; export again")
        return row
