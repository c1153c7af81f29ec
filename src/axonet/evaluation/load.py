"""From files to what evaluation works on: vectors, metadata, measurements, references, captions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from axonet.core.errors import UserError
from axonet.core.files import read_table
from axonet.core.progress import say, warn
from axonet.datasets.selection import keep_neurons, shard_files
from axonet.evaluation import references
from axonet.evaluation.data import JOINED, Embedding, EvaluationData, Ints, Neurons, join_vectors
from axonet.evaluation.lineage import Lineage, find_lineage, trained_by_split_file
from axonet.evaluation.places import MEASURES, Chosen, Places
from axonet.evaluation.settings import EvaluationSettings
from axonet.evaluation.sharing import find_sharing
from axonet.inference.vectors import ViewVectors, read_vectors, write_vectors
from axonet.learning.clip_views import stored_views
from axonet.metadata.adapters import load_records
from axonet.metadata.index import RecordIndex
from axonet.metadata.record import NeuronRecord

if TYPE_CHECKING:
    from axonet.datasets.view_store import ViewStore
    from axonet.inference.embed import EmbeddingModel

VECTORS = "vectors.parquet"


def load_data(
    places: Places,
    chosen: Chosen,
    model: EmbeddingModel,
    settings: EvaluationSettings,
    recorded: Mapping[str, str],
    merged: EmbeddingModel | None = None,
) -> EvaluationData:
    """Read everything about the chosen neurons, encoding their views where no vectors were given.

    Args:
        places: where everything is.
        chosen: who is judged and learned on.
        model: encodes, and says whose vectors are wanted.
        settings: of the evaluation.
        recorded: the checkpoint's digests of the neurons that made the model; empty where it tells nothing.
        merged: the same model, shown basal and apical dendrites as one, if it sees node types.

    Raises:
        UserError: a file is missing, broken, or of another model.
    """
    index = RecordIndex(load_records(places.metadata, places.source, places.columns))  # before anything that takes long
    wanted = [*chosen.judged, *chosen.learned_on]
    rows = _measures(places, chosen.names)
    vectors, broken = finite_vectors(find_vectors(places, chosen, model, settings, rows))
    there = set(vectors.neuron_id)
    judged = [neuron for neuron in chosen.judged if neuron in there]
    ids = [neuron for neuron in wanted if neuron in there]
    if not judged:
        raise UserError("none of the judged neurons has vectors; encode them, or leave out --vectors")
    records = _records(index, places, chosen, ids, len(judged))
    measures = [rows.get(neuron) for neuron in ids]
    lineage = _lineage(places, chosen, recorded, index, rows)
    others = sorted((lineage.trained | lineage.selected) - set(ids))
    sharing = find_sharing(
        [*ids, *others],
        [*records, *(index.match(chosen.names[neuron]) for neuron in others)],
        [*measures, *(rows.get(neuron) for neuron in others)],
        len(judged),
        lineage,
    )
    lost = [*chosen.without_views, *(neuron for neuron in chosen.judged if neuron not in there | broken)]
    learned_on = np.arange(len(judged), len(ids)) if len(ids) > len(judged) else np.arange(len(judged))
    found, left_out = _references(chosen, model, ids, learned_on, settings)
    joined = None
    if vectors.joined is not None:
        joined = join_vectors(vectors.neuron_id, vectors.joined, ids, settings.pooling)
    elif model.takes_morphometrics:
        left_out = (*left_out, _not_joined(places))
    one_dendrite, both_one = _merged_embeddings(merged, chosen, settings, rows, ids)
    return EvaluationData(
        neurons=Neurons(tuple(ids), tuple(records), tuple(measures), sharing.groups[: len(ids)]),
        n_judged=len(judged),
        embedding=join_vectors(vectors.neuron_id, vectors.vector, ids, settings.pooling),
        judged_split=chosen.split,
        held_out=sharing.held_out,
        same_donor=sharing.same_donor,
        same_lab=sharing.same_lab,
        checkpoint=model.fingerprint,
        joined=joined,
        merged=one_dendrite,
        merged_joined=both_one,
        references=found,
        notes=(*chosen.notes, *_broken_notes(broken, ids), *_missing_to_learn_on(chosen, there)),
        dropped=(*_lost_rows(lost, "views", "it has no views: see the table of what was skipped in rendering"),
                 *_lost_rows([neuron for neuron in chosen.judged if neuron in broken - there], "vectors",
                             "all its vectors hold values that are not finite"),
                 *_lost_rows([i for i, r in zip(judged, records, strict=False) if r is None], "metadata",
                             "the metadata does not name its SWC file"), *left_out),
    )  # fmt: skip


def _not_joined(places: Places) -> dict[str, object]:
    where = "the vectors given were encoded without them" if places.vectors or places.encode_dir else "none are here"
    reason = f"the model joins morphometrics, but {where}: the image alone is judged"
    return {"task": JOINED, "class": None, "n": None, "n_train": None, "reason": reason}


def finite_vectors(vectors: ViewVectors) -> tuple[ViewVectors, set[str]]:
    """The vectors whose values are all finite, and the neurons that others were of."""
    good = np.isfinite(vectors.vector).all(axis=1)
    if vectors.joined is not None:
        good &= np.isfinite(vectors.joined).all(axis=1)
    if good.all():
        return vectors, set()
    kept = np.flatnonzero(good)
    joined = None if vectors.joined is None else vectors.joined[kept]
    broken = {vectors.neuron_id[i] for i in np.flatnonzero(~good)}
    names = [vectors.neuron_id[i] for i in kept]
    whole = replace(vectors, neuron_id=names, view=vectors.view[kept], vector=vectors.vector[kept], joined=joined)
    return whole, broken


def _broken_notes(broken: Collection[str], ids: Sequence[str]) -> tuple[str, ...]:
    """A sentence on neurons that are judged or learned on with fewer views than they have."""
    fewer = sorted(set(broken) & set(ids))
    if not fewer:
        return ()
    return (f"Some vectors of {len(fewer)} neurons hold values that are not finite (for example of {fewer[0]}): "
            "these views are left out.",)  # fmt: skip


def _missing_to_learn_on(chosen: Chosen, there: Collection[str]) -> tuple[str, ...]:
    missing = sum(neuron not in there for neuron in chosen.learned_on)
    if not missing:
        return ()
    return (f"{missing} of {len(chosen.learned_on)} neurons to learn on have no vectors: probes learn without them.",)


def _lineage(
    places: Places,
    chosen: Chosen,
    recorded: Mapping[str, str],
    index: RecordIndex,
    measures: Mapping[str, Mapping[str, Any]],
) -> Lineage:
    """Which of the neurons here made the model."""
    stores = (chosen.training, chosen.selection)
    by_split_file = places.splits is not None and trained_by_split_file(places.checkpoint, places.splits)
    if by_split_file:
        trained, selected = (frozenset(() if store is None else store.neuron_ids) for store in stores)
        return Lineage(True, trained, selected)
    named = places.splits is None
    training, selection = (None if store is None else stored_views(store, named_by_swc=named) for store in stores)
    return find_lineage(recorded, training, selection, index, measures)


def _lost_rows(lost: Sequence[str], task: str, reason: str) -> tuple[dict[str, object], ...]:
    if not lost:
        return ()
    example = f" (for example {lost[0]})" if len(lost) > 1 else f" ({lost[0]})"
    return ({"task": task, "class": None, "n": len(lost), "n_train": None, "reason": reason + example},)


def find_vectors(
    places: Places,
    chosen: Chosen,
    model: EmbeddingModel,
    settings: EvaluationSettings,
    measures: Mapping[str, Mapping[str, Any]],
) -> ViewVectors:
    """Vectors of the chosen neurons' views: given ones, or made now and kept in the output folder.

    Args:
        places: where vectors are, if any.
        chosen: the neurons.
        model: encodes.
        settings: how.
        measures: measurements by neuron id, which a model may join.

    Raises:
        UserError: given vectors are of another checkpoint.
    """
    if places.vectors is not None or places.encode_dir is not None:
        files = _vector_files(places)
        vectors = read_vectors(files)
        if vectors.checkpoint != model.fingerprint:
            raise UserError(
                f"{files[0]}: vectors of checkpoint {vectors.checkpoint}, but {places.checkpoint} is "
                f"{model.fingerprint}; encode the views with it, or leave out the vectors"
            )
        return vectors
    vectors = _encode(model, chosen, settings, measures)
    write_vectors(places.output_dir / VECTORS, vectors)
    return vectors


def _merged_embeddings(
    merged: EmbeddingModel | None,
    chosen: Chosen,
    settings: EvaluationSettings,
    measures: Mapping[str, Mapping[str, Any]],
    ids: Sequence[str],
) -> tuple[Embedding | None, Embedding | None]:
    """What a model that sees node types makes of merged dendrites: of the image, and with morphometrics joined."""
    if merged is None or not settings.baselines:
        return None, None
    own = _encode(merged, chosen, settings, measures)
    both = None if own.joined is None else join_vectors(own.neuron_id, own.joined, ids, settings.pooling)
    return join_vectors(own.neuron_id, own.vector, ids, settings.pooling), both


def _encode(
    model: EmbeddingModel, chosen: Chosen, settings: EvaluationSettings, measures: Mapping[str, Mapping[str, Any]]
) -> ViewVectors:
    """Vectors of the chosen neurons' views."""
    known = measures or None
    parts = [
        model.embed_views(store, settings.batch_size, settings.num_workers, known) for store in _own_stores(chosen)
    ]
    return ViewVectors(
        [neuron for part in parts for neuron in part.neuron_id],
        np.concatenate([part.view for part in parts]),
        np.concatenate([part.vector for part in parts]),
        parts[0].checkpoint, parts[0].stage, parts[0].spec,
        None if parts[0].joined is None else np.concatenate([p.joined for p in parts if p.joined is not None]),
    )  # fmt: skip


