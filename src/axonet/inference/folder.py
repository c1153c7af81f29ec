"""A folder of SWC files to vectors: measured, drawn and encoded, neuron by neuron, resumable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from axonet.core.errors import UserError
from axonet.core.files import read_table, remove_leftovers, sha256_file, short_hash, write_table
from axonet.core.progress import say, track
from axonet.datasets.build import list_entries
from axonet.datasets.compile_first import compile_first
from axonet.datasets.journal import Journal, journal_file
from axonet.datasets.measures import OK, measure_table
from axonet.datasets.quality_table import read_quality_csv, write_quality_csv
from axonet.datasets.render_jobs import PackedNeuron, RenderedNeuron, render_entry
from axonet.inference.embed import batch_of_images, render_settings
from axonet.inference.encode import ViewEncoder, encode_batches
from axonet.inference.inputs import warn_of_scale
from axonet.inference.morphometrics import morphometric_features
from axonet.inference.pool import pool_poses
from axonet.inference.vectors import ViewVectors, read_vectors, write_vectors
from axonet.sources.catalog import CatalogEntry
from axonet.sources.workers import map_ordered

Done = Mapping[str, PackedNeuron]


@dataclass(frozen=True)
class EmbeddedFiles:
    """What is written about a folder.

    Attributes:
        views: a vector per view, as every other command reads them.
        neurons: a row per neuron, bad ones too: measurements, SHA-256 of the file, the pooled vector (null without).
        quality: the quality table, CSV.
    """

    views: Path
    neurons: Path
    quality: Path

    @classmethod
    def beside(cls, out: Path) -> EmbeddedFiles:
        """The files of ``--out``."""
        return cls(out, out.with_name(f"{out.stem}.neurons.parquet"), out.with_name(f"{out.stem}.qc.csv"))


def embed_folder(encoder: ViewEncoder, swc_dir: Path, out: Path, jobs: int = 1) -> Counter[str]:
    """Embed every neuron of a folder; what was done before, also by a run that was killed, is not done again.

    Args:
        encoder: of a Stage 2 checkpoint.
        swc_dir: folder of SWC files with its sub-folders; lengths in um.
        out: Parquet file of the vectors; the others lie beside it.
        jobs: processes that read and draw.

    Returns:
        How many neurons ended how; ``ok`` counts those that have a vector.

    Raises:
        UserError: no SWC files, or none of them could be embedded.
    """
    files = EmbeddedFiles.beside(out)
    remove_leftovers(out.parent)
    entries = [replace(entry, sha256=_digest(entry)) for entry in list_entries(swc_dir)]
    done = _former(files, encoder, entries)
    if done:
        say(f"{out}: {len(done):,} of {len(entries):,} neurons are there already")
    todo = [entry for entry in entries if entry.neuron_id not in done]
    schema = _schema(encoder)
    key = short_hash([encoder.fingerprint, encoder.spec.merge_dendrites, [[e.neuron_id, e.sha256] for e in todo]])
    with Journal(journal_file(out), key, schema, [entry.neuron_id for entry in todo]) as journal:
        if journal.n_neurons:
            say(f"going on after {journal.n_neurons:,} neurons of a run that was stopped")
        _finish(journal, encoder, todo[journal.n_neurons :], jobs)
        done = {**done, **{str(neuron.measure["neuron_id"]): neuron for neuron in journal}}
        counts = _write(files, encoder, entries, done)
        journal.remove()
    return counts


def _digest(entry: CatalogEntry) -> str:
    """SHA-256 of an entry's file; empty where it cannot be read, which its row will say."""
    try:
        return sha256_file(entry.path)
    except OSError:
        return ""


def _schema(encoder: ViewEncoder) -> pa.Schema:
    """Columns of a neuron's vectors in the journal."""
    kind = pa.list_(pa.float32(), encoder.dim)
    joined = [pa.field("joined", kind)] if encoder.spec.morphometrics else []
    return pa.schema([("view", pa.int32()), ("fov_um", pa.float64()), ("vector", kind), *joined])


def _finish(journal: Journal, encoder: ViewEncoder, todo: Sequence[CatalogEntry], jobs: int) -> None:
    """Draw and encode the neurons that the journal lacks."""
    settings = render_settings(encoder.spec)
    compile_first(settings, min(jobs, len(todo)), png=False)
    rendered = map_ordered(partial(render_entry, settings=settings), todo, jobs)
    n_seen = journal.n_neurons
    for neuron in track(rendered, "embedding neurons", len(todo)):
        batch = _encode(encoder, neuron) if neuron.views else None
        journal.append(PackedNeuron(batch, neuron.qc, neuron.measure))
    fov_um = [batch["fov_um"].to_numpy() for batch in (item.batch for item in journal) if batch is not None]
    if fov_um and journal.n_neurons > n_seen:
        warn_of_scale(encoder.spec, np.concatenate(fov_um))


