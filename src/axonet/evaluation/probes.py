"""Probes of a frozen embedding: what its neighborhoods and its directions tell about a label."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from axonet.core.seeds import rng
from axonet.evaluation.data import Array, Embedding, Floats, Ints
from axonet.evaluation.folds import Question, grouped_folds
from axonet.evaluation.similarity import CHUNK, item_similarity
from axonet.evaluation.threads import one_thread
from axonet.metrics.classification import balanced_accuracy, confusion_counts

INNER_FOLDS = 3
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)  # C of the logistic probe, smallest (simplest) first
DEFAULT_STRENGTH = 1.0
CLAMP = 5.0  # standard deviations: one wild measurement must not rule a linear model

Predictor = Callable[[Ints, Ints], Array]  # training items, test items -> (test, classes) scores


def over_folds(question: Question, embedding: Embedding, predict: Predictor) -> Array:
    """Answers of all folds, pooled in the order of the judged items.

    Args:
        question: what is asked.
        embedding: tells which items neurons have.
        predict: takes item indices to learn from and to answer for.

    Returns:
        ``(m, c)`` scores.
    """
    items = embedding.items_of(question.judged)
    scores = np.zeros((len(items), len(question.classes)))
    for fold in question.folds:
        test = embedding.items_of(fold.test)
        scores[np.searchsorted(items, test)] = predict(embedding.items_of(fold.train), test)
    return scores


def majority_scores(question: Question, embedding: Embedding) -> Array:
    """Always the class that is commonest among what is learned on."""
    truth = question.truth[embedding.items]
    n_classes = len(question.classes)

    def predict(train: Ints, test: Ints) -> Array:
        counts = np.bincount(truth[train], minlength=n_classes) - 1e-6 * np.arange(n_classes)
        return np.tile(counts, (len(test), 1))

    return over_folds(question, embedding, predict)


def neighbor_scores(question: Question, embedding: Embedding, k: int) -> Array:
    """Votes of the ``k`` nearest training items by cosine; fewer where fewer are there.

    Items that are as near as the ``k``-th share the votes that are left, so an embedding that puts everything into one
    place answers the commonest class. Between classes with as many votes the nearer ones win.

    Args:
        question: what is asked.
        embedding: whose neighborhoods.
        k: number of neighbors.

    Returns:
        ``(m, c)`` share of votes.
    """
    member = np.eye(len(question.classes))[np.maximum(question.truth[embedding.items], 0)]  # (items, c)

    def predict(train: Ints, test: Ints) -> Array:
        step = max(1, CHUNK // max(1, len(train)))
        parts = [
            _votes(item_similarity(embedding, test[at : at + step], train), member[train], k)
            for at in range(0, len(test), step)
        ]
        return np.concatenate(parts)

    return over_folds(question, embedding, predict)


def _votes(similarity: Array, member: Array, k: int) -> Array:
    """``(t, c)`` votes from ``(t, n)`` similarities and ``(n, c)`` class membership."""
    k = min(k, similarity.shape[1])
    last = np.partition(similarity, -k, axis=1)[:, [-k]]  # (t, 1) similarity of the k-th neighbor
    nearer, as_near = similarity > last, similarity == last
    share = (k - nearer.sum(axis=1, keepdims=True)) / as_near.sum(axis=1, keepdims=True)
    weight = nearer + as_near * share  # (t, n), every row sums to k
    nearness = (weight * (1 + similarity)) @ member / 2  # between 0 and the votes
    return np.asarray((weight @ member + 1e-3 * nearness) / k)


def logistic_scores(
    question: Question, embedding: Embedding, features: Floats, groups: npt.NDArray[np.str_], seed: int
) -> Array:
    """Probabilities of a logistic regression with L2 penalty, classes weighted alike.

    Features are standardized on what is learned on; the strength of the penalty is chosen there too, by
    cross-validation that keeps groups together.

    Args:
        question: what is asked.
        embedding: tells which items neurons have.
        features: ``(items, d)``.
        groups: ``(items,)`` group of every item.
        seed: of the run.

    Returns:
        ``(m, c)`` probabilities.
    """
    truth, n_classes = question.truth[embedding.items], len(question.classes)

    def predict(train: Ints, test: Ints) -> Array:
        own = np.asarray(features[np.concatenate([train, test])], dtype=np.float64)
        scaled = standardized(own, np.arange(len(train)))
        learned, asked = scaled[: len(train)], scaled[len(train) :]
        stream = rng(seed, "inner_folds", question.field.name)
        strength = choose_strength(learned, truth[train], groups[train], n_classes, stream)
        return fit_logistic(learned, truth[train], asked, n_classes, strength)

    return over_folds(question, embedding, predict)


def standardized(features: Array, train: Ints) -> Array:
    """Features in standard deviations of the items that are learned on, clamped; unknown ones lie in the middle.

    Args:
        features: ``(m, d)``, nan where unknown.
        train: items that mean and deviation are taken from.
    """
    known = np.isfinite(features)
    values = np.where(known, features, 0.0)
    n_known = np.maximum(known[train].sum(axis=0), 1)
    center = values[train].sum(axis=0) / n_known
    off = np.where(known, values - center, 0.0)
    spread = np.sqrt((off[train] ** 2).sum(axis=0) / n_known)
    return np.asarray(np.clip(off / np.where(spread > 1e-9, spread, 1.0), -CLAMP, CLAMP))


def choose_strength(
    features: Array, truth: Ints, groups: npt.NDArray[np.str_], n_classes: int, generator: np.random.Generator
) -> float:
    """The C with the best balanced accuracy in grouped cross-validation; the smallest of equals.

    With too few groups to leave any out for every class it is not chosen, but 1.
    """
    fold = grouped_folds([str(group) for group in groups], truth.tolist(), INNER_FOLDS, generator)
    per_class = [len(set(groups[truth == code].tolist())) for code in np.unique(truth)]
    if min(per_class) < 2 or len(per_class) < 2:
        return DEFAULT_STRENGTH
    values = []
    for strength in STRENGTHS:
        scores = np.zeros((len(truth), n_classes))
        for number in range(INNER_FOLDS):
            out = fold == number
            if out.any():
                scores[out] = fit_logistic(features[~out], truth[~out], features[out], n_classes, strength)
        predicted = np.round(scores, 9).argmax(axis=1)
        values.append(round(float(balanced_accuracy(confusion_counts(truth, predicted, n_classes))), 9))
    return STRENGTHS[int(np.argmax(values))]


def fit_logistic(train: Array, truth: Ints, test: Array, n_classes: int, strength: float) -> Array:
    """``(t, c)`` probabilities for test features; classes that were not learned get 0."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    present = np.unique(truth)
    scores = np.zeros((len(test), n_classes))
    if len(present) == 1:
        scores[:, present[0]] = 1.0
        return scores
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000)
    with warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore", ConvergenceWarning)
        scores[:, present] = model.fit(train, truth).predict_proba(test)
    return scores