def _vector_files(places: Places) -> list[Path]:
    if places.encode_dir is not None and places.shards is not None and places.vectors is None:
        return shard_files(places.shards, places.encode_dir, ".parquet")
    assert places.vectors is not None
    if not places.vectors.is_dir():
        return [places.vectors]
    files = sorted(places.vectors.glob("*.parquet"))
    if not files:
        raise UserError(f"{places.vectors}: no Parquet files of vectors in this folder")
    return files


def _own_stores(chosen: Chosen) -> list[ViewStore]:
    """The views of the chosen neurons alone."""
    return [keep_neurons(store, [*chosen.judged, *chosen.learned_on]) for store in chosen.stores]


def _records(
    index: RecordIndex, places: Places, chosen: Chosen, ids: Sequence[str], n_judged: int
) -> list[NeuronRecord | None]:
    names = [chosen.names[neuron] for neuron in ids]
    files = index.join(sorted({name for name in names if name.lower().endswith(".swc")}))
    if problem := files.problem():
        warn(problem)
    records = [files.records.get(name) if name.lower().endswith(".swc") else index.by_id(name) for name in names]
    known = sum(record is not None for record in records)
    say(f"{places.metadata}: metadata for {known} of {len(ids)} neurons")
    if not any(record is not None for record in records[:n_judged]):
        raise UserError(
            f"{places.metadata}: names none of the judged neurons of {places.manifest or places.splits} (looked for "
            f"{chosen.names[ids[0]]!r}); is it the metadata of these neurons, and --source right?"
        )
    return records