def _encode(encoder: ViewEncoder, neuron: RenderedNeuron) -> pa.RecordBatch:
    """Vectors of the views of a neuron; joined ones too, if the model takes morphometrics."""
    images = batch_of_images(neuron.views)
    inputs, dim = encoder.spec.morphometrics, encoder.dim
    block = np.repeat(morphometric_features([neuron.measure], inputs), len(neuron.views), axis=0) if inputs else None
    found = encode_batches(encoder, [images], morphometrics=block)
    schema = _schema(encoder)
    columns = [
        pa.array([view.row["view"] for view in neuron.views], pa.int32()),
        pa.array(images.fov_um.double().cpu().numpy()),
    ]
    for start in range(0, found.shape[1], dim):
        flat = pa.array(np.ascontiguousarray(found[:, start : start + dim]).reshape(-1), pa.float32())
        columns.append(pa.FixedSizeListArray.from_arrays(flat, dim))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _former(files: EmbeddedFiles, encoder: ViewEncoder, entries: Sequence[CatalogEntry]) -> dict[str, PackedNeuron]:
    """Neurons that a former run finished with this model, and whose files are what they were."""
    if not all(file.is_file() for file in (files.views, files.neurons, files.quality)):
        return {}
    views = read_vectors(files.views)
    alike = (views.checkpoint, views.spec) == (encoder.fingerprint, encoder.spec)
    if not alike:
        return {}
    table = read_table(files.neurons).drop_columns(["vector"])
    measures = {row["neuron_id"]: row for row in table.to_pylist()}
    qc = {row["neuron_id"]: row for row in read_quality_csv(files.quality)}
    batches = _batches(views, encoder)
    known = {}
    for entry in entries:
        measure = measures.get(entry.neuron_id)
        unchanged = measure is not None and (measure["swc"], measure["sha256"]) == (entry.swc, entry.sha256)
        if measure is not None and unchanged and entry.sha256 and entry.neuron_id in qc:
            known[entry.neuron_id] = PackedNeuron(batches.get(entry.neuron_id), [qc[entry.neuron_id]], measure)
    return known


def _batches(views: ViewVectors, encoder: ViewEncoder) -> dict[str, pa.RecordBatch]:
    """The vectors of each neuron as a journal has them; fields of view are not known any more."""
    names = np.asarray(views.neuron_id, dtype=np.str_)
    order = np.argsort(names, kind="stable")
    unique, starts = np.unique(names[order], return_index=True)
    schema, found = _schema(encoder), {}
    for name, rows in zip(unique.tolist(), np.split(order, starts[1:]), strict=True):
        columns: dict[str, Any] = {"view": views.view[rows], "fov_um": np.full(len(rows), np.nan)}
        columns["vector"] = list(views.vector[rows])
        if views.joined is not None:
            columns["joined"] = list(views.joined[rows])
        found[name] = pa.RecordBatch.from_pydict(columns, schema=schema)
    return found


def _write(files: EmbeddedFiles, encoder: ViewEncoder, entries: Sequence[CatalogEntry], done: Done) -> Counter[str]:
    """Write all files, the vectors last; say what is bad before refusing."""
    neurons = [done[entry.neuron_id] for entry in entries]
    qc = [row for neuron in neurons for row in neuron.qc]
    counts = Counter(str(row["status"]) for row in qc)
    write_quality_csv(files.quality, qc)
    if not counts[OK]:
        reasons = ", ".join(f"{code} {n}" for code, n in counts.most_common())
        raise UserError(f"none of the {len(entries)} SWC files could be embedded ({reasons}); see {files.quality}")
    views = _view_vectors(encoder, entries, done)
    table = measure_table(neuron.measure for neuron in neurons)
    sha256 = {entry.neuron_id: entry.sha256 for entry in entries}
    ids = table["neuron_id"].to_pylist()
    status = {row["neuron_id"]: row["status"] for row in qc}
    place = table.schema.get_field_index("status")
    table = table.set_column(place, "status", pa.array([status[name] for name in ids], pa.string()))
    table = table.append_column("sha256", pa.array([sha256[name] for name in ids], pa.string()))
    vectors = dict(_pooled(views))
    table = table.append_column(
        "vector", pa.array([vectors.get(name) for name in ids], pa.list_(pa.float32(), encoder.dim))
    )
    write_table(files.neurons, table)
    write_vectors(files.views, views)
    return counts


def _view_vectors(encoder: ViewEncoder, entries: Sequence[CatalogEntry], done: Done) -> ViewVectors:
    named = [(e.neuron_id, b) for e in entries if (b := done[e.neuron_id].batch) is not None]
    table = pa.Table.from_batches([batch for _, batch in named])

    def vectors(name: str) -> Any:
        return pa.concat_arrays([c.flatten() for c in table[name].chunks]).to_numpy().reshape(-1, encoder.dim)

    return ViewVectors(
        neuron_id=[name for name, batch in named for _ in range(len(batch))],
        view=table["view"].to_numpy().astype(np.int64),
        vector=vectors("vector"),
        checkpoint=encoder.fingerprint,
        stage=encoder.stage,
        spec=encoder.spec,
        joined=vectors("joined") if encoder.spec.morphometrics else None,
    )


def _pooled(views: ViewVectors) -> Iterator[tuple[str, Any]]:
    """The vector of each neuron, with its morphometrics where the model takes them."""
    poses = pool_poses(views.vector if views.joined is None else views.joined, views.neuron_id, "mean")
    yield from zip(poses.names, poses.vectors, strict=True)
