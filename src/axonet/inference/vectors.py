"""Vectors of views as a file: what encoding writes, and what Stage 2, evaluation, search and explore read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from axonet.core.errors import UserError
from axonet.core.files import read_table, to_json, write_table
from axonet.core.input_spec import InputSpec

JOINED = "joined"


@dataclass(frozen=True)
class ViewVectors:
    """Vectors of views, and which model made them of what.

    Attributes:
        neuron_id: ``(n,)`` id of the neuron of each view.
        view: ``(n,)`` index of the view.
        vector: ``(n, d)`` float32; unit vectors in Stage 2, pooled features in Stage 1.
        checkpoint: fingerprint of the model.
        stage: 1 or 2.
        spec: what the images were like.
        joined: ``(n, d)`` unit vectors of the image joined with the neuron's morphometrics, for a Stage 2 model that
            takes them.
    """

    neuron_id: list[str]
    view: npt.NDArray[np.int64]
    vector: npt.NDArray[np.float32]
    checkpoint: str
    stage: int
    spec: InputSpec
    joined: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.neuron_id)


def write_vectors(path: Path, vectors: ViewVectors) -> None:
    """Write vectors as Parquet, one row per view; model and input specification are in the schema's metadata."""
    table = pa.table(
        {
            "neuron_id": pa.array(vectors.neuron_id, pa.string()),
            "view": pa.array(vectors.view, pa.int32()),
            "vector": _as_column(vectors.vector),
            **({} if vectors.joined is None else {JOINED: _as_column(vectors.joined)}),
        }
    )
    about = {
        "checkpoint": vectors.checkpoint,
        "stage": str(vectors.stage),
        "spec": to_json(vectors.spec.model_dump(mode="json")),
        **({} if vectors.joined is None else {JOINED: "with morphometrics"}),
    }
    write_table(path, table.replace_schema_metadata(about))


def read_vectors(paths: Path | Sequence[Path]) -> ViewVectors:
    """Read one file of vectors, or several that one model made.

    Raises:
        UserError: a file is missing or no vector file, or two files are of different models or inputs.
    """
    files = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    if not files:
        raise UserError("no files of vectors were given")
    parts = [_read_one(file) for file in files]
    first = parts[0]
    for file, part in zip(files, parts, strict=True):
        if (part.checkpoint, part.stage) != (first.checkpoint, first.stage):
            raise UserError(
                f"{file}: made by Stage {part.stage} checkpoint {part.checkpoint[:12]}, but {files[0]} by "
                f"Stage {first.stage} checkpoint {first.checkpoint[:12]}; encode both with one model"
            )
        if part.vector.shape[1] != first.vector.shape[1]:
            raise UserError(f"{file}: vectors of length {part.vector.shape[1]} instead of {first.vector.shape[1]}")
        if differences := first.spec.difference(part.spec):
            raise UserError(f"{file}: made of other images than {files[0]}: {', '.join(differences)}")
        if part.spec.merge_dendrites != first.spec.merge_dendrites:
            raise UserError(f"{file}: dendrites are merged in it or in {files[0]}, not in both; encode both alike")
        if (part.joined is None) != (first.joined is None):
            here, there = ("without", "with") if part.joined is None else ("with", "without")
            raise UserError(f"{file}: {here} morphometrics, but {files[0]} {there} them; encode both alike")
    return ViewVectors(
        neuron_id=[name for part in parts for name in part.neuron_id],
        view=np.concatenate([part.view for part in parts]),
        vector=np.concatenate([part.vector for part in parts]),
        checkpoint=first.checkpoint,
        stage=first.stage,
        spec=first.spec,
        joined=None if first.joined is None else np.concatenate([p.joined for p in parts if p.joined is not None]),
    )


def _as_column(vectors: npt.NDArray[np.float32]) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1), pa.float32())
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])


def _from_column(table: pa.Table, name: str) -> npt.NDArray[np.float32]:
    flat = table.column(name).combine_chunks()
    values = flat.flatten() if isinstance(flat, pa.Array) else pa.concat_arrays([c.flatten() for c in flat.chunks])
    length = table.schema.field(name).type.list_size
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float32).reshape(-1, length)


def _read_one(path: Path) -> ViewVectors:
    table = read_table(path, ["neuron_id", "view", "vector"])
    about = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    kind = table.schema.field("vector").type
    if not {"checkpoint", "stage", "spec"} <= about.keys() or not pa.types.is_fixed_size_list(kind):
        raise UserError(f"{path}: not a file of vectors that axonet wrote")
    return ViewVectors(
        neuron_id=table.column("neuron_id").to_pylist(),
        view=table.column("view").to_numpy().astype(np.int64),
        vector=_from_column(table, "vector"),
        checkpoint=about["checkpoint"],
        stage=int(about["stage"]),
        spec=InputSpec.model_validate(json.loads(about["spec"])),
        joined=_from_column(read_table(path, [JOINED]), JOINED) if JOINED in about else None,
    )