def _measures(places: Places, wanted: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """Rows of the tables of measurements by neuron id; a missing table is said, and forests and captions go without."""
    files: list[Path] = []
    if places.shards is not None and places.measure_dir is not None:
        files = shard_files(places.shards, places.measure_dir, ".parquet")
    elif places.shards is None and (folder := places.measure_dir or places.data_dir) is not None:
        files = [folder / MEASURES]
        if places.measure_dir is None and not files[0].is_file():
            warn(f"{files[0]}: no such file; captions have no figures, and there are no forests on morphometrics")
            files = []
    rows: dict[str, Mapping[str, Any]] = {}
    for file in files:
        read_table(file, ["neuron_id", "status"])  # names the column that a wrong table lacks
        rows |= {row["neuron_id"]: row for row in read_table(file).to_pylist() if row["neuron_id"] in wanted}
    return rows


def _references(
    chosen: Chosen, model: EmbeddingModel, ids: Sequence[str], fitted_on: Ints, settings: EvaluationSettings
) -> tuple[dict[str, Embedding], tuple[dict[str, object], ...]]:
    """Embeddings to beat, made of the first views of every neuron."""
    if not settings.baselines:
        return {}, ()
    stores = [references.first_views(keep_neurons(store, ids)) for store in chosen.stores]
    n_views = sum(len(store) for store in stores)
    if n_views > references.MOST_VIEWS:
        reason = f"not computed: {n_views:,} views are more than {references.MOST_VIEWS:,}"
        names = (references.UNTRAINED, references.PICTURES)
        return {}, tuple({"task": n, "class": None, "n": None, "n_train": None, "reason": reason} for n in names)
    return references.make_references(model, stores, ids, fitted_on, settings), ()
