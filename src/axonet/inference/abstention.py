"""Zero-shot answers that may be "none of these words".

A picture always lies nearer to one word than to the others, also when none is true. So the best word is compared with
words that are true of every neuron ("a neuron"): the score is the cosine with the best word less the cosine with those.
What score is enough is learned on validation neurons, by asking about each twice: with its own class among the words,
and with that class taken away. A logistic curve of one variable through these answers gives the probability that a word
is true, before anything else is known as likely as not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from axonet.metrics.calibration import expected_calibration_error, fit_temperature, softmax
from axonet.metrics.selective import area_under_roc, fit_logistic, risk_at_coverage, sigmoid

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEWEST_NEURONS, FEWEST_CLASSES, FEWEST_GROUPS = 30, 3, 5
N_FOLDS = 5
COVERAGES = tuple(round(0.1 * k, 1) for k in range(1, 11))
LOWEST_TEMPERATURE = 1e-3


@dataclass(frozen=True)
class Abstention:
    """When to say none of these words, and how far that can be believed.

    Attributes:
        temperature: of the cosines, for the probabilities among words.
        slope: of the logistic curve over the score.
        intercept: of that curve.
        calibration_error: of the probability that a word is true, on neurons of other groups than those it was fitted
            on.
        separation: chance that a neuron has a higher score with its class among the words than another without.
        coverage: shares of answers that are given, the surest first.
        risk: share of wrong answers among these, on other groups; half of the questions have no right answer.
        n_neurons: validation neurons it was fitted on.
        n_classes: classes among them.
    """

    temperature: float
    slope: float
    intercept: float
    calibration_error: float
    separation: float
    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    n_neurons: int
    n_classes: int

    def to_json(self) -> dict[str, Any]:
        """As plain data, for a checkpoint."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Abstention:
        """From :meth:`to_json`."""
        values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in state.items()}
        return cls(**values)

    def probabilities(self, cosine: Array, null: Array) -> Array:
        """Probability of each word, and of none of them.

        Args:
            cosine: ``(n, c)`` of neurons with words.
            null: ``(n,)`` of neurons with what is true of every neuron.

        Returns:
            ``(n, c + 1)``, rows sum to 1; the last column is "none of these words".
        """
        known = sigmoid(self.slope * word_score(cosine, null) + self.intercept)[:, None]
        return np.concatenate([known * softmax(cosine / self.temperature), 1 - known], axis=1)


def word_score(cosine: Array, null: Array) -> Array:
    """``(n,)`` how much nearer the best word is than what is true of every neuron."""
    return np.asarray(cosine.max(axis=1) - null)


def without_own(cosine: Array, truth: Ints) -> Array:
    """``(n, c)`` cosines in which every neuron's own class is taken away."""
    left = np.array(cosine, dtype=np.float64)
    left[np.arange(len(truth)), truth] = -np.inf
    return left


def fit_abstention(cosine: Array, null: Array, truth: Ints, groups: Sequence[str]) -> Abstention | None:
    """Fit on neurons that did not train the model.

    Args:
        cosine: ``(n, c)`` of neurons with the classes of ``truth``.
        null: ``(n,)`` with what is true of every neuron.
        truth: ``(n,)``.
        groups: ``n`` what neurons share with others; folds for the figures keep them together.

    Returns:
        None where there are too few neurons, classes or groups to say anything.
    """
    _, group = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    enough = len(truth) >= FEWEST_NEURONS and cosine.shape[1] >= FEWEST_CLASSES
    if not enough or group.max() + 1 < FEWEST_GROUPS:
        return None
    fold = group % N_FOLDS
    n = len(truth)
    probability, confidence = np.zeros(2 * n), np.zeros(2 * n)
    for number in range(N_FOLDS):
        here = fold == number
        part = _fit(cosine[~here], null[~here], truth[~here])
        twice = np.flatnonzero(np.tile(here, 2))
        found = np.concatenate([part.probabilities(c, null[here]) for c in _asked_twice(cosine[here], truth[here])])
        probability[twice], confidence[twice] = 1 - found[:, -1], found[:, :-1].max(axis=1)
    present = np.arange(2 * n) < n
    answers = np.concatenate([c.argmax(axis=1) for c in _asked_twice(cosine, truth)])
    correct = present & (answers == np.tile(truth, 2))
    whole = _fit(cosine, null, truth)
    score = np.concatenate([word_score(c, null) for c in _asked_twice(cosine, truth)])
    return Abstention(
        whole.temperature,
        whole.slope,
        whole.intercept,
        calibration_error=expected_calibration_error(probability, present),
        separation=area_under_roc(score, present),
        coverage=COVERAGES,
        risk=tuple(float(value) for value in risk_at_coverage(confidence, correct, np.array(COVERAGES))),
        n_neurons=n,
        n_classes=cosine.shape[1],
    )


def _asked_twice(cosine: Array, truth: Ints) -> tuple[Array, Array]:
    return cosine, without_own(cosine, truth)


def _fit(cosine: Array, null: Array, truth: Ints) -> Abstention:
    """The curve without its figures."""
    score = np.concatenate([word_score(part, null) for part in _asked_twice(cosine, truth)])
    slope, intercept = fit_logistic(score, np.arange(len(score)) < len(truth))
    if slope <= 0:  # the score tells nothing: as likely as not, whatever it is
        slope = intercept = 0.0
    temperature = fit_temperature(cosine, truth, low=LOWEST_TEMPERATURE)
    return Abstention(temperature, slope, intercept, float("nan"), float("nan"), (), (), len(truth), cosine.shape[1])
