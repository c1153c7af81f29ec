"""What fewer views of a neuron and fewer labels cost: nearest neighbors, which swing less than a fitted probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from axonet.core.seeds import rng
from axonet.evaluation.data import Array, Embedding, EvaluationData, Ints
from axonet.evaluation.folds import Fold, Question
from axonet.evaluation.probes import neighbor_scores
from axonet.evaluation.scoring import Figure, Row, Sample, classification_figures, make_row
from axonet.metrics.bootstrap import group_strata

K = 5
VIEWS, SHARES = (1, 3, 6, 12, 24), (0.1, 0.25, 0.5)
N_DRAWS = 3  # of the labels that are kept: their figures are averaged
METRIC = "balanced_accuracy"


def curve_rows(question: Question, data: EvaluationData, sample: Sample, seed: int) -> list[Row]:
    """Rows of both curves, each beside the figure with all views and all labels, on the same resamples.

    ``views3``: with the first three views of every neuron (they lie along its principal axes), judged and learned on.
    ``labels25``: with a quarter of the groups of every class to learn from, three draws averaged.
    """
    if data.embedding.pooling == "none":
        return []
    whole = _figure(question, data.embedding, sample)
    rows = []
    most = int(np.bincount(data.embedding.owner).max())
    for n_views in (n for n in VIEWS if n < most):
        own = _figure(question, first_views(data.embedding, n_views), sample)
        rows.append(_row(f"views{n_views}", question, data, sample, own, f"{most}_views", whole))
    for share in SHARES:
        draws = [fewer_labels(question, data.neurons.groups, share, seed, draw) for draw in range(N_DRAWS)]
        own = _average([_figure(asked, data.embedding, sample) for asked in draws])
        rows.append(_row(f"labels{share:.0%}".rstrip("%"), question, data, sample, own, "all_labels", whole))
    return rows


def first_views(embedding: Embedding, n_views: int) -> Embedding:
    """The first views of every neuron."""
    starts = np.flatnonzero(np.diff(embedding.owner, prepend=-1))
    place = np.arange(len(embedding.owner)) - np.repeat(starts, np.diff(np.append(starts, len(embedding.owner))))
    kept = place < n_views
    return Embedding(embedding.vectors[kept], embedding.owner[kept], embedding.pooling)


def fewer_labels(question: Question, groups: Sequence[str], share: float, seed: int, draw: int) -> Question:
    """The same question with a share of the groups of every class to learn from, at least one of each."""
    stream = rng(seed, "fewer_labels", question.field.name, f"{share}", str(draw))
    folds = [Fold(_some(fold.train, question.truth, groups, share, stream), fold.test) for fold in question.folds]
    return replace(question, folds=tuple(folds))


def _some(train: Ints, truth: Ints, groups: Sequence[str], share: float, stream: np.random.Generator) -> Ints:
    group, stratum = group_strata([groups[i] for i in train], [int(truth[i]) for i in train])
    kept = [
        stream.permutation(own)[: max(1, round(share * len(own)))]
        for own in (np.flatnonzero(stratum == code) for code in np.unique(stratum))
    ]
    return train[np.isin(group, np.concatenate(kept))]


def _figure(question: Question, embedding: Embedding, sample: Sample) -> Figure:
    return classification_figures(sample, neighbor_scores(question, embedding, K))[METRIC]


def _average(figures: Sequence[Figure]) -> Figure:
    parts: list[Array] = [figure.resampled for figure in figures if figure.resampled is not None]
    value = float(np.mean([figure.value for figure in figures]))
    return Figure(value, np.mean(parts, axis=0) if parts else None)


def _row(
    name: str, question: Question, data: EvaluationData, sample: Sample, own: Figure, baseline: str, whole: Figure
) -> Row:
    head: Row = {
        "task": f"{name}_{question.field.name}",
        "split": data.held_out,
        "model": data.model,
        "compartments": None,
    }
    even = 1 / sample.n_classes  # in balanced accuracy chance and every constant answer alike
    return make_row(head, METRIC, own, sample.about, even, even, baseline, whole)
