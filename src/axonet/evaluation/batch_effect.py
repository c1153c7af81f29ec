"""How far a vector tells the laboratory, of neurons of one cell type: types that few laboratories have count not."""

from __future__ import annotations

from collections import Counter

import numpy as np

from axonet.core.seeds import rng
from axonet.evaluation.data import Array, Embedding, EvaluationData, Floats, Ints
from axonet.evaluation.labels import FIELDS, labels_of
from axonet.evaluation.scoring import Figure, Row, make_row
from axonet.evaluation.similarity import CHUNK
from axonet.metrics.bootstrap import bootstrap_weights, weighted_means

K = 5
FEWEST_DONORS = 2  # of an archive within a cell type: neighbors of the same donor do not count


def batch_rows(data: EvaluationData, n_resamples: int, seed: int) -> tuple[list[Row], str | None]:
    """Rows about the archives of the judged neurons, and why there are none.

    ``archive_accuracy``: the archive is read off the five nearest neighbors of the same cell type and another donor;
    recall averaged over archives, then over cell types. ``same_archive_neighbors``: the share of these neighbors that
    are of the neuron's own archive. Chance: neighbors drawn at random. A vector without a laboratory in it is at
    chance in both.
    """
    kind, archive, donor = _codes(data)
    kept = np.flatnonzero(kind >= 0)
    if not len(kept):
        return [], f"no cell type has two archives with {FEWEST_DONORS} donors each among the judged neurons"
    embedding = data.embedding
    vectors = Embedding(embedding.vectors, embedding.owner, "mean").item_vectors[kept]
    kind, archive, donor = kind[kept], archive[kept], donor[kept]
    share, expected, right = _neighbors(vectors, kind, archive, donor)
    groups = [data.neurons.groups[i] for i in kept]
    weights = bootstrap_weights(groups, archive.tolist(), n_resamples, rng(seed, "bootstrap", "batch_effect"))
    about: Row = {"n": len(kept), "groups": len(set(groups)), "classes": len(np.unique(archive))}
    head: Row = {
        "task": f"batch_effect_{FIELDS[0].name}",
        "split": data.held_out,
        "model": data.model,
        "compartments": None,
    }
    rows = []
    balance = _balance(kind, archive)
    for metric, own, chance in (
        ("archive_accuracy", right * balance, _chance_accuracy(kind, archive) * balance),
        ("same_archive_neighbors", share, expected),
    ):
        own_figure, chance_figure = (_mean(values, balance, metric, weights) for values in (own, chance))
        rows.append(make_row(head, metric, own_figure, about, chance_figure.value, None, "chance", chance_figure))
    return rows, None


def _mean(values: Array, balance: Array, metric: str, weights: Array | None) -> Figure:
    """Mean over items; where they are balanced, over archives within types, also in resamples."""
    if metric != "archive_accuracy":
        return Figure(float(values.mean()), None if weights is None else weighted_means(values, weights))
    value = float(values.sum() / balance.sum())
    return Figure(value, None if weights is None else weights @ values / (weights @ balance))


def _codes(data: EvaluationData) -> tuple[Ints, Ints, Ints]:
    """Cell type, archive within the type, and donor of every judged neuron; type -1 for those not in question."""
    labels, records = labels_of(data.neurons, FIELDS[0]), data.neurons.records
    facts = []
    for index in data.judged:
        record, label = records[index], labels[index]
        archive = None if record is None else record.archive
        # A neuron whose donor nobody tells is its own.
        donor = f"neuron:{index}" if record is None or record.donor is None else f"donor:{record.donor}"
        facts.append((label, archive, donor))
    n_donors = Counter((label, archive) for label, archive, _ in set(facts) if label is not None and archive)
    usable = {pair for pair, n in n_donors.items() if n >= FEWEST_DONORS}
    n_archives = Counter(label for label, _ in usable)
    kept = sorted((str(label), str(archive)) for label, archive in usable if n_archives[label] > 1)
    place = {pair: index for index, pair in enumerate(kept)}
    kinds = {label: index for index, label in enumerate(sorted({label for label, _ in kept}))}
    pair_of = [place.get((str(label), str(archive)), -1) for label, archive, _ in facts]
    kind = [kinds[kept[pair][0]] if pair >= 0 else -1 for pair in pair_of]
    donors = {own: index for index, own in enumerate(sorted({(archive or "", donor) for _, archive, donor in facts}))}
    donor_of = [donors[archive or "", donor] for _, archive, donor in facts]
    return np.array(kind, dtype=np.int64), np.array(pair_of, dtype=np.int64), np.array(donor_of, dtype=np.int64)


def _neighbors(vectors: Floats, kind: Ints, archive: Ints, donor: Ints) -> tuple[Array, Array, Array]:
    """Of every neuron: share of neighbors of its archive, that share at random, and whether most votes are right."""
    share, expected, right = (np.zeros(len(kind)) for _ in range(3))
    for code in np.unique(kind):
        own = np.flatnonzero(kind == code)
        mine = vectors[own].astype(np.float64)
        names, place = np.unique(archive[own], return_inverse=True)
        member = np.eye(len(names))[place]  # (n, archives)
        step = max(1, CHUNK // len(own))
        for at in range(0, len(own), step):
            rows = slice(at, at + step)
            near = np.round(mine[rows] @ mine.T, 7)
            other = donor[own[rows]][:, None] != donor[own][None, :]  # (r, n)
            near[~other] = -np.inf
            nearest = np.argsort(-near, axis=1, kind="stable")[:, :K]
            counted = np.take_along_axis(other, nearest, axis=1)  # fewer than K where so many are the same donor's
            votes = (member[nearest] * counted[:, :, None]).sum(axis=1)  # (r, archives)
            here = np.arange(len(votes))
            true = place[rows]
            share[own[rows]] = votes[here, true] / np.maximum(counted.sum(axis=1), 1)
            expected[own[rows]] = (other @ member)[here, true] / np.maximum(other.sum(axis=1), 1)
            best = votes.max(axis=1)
            right[own[rows]] = (votes[here, true] == best) / (votes == best[:, None]).sum(axis=1)  # ties are shared
    return share, expected, right


def _balance(kind: Ints, archive: Ints) -> Array:
    """Weight of every neuron that gives each archive of a type, and each type, the same say."""
    in_archive = np.bincount(archive)[archive]
    pairs = np.unique(np.stack([kind, archive]), axis=1)
    return np.asarray(1.0 / (in_archive * np.bincount(pairs[0])[kind]))


def _chance_accuracy(kind: Ints, archive: Ints) -> Array:
    """One over the number of archives of each neuron's type."""
    pairs = np.unique(np.stack([kind, archive]), axis=1)
    return np.asarray(1.0 / np.bincount(pairs[0])[kind])
