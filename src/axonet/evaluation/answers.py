"""Everybody's answers to one question, in two columns: node types as the tracer gave them, and dendrites merged.

That a tracer told apical from basal dendrites gives many a cell type away, so claims are made where both are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from axonet.evaluation import baselines, probes
from axonet.evaluation.baselines import AS_TYPED_FOREST, MERGED_FOREST
from axonet.evaluation.data import AS_TYPED, MERGED, Array, Embedding, EvaluationData
from axonet.evaluation.folds import Question
from axonet.evaluation.settings import EvaluationSettings

NEIGHBORS = (5, 20)
PERSISTENCE = "persistence_image"
BESIDE = "image, morphometrics beside"  # joined by the probe, not by the model
Answers = dict[tuple[str, str], Array]  # by method and model, (m, c) scores


@dataclass(frozen=True)
class Column:
    """Answers that may be compared with one another.

    Attributes:
        name: ``as_typed`` or ``merged``.
        answers: by method and model.
        baseline: method and model of the answers that the others are compared with.
    """

    name: str
    answers: Answers
    baseline: tuple[str, str]


def columns(question: Question, data: EvaluationData, settings: EvaluationSettings) -> list[Column]:
    """All probes and baselines on one label; what reads no node types stands in both columns.

    Without measurements of basal and apical dendrites, or without baselines, there is no second column.
    """
    typed = _probe_answers(question, data, settings)
    if not settings.baselines:
        return [Column(AS_TYPED, typed, ("majority", "majority"))]
    sets = baselines.feature_sets(data.neurons.measured_names)
    untyped = _untyped_answers(question, data, settings)
    found = [_column(AS_TYPED, AS_TYPED_FOREST, question, data, settings, typed, untyped)]
    if sets[MERGED_FOREST]:
        merged = data.dendrites_merged
        own = typed if merged is data else _probe_answers(question, merged, settings)
        found.append(_column(MERGED, MERGED_FOREST, question, merged, settings, own, untyped))
    return found


def _column(
    name: str,
    forest: str,
    question: Question,
    data: EvaluationData,
    settings: EvaluationSettings,
    own: Answers,
    untyped: Mapping[tuple[str, str], Array],
) -> Column:
    answers = {**own, **untyped}
    neurons, embedding = data.neurons, data.embedding
    sets = baselines.feature_sets(neurons.measured_names)
    baseline = ("majority", "majority")
    if sets[forest]:
        baseline = ("forest", forest)
        features = baselines.features(neurons, sets[forest])
        answers[baseline] = baselines.forest_scores(question, embedding, features, settings.seed, forest)
    if sets["forest_no_artefacts"]:
        answers["logistic", BESIDE] = baselines.joined_scores(
            question, embedding, neurons, sets["forest_no_artefacts"], _item_groups(data), settings.seed
        )
    if sets[forest]:
        parts = {"probe": own["logistic", data.model], "forest": answers[baseline]}
        answers["fusion", f"{data.model}+{forest}"] = baselines.mean_probability(parts)
    return Column(name, answers, baseline)


def _probe_answers(question: Question, data: EvaluationData, settings: EvaluationSettings) -> Answers:
    """Answers of the judged embeddings: of the image alone and, where there is one, joined with morphometrics."""
    answers = {("majority", "majority"): probes.majority_scores(question, data.embedding)}
    for own in data.embeddings:
        for k in NEIGHBORS:
            answers[f"knn{k}", own.model] = probes.neighbor_scores(question, own.embedding, k)
        answers["logistic", own.model] = probes.logistic_scores(
            question, own.embedding, own.embedding.item_vectors, _item_groups(own), settings.seed
        )
    return answers


def _untyped_answers(question: Question, data: EvaluationData, settings: EvaluationSettings) -> Answers:
    """Answers of what must be beaten and reads no node types."""
    answers: Answers = {}
    embedding, neurons = data.embedding, data.neurons
    groups = np.array(neurons.groups)

    def nearest(asked: Question, reference: Embedding) -> Array:
        return probes.neighbor_scores(asked, reference, NEIGHBORS[0])

    def logistic(asked: Question, reference: Embedding) -> Array:
        return probes.logistic_scores(asked, reference, reference.item_vectors, groups, settings.seed)

    for name, reference in data.references.items():
        for method, score in ((f"knn{NEIGHBORS[0]}", nearest), ("logistic", logistic)):
            answers[method, name] = baselines.reference_scores(question, reference, embedding, score)
    for name, names in baselines.feature_sets(neurons.measured_names).items():
        if names and name not in (AS_TYPED_FOREST, MERGED_FOREST):
            features = baselines.features(neurons, names)
            answers["forest", name] = baselines.forest_scores(question, embedding, features, settings.seed, name)
    pictures = neurons.persistence
    if pictures is not None:
        answers["forest", PERSISTENCE] = baselines.forest_scores(
            question, embedding, pictures, settings.seed, PERSISTENCE
        )
    return answers


def _item_groups(data: EvaluationData) -> np.typing.NDArray[np.str_]:
    return np.array(data.neurons.groups)[data.embedding.items]
