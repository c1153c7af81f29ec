"""What zero-shot is worth when it may say "none of these words"; beside the plain answers, never instead of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from axonet.evaluation.data import Array, Embedding, Ints
from axonet.evaluation.scoring import Figure, Row, Sample, answer, make_row, rounded
from axonet.evaluation.similarity import query_similarity
from axonet.inference.abstention import Abstention, without_own, word_score
from axonet.metrics.calibration import expected_calibration_error
from axonet.metrics.selective import area_under_risk, area_under_roc

THRESHOLD = 0.5  # of the probability of "none of these words"
FEWEST_CLASSES = 3  # one is taken away, and two are left to choose from


@dataclass(frozen=True)
class Silence:
    """When the judged model says that no word is true.

    Attributes:
        null: ``(d,)`` unit vector of what is true of every neuron.
        fitted: by name of the embedding; an embedding for which there were too few validation neurons is not there.
    """

    null: Array
    fitted: Mapping[str, Abstention] = field(default_factory=dict)


def silence_rows(head: Row, scores: Array, sample: Sample, embedding: Embedding, silence: Silence) -> list[Row]:
    """Rows about the answers of a model that may decline.

    ``none_separation``: every neuron is asked about twice, with its class among the words and without; how well its
    score tells which. ``none_calibration_error``: of the probability that a word is true, over the same questions.
    ``answered_share`` and ``answered_accuracy``: with all words, where "none" is answered above one half.
    ``risk_coverage``: mean share of wrong answers over all coverages, the surest first.

    Args:
        head: task, prompts, split and model.
        scores: ``(m, c)`` cosines with the classes.
        sample: the judged items.
        embedding: the judged vectors.
        silence: what the checkpoint learned on its validation neurons.

    Returns:
        Nothing for an embedding without it, or with fewer than three classes.
    """
    fitted = silence.fitted.get(str(head["model"]))
    if fitted is None or sample.n_classes < FEWEST_CLASSES:
        return []
    null = query_similarity(silence.null[None, :], embedding, sample.items)[0]  # (m,)
    questions = _Questions(scores, null, sample.truth, fitted)
    wrong = 1 - float(questions.correct.mean())
    plain = _figure(sample, lambda i: float(questions.correct[i].mean()))
    stated = expected_calibration_error(questions.known.reshape(-1), np.full(questions.known.size, 0.5))
    found = {
        "none_separation": (_figure(sample, questions.separation), 0.5, "chance", Figure(0.5)),
        "none_calibration_error": (_figure(sample, questions.calibration_error), stated, "chance", Figure(stated)),
        "answered_share": (_figure(sample, questions.answered_share), 0.5, "always", Figure(1.0)),
        "answered_accuracy": (
            _figure(sample, questions.answered_accuracy),
            1 / sample.n_classes,
            "all_answers",
            plain,
        ),
        "risk_coverage": (_figure(sample, questions.risk), wrong, "chance", Figure(wrong)),
    }
    return [
        make_row(head, name, figure, sample.about, chance, None, baseline, _alike(against, figure))
        for name, (figure, chance, baseline, against) in found.items()
        if rounded(figure.value) is not None
    ]


class _Questions:
    """Every judged item with its class among the words, and without; figures of any (repeated) choice of them."""

    def __init__(self, scores: Array, null: Array, truth: Ints, fitted: Abstention) -> None:
        away = without_own(scores, truth)
        probability = fitted.probabilities(scores, null)
        self.correct = answer(scores) == truth  # (m,)
        self.confidence = probability[:, :-1].max(axis=1)
        self.answered = probability[:, -1] <= THRESHOLD
        self.score = np.stack([word_score(part, null) for part in (scores, away)])  # (2, m)
        self.known = 1 - np.stack([probability[:, -1], fitted.probabilities(away, null)[:, -1]])  # (2, m)

    def separation(self, chosen: Ints) -> float:
        there = np.arange(2 * len(chosen)) < len(chosen)
        return area_under_roc(self.score[:, chosen].reshape(-1), there)

    def calibration_error(self, chosen: Ints) -> float:
        there = np.arange(2 * len(chosen)) < len(chosen)
        return expected_calibration_error(self.known[:, chosen].reshape(-1), there)

    def answered_share(self, chosen: Ints) -> float:
        return float(self.answered[chosen].mean())

    def answered_accuracy(self, chosen: Ints) -> float:
        kept = chosen[self.answered[chosen]]
        return float(self.correct[kept].mean()) if len(kept) else float("nan")

    def risk(self, chosen: Ints) -> float:
        return area_under_risk(self.confidence[chosen], self.correct[chosen])


def _figure(sample: Sample, of: Callable[[Ints], float]) -> Figure:
    """A figure of the judged items, and of each resample, in which items are repeated."""
    everyone = np.arange(len(sample.items))
    if sample.weights is None:
        return Figure(of(everyone))
    counts = np.rint(sample.weights).astype(np.int64)
    return Figure(of(everyone), np.array([of(np.repeat(everyone, own)) for own in counts]))


def _alike(against: Figure, figure: Figure) -> Figure:
    """A value that is the same in every resample, where resamples are needed."""
    if figure.resampled is None or against.resampled is not None:
        return against
    return Figure(against.value, np.full(len(figure.resampled), against.value))
