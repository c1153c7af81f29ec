"""From files to what evaluation works on: vectors, metadata, measurements, references, captions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from axonet.core.errors import UserError
from axonet.core.files import read_table
from axonet.core.progress import say, warn
from axonet.datasets.selection import keep_neurons, shard_files
from axonet.evaluation import references
from axonet.evaluation.data import AS_TYPED, JOINED, Embedding, EvaluationData, Ints, Neurons, join_vectors
from axonet.evaluation.head_reference import morphometrics_head
from axonet.evaluation.leaks import find_leaks, heed_leaks
from axonet.evaluation.lineage import Lineage, find_lineage, trained_by_split_file
from axonet.evaluation.places import MEASURES, Chosen, Places
from axonet.evaluation.settings import EvaluationSettings
from axonet.evaluation.sharing import Sharing, find_sharing
from axonet.evaluation.stage1 import decode
from axonet.evaluation.view_vectors import find_vectors, finite_vectors, merged_embeddings
from axonet.learning.clip_views import stored_views
from axonet.metadata.adapters import load_records
from axonet.metadata.index import RecordIndex
from axonet.metadata.record import NeuronRecord

if TYPE_CHECKING:
    from axonet.inference.embed import EmbeddingModel

Rows = Mapping[str, Mapping[str, Any]]
ROWS_AT_ONCE = 8192


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
    rows = _measures(places, chosen.names)
    lineage = _lineage(places, chosen, recorded, index, rows)
    everyone = _Facts(index, rows, chosen, lineage)
    _check_records(places, chosen, everyone)
    leaks = find_leaks(everyone.sharing(chosen.judged, chosen.learned_on), chosen.promised)
    leak_rows = heed_leaks(leaks, chosen.judged, settings)
    chosen = replace(chosen, judged=tuple(neuron for neuron in chosen.judged if neuron not in leaks.neurons))
    vectors, broken = finite_vectors(find_vectors(places, chosen, model, settings, rows))
    there = set(vectors.neuron_id)
    judged = [neuron for neuron in chosen.judged if neuron in there]
    ids = [*judged, *(neuron for neuron in chosen.learned_on if neuron in there)]
    if not judged:
        raise UserError("none of the judged neurons has vectors; encode them, or leave out --vectors")
    records = [everyone.record(neuron) for neuron in ids]
    measures = [rows.get(neuron) for neuron in ids]
    sharing = everyone.sharing(judged, ids[len(judged) :])
    lost = [*chosen.without_views, *(neuron for neuron in chosen.judged if neuron not in there | broken)]
    learned_on = np.arange(len(judged), len(ids)) if len(ids) > len(judged) else np.arange(len(judged))
    found, left_out = _references(chosen, model, ids, learned_on, settings)
    neurons = Neurons(tuple(ids), tuple(records), tuple(measures), sharing.groups[: len(ids)])
    if settings.baselines:
        head, no_head = morphometrics_head(model, neurons, len(judged), settings)
        found, left_out = {**found, **head}, (*left_out, *no_head)
    joined = None
    if vectors.joined is not None:
        joined = join_vectors(vectors.neuron_id, vectors.joined, ids, settings.pooling)
    elif model.takes_morphometrics:
        left_out = (*left_out, _not_joined(places))
    one_dendrite, both_one = merged_embeddings(merged, chosen, settings, rows, ids)
    return EvaluationData(
        neurons=neurons,
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
        compartments=AS_TYPED if model.spec.inputs == "shape" else None,
        stage1=decode(model.encoder, chosen.stores, judged, settings.seed),
        references=found,
        notes=(*chosen.notes, *_broken_notes(broken, ids), *_missing_to_learn_on(chosen, there)),
        promised=chosen.promised,
        dropped=(*leak_rows,
                 *_lost_rows(lost, "views", "it has no views: see the table of what was skipped in rendering"),
                 *_lost_rows([neuron for neuron in chosen.judged if neuron in broken - there], "vectors",
                             "all its vectors hold values that are not finite"),
                 *_lost_rows([i for i, r in zip(judged, records, strict=False) if r is None], "metadata",
                             "the metadata does not name its SWC file"), *left_out),
    )  # fmt: skip


def _not_joined(places: Places) -> dict[str, object]:
    where = "the vectors given were encoded without them" if places.vectors or places.encode_dir else "none are here"
    reason = f"the model joins morphometrics, but {where}: the image alone is judged"
    return {"task": JOINED, "class": None, "n": None, "n_train": None, "reason": reason}


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


class _Facts:
    """What is known of the neurons of a run, by id."""

    def __init__(self, index: RecordIndex, rows: Rows, chosen: Chosen, lineage: Lineage) -> None:
        self._index, self._rows, self._lineage = index, rows, lineage
        self._names = chosen.names
        names = {name for name in chosen.names.values() if name.lower().endswith(".swc")}
        self._files = index.join(sorted(names))
        if problem := self._files.problem():
            warn(problem)

    def record(self, neuron: str) -> NeuronRecord | None:
        """Its metadata."""
        name = self._names[neuron]
        return self._files.records.get(name) if name.lower().endswith(".swc") else self._index.by_id(name)

    def sharing(self, judged: Sequence[str], learned_on: Sequence[str]) -> Sharing:
        """What judged neurons have in common with those learned on, or that made the model."""
        own = [*judged, *learned_on]
        ids = [*own, *sorted((self._lineage.trained | self._lineage.selected) - set(own))]
        records, measures = [self.record(neuron) for neuron in ids], [self._rows.get(neuron) for neuron in ids]
        return find_sharing(ids, records, measures, len(judged), self._lineage)


def _check_records(places: Places, chosen: Chosen, facts: _Facts) -> None:
    """Say how many neurons have metadata; refuse metadata of others."""
    wanted = [*chosen.judged, *chosen.learned_on]
    known = [facts.record(neuron) is not None for neuron in wanted]
    say(f"{places.metadata}: metadata for {sum(known)} of {len(wanted)} neurons")
    if not any(known[: len(chosen.judged)]):
        raise UserError(
            f"{places.metadata}: names none of the judged neurons of {places.manifest or places.splits} (looked for "
            f"{chosen.names[wanted[0]]!r}); is it the metadata of these neurons, and --source right?"
        )


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
    keys = pa.array(sorted(wanted), pa.string())
    for file in files:
        read_table(file, ["neuron_id", "status"])  # names the column that a wrong table lacks
        rows |= _wanted_rows(read_table(file), keys)
    return rows


def _wanted_rows(table: pa.Table, keys: pa.Array) -> dict[str, Mapping[str, Any]]:
    """Rows of the wanted neurons; nothing is made of the others, and little at a time of these."""
    own = table.filter(pc.is_in(table["neuron_id"], keys))
    batches = own.to_batches(max_chunksize=ROWS_AT_ONCE)
    return {row["neuron_id"]: row for batch in batches for row in batch.to_pylist()}


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
        names = (references.UNTRAINED, references.PICTURES, references.DENSITY)
        return {}, tuple({"task": n, "class": None, "n": None, "n_train": None, "reason": reason} for n in names)
    return references.make_references(model, stores, ids, fitted_on, settings), ()
