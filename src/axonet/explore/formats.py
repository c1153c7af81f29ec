"""The export in the formats of other tools: CSV, and AnnData's h5ad."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from axonet.core.errors import UserError
from axonet.core.files import atomic_path, read_json, read_table
from axonet.explore.export import N_NEIGHBORS
from axonet.explore.neighbors import neighbor_lists

if TYPE_CHECKING:
    import pyarrow as pa
    from scipy.sparse import csr_matrix

Format = Literal["parquet", "csv", "h5ad"]


def write_format(folder: Path, how: Format) -> list[Path]:
    """Write an exported folder in another format, beside its files.

    Args:
        folder: what :func:`axonet.explore.export.export` wrote.
        how: ``csv`` writes ``neurons.csv`` and ``vectors.csv``, ``h5ad`` writes ``neurons.h5ad``, ``parquet`` nothing
            more.

    Returns:
        The files written.

    Raises:
        UserError: anndata is not installed.
    """
    if how == "parquet":
        return []
    table = read_table(folder / "neurons.parquet")
    vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
    return _write_csv(folder, table, vectors) if how == "csv" else [_write_h5ad(folder, table, vectors)]


def _write_csv(folder: Path, table: pa.Table, vectors: np.ndarray[Any, Any]) -> list[Path]:
    """The table with neighbors by id, separated by spaces, and the vectors in the same order."""
    import pyarrow as pa
    import pyarrow.csv

    names = [name for name in table.column_names if name not in ("image", "neighbors")]
    plain = table.select(names)
    for number, field in enumerate(plain.schema):
        if pa.types.is_dictionary(field.type):
            plain = plain.set_column(number, field.name, plain.column(number).cast(pa.string()))
    if "neighbors" in table.column_names:
        ids = table.column("neuron_id").to_pylist()
        near = [" ".join(ids[k] for k in row["ids"]) for row in table.column("neighbors").to_pylist()]
        plain = plain.append_column("neighbors", pa.array(near, pa.string()))
    columns = {"neuron_id": table.column("neuron_id")}
    columns |= {f"v{k}": pa.array(np.ascontiguousarray(vectors[:, k])) for k in range(vectors.shape[1])}
    written = []
    for name, content in (("neurons.csv", plain), ("vectors.csv", pa.table(columns))):
        with atomic_path(folder / name) as path:
            pyarrow.csv.write_csv(content, path)
        written.append(folder / name)
    return written


def _write_h5ad(folder: Path, table: pa.Table, vectors: np.ndarray[Any, Any]) -> Path:
    """Vectors as ``X``, metadata as ``obs``, the map as ``obsm["X_map"]``, neighbors where scanpy looks for them."""
    try:
        import anndata
    except ModuleNotFoundError:
        raise UserError("anndata is not installed: pip install anndata, then run the same command again") from None
    frame = table.select([n for n in table.column_names if n not in ("image", "neighbors")]).to_pandas()
    xy = frame[["x", "y"]].to_numpy(np.float32)
    frame = frame.drop(columns=["x", "y"]).set_index("neuron_id")
    data = anndata.AnnData(X=np.array(vectors), obs=frame, obsm={"X_map": xy})
    data.var_names = [f"v{k}" for k in range(vectors.shape[1])]
    if len(vectors) > 1 and "neighbors" in table.column_names:
        rows, cosines = neighbor_lists(vectors, N_NEIGHBORS)
        distances, connectivities = neighbor_graphs(rows, cosines)
        data.obsp["distances"], data.obsp["connectivities"] = distances, connectivities
        data.uns["neighbors"] = {
            "connectivities_key": "connectivities",
            "distances_key": "distances",
            "params": {"n_neighbors": rows.shape[1] + 1, "method": "exact", "metric": "cosine", "use_rep": "X"},
        }
    meta = read_json(folder / "meta.json")
    data.uns["axonet"] = {"checkpoint": meta["checkpoint"], "map": meta["map"]["method"], "run": meta["run"]}
    with atomic_path(folder / "neurons.h5ad") as path, _quiet():
        data.write_h5ad(path)
    return folder / "neurons.h5ad"


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's own remarks on how it stores things."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def neighbor_graphs(rows: np.ndarray[Any, Any], cosines: np.ndarray[Any, Any]) -> tuple[csr_matrix, csr_matrix]:
    """Cosine distances to each neuron's neighbors, and the symmetric graph of who is near whom.

    Args:
        rows: ``(n, k)`` neighbors.
        cosines: ``(n, k)``.

    Returns:
        ``(n, n)`` distances; ``(n, n)`` connectivities, the larger cosine of both directions, at least 0.
    """
    from scipy.sparse import csr_matrix

    n, k = rows.shape
    start = np.arange(0, n * k + 1, k)
    distances = csr_matrix((np.maximum(1.0 - cosines, 1e-7).ravel(), rows.ravel(), start), shape=(n, n))
    weight = csr_matrix((np.maximum(cosines, 0.0).ravel(), rows.ravel(), start), shape=(n, n))
    return distances, weight.maximum(weight.T).tocsr()
