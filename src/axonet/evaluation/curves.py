"""What fewer views of a neuron and fewer labels cost: neighbors, the logistic probe, and the forest beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from axonet.core.seeds import rng
from axonet.evaluation.baselines import feature_sets, features, forest_scores
from axonet.evaluation.data import Array, Embedding, EvaluationData, Ints
from axonet.evaluation.folds import Fold, Question
from axonet.evaluation.probes import logistic_scores, neighbor_scores
from axonet.evaluation.scoring import Figure, Row, Sample, classification_figures, make_row
from axonet.metrics.bootstrap import group_strata

K = 5
VIEWS, SHARES = (1, 3, 6, 12, 24), (0.1, 0.25, 0.5)
N_DRAWS = 3  # of the labels that are kept: their figures are averaged
METRIC, FOREST = "balanced_accuracy", "forest"


def curve_rows(question: Question, data: EvaluationData, sample: Sample, seed: int, *, forest: bool) -> list[Row]:
    """Rows of both curves, each beside the figure with all views and all labels, on the same resamples.

    ``views3``: with the first three views of every neuron (they lie along its principal axes), judged and learned on.
    ``labels25``: with a quarter of the groups of every class to learn from, three draws averaged; ``logistic25`` the
    same of the logistic probe, ``forest25`` of a forest on the morphometrics that read no node types. The last one's
    rows are the same for every embedding and stand with the image's.
    """
    if data.embedding.pooling == "none":
        return []
    whole = _figure(question, data.embedding, sample)
    rows = []
    most = int(np.bincount(data.embedding.owner).max())
    for n_views in (n for n in VIEWS if n < most):
        own = _figure(question, first_views(data.embedding, n_views), sample)
        rows.append(_row(f"views{n_views}", question, data, sample, own, f"{most}_views", whole))
    for name, learner in learners(data, seed, forest=forest).items():
        every = whole if name == "labels" else _of(sample, learner(question))
        for share in SHARES:
            draws = [fewer_labels(question, data.neurons.groups, share, seed, draw) for draw in range(N_DRAWS)]
            own = _average([_of(sample, learner(asked)) for asked in draws])
            model = FOREST if name == "forest" else data.model
            percent = f"{name}{share:.0%}".rstrip("%")
            rows.append(_row(percent, question, data, sample, own, "all_labels", every, model))
    return rows


def learners(data: EvaluationData, seed: int, *, forest: bool) -> dict[str, Callable[[Question], Array]]:
    """What learns from fewer labels, by the name in front of the percentage."""
    embedding = data.embedding
    groups = np.array(data.neurons.groups)[embedding.items]

    def neighbors(asked: Question) -> Array:
        return neighbor_scores(asked, embedding, K)

    def logistic(asked: Question) -> Array:
        return logistic_scores(asked, embedding, embedding.item_vectors, groups, seed)

    found: dict[str, Callable[[Question], Array]] = {"labels": neighbors, "logistic": logistic}
    names = feature_sets(data.neurons.measured_names)[FOREST] if forest else []
    if names:
        measured = features(data.neurons, names)
        found["forest"] = lambda asked: forest_scores(asked, embedding, measured, seed, FOREST)
    return found


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
    return _of(sample, neighbor_scores(question, embedding, K))


def _of(sample: Sample, scores: Array) -> Figure:
    return classification_figures(sample, scores)[METRIC]


def _average(figures: Sequence[Figure]) -> Figure:
    parts: list[Array] = [figure.resampled for figure in figures if figure.resampled is not None]
    value = float(np.mean([figure.value for figure in figures]))
    return Figure(value, np.mean(parts, axis=0) if parts else None)


def _row(
    name: str,
    question: Question,
    data: EvaluationData,
    sample: Sample,
    own: Figure,
    baseline: str,
    whole: Figure,
    model: str | None = None,
) -> Row:
    head: Row = {
        "task": f"{name}_{question.field.name}",
        "split": data.held_out,
        "model": model or data.model,
        "compartments": None,
    }
    even = 1 / sample.n_classes  # in balanced accuracy chance and every constant answer alike
    return make_row(head, METRIC, own, sample.about, even, even, baseline, whole)
