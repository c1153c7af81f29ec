"""Zero-shot classification: the class whose prompt lies nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from axonet.core.seeds import rng
from axonet.evaluation.data import Array, EvaluationData
from axonet.evaluation.folds import grouped_folds
from axonet.evaluation.labels import Classes, Field
from axonet.evaluation.scoring import (
    Figure,
    Row,
    Sample,
    answer,
    classification_figures,
    classification_rows,
    make_row,
)
from axonet.evaluation.similarity import query_similarity
from axonet.inference.pool import unit
from axonet.metrics import calibration
from axonet.metrics.classification import confusion_counts, recalls

TOP = (3,)
ENSEMBLE, SINGLE = "ensemble", "single"
N_CALIBRATION_FOLDS = 5
FEWEST_FOR_CALIBRATION = 30


@dataclass(frozen=True)
class ZeroShot:
    """Answers to one label field.

    Attributes:
        field: the label.
        classes: names.
        scores: ``(m, c)`` similarities to the class vectors, by the kind of prompts.
        sample: the judged items.
    """

    field: Field
    classes: tuple[str, ...]
    scores: dict[str, Array]
    sample: Sample

    def confusion(self, prompts: str) -> Array:
        """``(c, c)`` counts, rows true and columns answered."""
        return confusion_counts(self.sample.truth, answer(self.scores[prompts]), len(self.classes))


def class_vectors(prompt_vectors: Sequence[Array]) -> Array:
    """One unit vector a class: the re-normalized mean of its prompts' unit vectors.

    Args:
        prompt_vectors: for each of ``c`` classes ``(p, d)``.

    Returns:
        ``(c, d)``.
    """
    means = np.stack([np.asarray(vectors, dtype=np.float64).mean(axis=0) for vectors in prompt_vectors])
    return unit(means).astype(np.float64)


def answer_zero_shot(
    field: Field, classes: Classes, vectors: dict[str, Array], data: EvaluationData, sample: Sample
) -> ZeroShot:
    """Similarity of every judged item to every class.

    Args:
        field: the label.
        classes: those asked about.
        vectors: kind of prompts -> ``(c, d)`` class vectors.
        data: holds the embedding.
        sample: the judged items.
    """
    scores = {kind: query_similarity(own, data.embedding, sample.items).T for kind, own in vectors.items()}
    return ZeroShot(field, classes.names, scores, sample)


def majority_figures(result: ZeroShot, class_counts: Array) -> dict[str, Figure]:
    """What "always the commonest class" reaches; for top-k, always the k commonest.

    Args:
        result: the answers, for their sample.
        class_counts: ``(c,)`` how common each class is, among training neurons where there are any.
    """
    return classification_figures(result.sample, _constant_scores(result, class_counts), TOP)


def _constant_scores(result: ZeroShot, class_counts: Array) -> Array:
    """``(m, c)`` the same for every item: the commoner a class, the higher; of equals the one named first."""
    return np.tile(class_counts - 1e-6 * np.arange(len(class_counts)), (len(result.sample.truth), 1))


def zero_shot_rows(result: ZeroShot, class_counts: Array, about: Row, groups: Sequence[str], seed: int) -> list[Row]:
    """Rows of ``metrics.json``: the overall figures of each kind of prompts, and recall class by class.

    Args:
        result: the answers.
        class_counts: see `majority_figures`.
        about: split, model and compartments of every row.
        groups: ``(m,)`` group of every judged item, for the calibration's folds.
        seed: of the run.
    """
    rows: list[Row] = []
    majority = majority_figures(result, class_counts)
    for prompts, scores in result.scores.items():
        head: Row = {
            "task": f"zero_shot_{result.field.name}",
            "prompts": prompts,
            "class": None,
            **about,
        }
        figures = classification_figures(result.sample, scores, TOP)
        rows += classification_rows(head, figures, result.sample, majority, "majority", majority)
        rows += _recall_rows(result, prompts, class_counts, head)
        rows += _calibration_rows(result, scores, head, groups, seed)
    return rows


def _recall_rows(result: ZeroShot, prompts: str, class_counts: Array, head: Row) -> list[Row]:
    """Recall and support of every class, beside those of the constant answer: 1 for the commonest class, else 0."""
    sample, n_classes = result.sample, len(result.classes)
    own = recall_figures(sample, result.scores[prompts])
    constant = recall_figures(sample, _constant_scores(result, class_counts))
    rows = []
    for index, name in enumerate(result.classes):
        about = {**sample.about, "n": int((sample.truth == index).sum())}
        beside = (1 / n_classes, constant[index].value, "majority", constant[index])
        rows.append(make_row({**head, "class": name}, "recall", own[index], about, *beside))
    return rows


def recall_figures(sample: Sample, scores: Array) -> list[Figure]:
    """Recall of each class."""
    predicted = answer(scores)
    values = recalls(confusion_counts(sample.truth, predicted, sample.n_classes))
    if sample.weights is None:
        return [Figure(float(value)) for value in values]
    resampled = recalls(confusion_counts(sample.truth, predicted, sample.n_classes, sample.weights))
    return [Figure(float(value), resampled[:, index]) for index, value in enumerate(values)]


def _calibration_rows(result: ZeroShot, scores: Array, head: Row, groups: Sequence[str], seed: int) -> list[Row]:
    """Calibration error after one temperature that is fitted on other groups than those it is applied to.

    Chance: the same confidences with random answers. Baseline: the class frequencies of the other groups, for everyone.
    """
    sample, truth = result.sample, result.sample.truth
    if len(truth) < FEWEST_FOR_CALIBRATION:
        return []
    stream = rng(seed, "calibration", result.field.name)
    fold = grouped_folds(groups, truth.tolist(), N_CALIBRATION_FOLDS, stream)
    probability = np.full(scores.shape, 1 / scores.shape[1])
    frequency = probability.copy()
    for number in np.unique(fold):
        here = fold == number
        if not here.all():
            temperature = calibration.fit_temperature(scores[~here], truth[~here], low=1e-3)
            probability[here] = calibration.softmax(scores[here] / temperature)
            frequency[here] = np.bincount(truth[~here], minlength=scores.shape[1]) / (~here).sum()
    confidence = probability.max(axis=1)
    random_answers = np.full(len(truth), 1 / scores.shape[1])
    chance = calibration.expected_calibration_error(confidence, random_answers)
    own = _calibration_figure(sample, confidence, answer(scores) == truth)
    constant = _calibration_figure(sample, frequency.max(axis=1), answer(frequency) == truth)
    beside = (chance, constant.value, "class_frequencies", constant)
    return [make_row(head, "expected_calibration_error", own, sample.about, *beside)]


def _calibration_figure(sample: Sample, confidence: Array, correct: npt.NDArray[np.bool_]) -> Figure:
    value = calibration.expected_calibration_error(confidence, correct)
    if sample.weights is None:
        return Figure(value)
    resampled = [calibration.expected_calibration_error(confidence, correct, weights=own) for own in sample.weights]
    return Figure(value, np.array(resampled))
