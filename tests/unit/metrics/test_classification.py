from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from axonet.metrics import classification


@pytest.fixture
def answers():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, size=60)
    predicted = np.where(rng.random(60) < 0.6, truth, rng.integers(0, 5, size=60))
    return truth, predicted  # class 4 is predicted, but no item belongs to it


def test_metrics_equal_scikit_learn(answers):
    truth, predicted = answers
    counts = classification.confusion_counts(truth, predicted, 5)
    present = list(range(4))
    assert counts.astype(int).tolist() == sklearn_metrics.confusion_matrix(truth, predicted).tolist()
    assert classification.accuracy(counts) == pytest.approx(sklearn_metrics.accuracy_score(truth, predicted))
    recall = sklearn_metrics.recall_score(truth, predicted, labels=present, average=None)
    assert classification.recalls(counts)[:4] == pytest.approx(recall)
    assert classification.balanced_accuracy(counts) == pytest.approx(recall.mean())
    f1 = sklearn_metrics.f1_score(truth, predicted, labels=present, average="macro")
    assert classification.macro_f1(counts) == pytest.approx(f1)


def test_a_resample_counts_items_as_often_as_they_were_drawn(answers):
    truth, predicted = answers
    weights = np.random.default_rng(2).integers(0, 3, size=(7, len(truth)))
    counts = classification.confusion_counts(truth, predicted, 5, weights.astype(float))
    for resample, row in zip(counts, weights, strict=True):
        written_out = classification.confusion_counts(np.repeat(truth, row), np.repeat(predicted, row), 5)
        assert resample.tolist() == written_out.tolist()
        assert classification.macro_f1(counts)[0] == classification.macro_f1(counts[0])


def test_always_the_same_class_has_the_balanced_accuracy_of_chance():
    truth = np.array([0] * 8 + [1] * 2)
    counts = classification.confusion_counts(truth, np.zeros(10, dtype=np.int64), 2)
    assert classification.balanced_accuracy(counts) == 0.5
    assert classification.accuracy(counts) == 0.8


def test_top_k_hits_and_ties_against_us():
    scores = np.array([[3.0, 2.0, 1.0], [1.0, 1.0, 1.0]])
    truth = np.array([1, 0])
    assert classification.top_k_hits(scores, truth, 1).tolist() == [False, False]
    assert classification.top_k_hits(scores, truth, 2).tolist() == [True, False]
    assert classification.top_k_hits(scores, truth, 3).tolist() == [True, True]


def test_uniform_guessing_tends_to_the_chance_of_macro_f1():
    share = np.array([0.7, 0.2, 0.1])
    rng = np.random.default_rng(3)
    truth = rng.choice(3, size=200_000, p=share)
    counts = classification.confusion_counts(truth, rng.integers(0, 3, size=len(truth)), 3)
    assert classification.chance_macro_f1(share) == pytest.approx(float(classification.macro_f1(counts)), abs=0.01)


def test_nothing_to_judge_is_nan_and_no_crash():
    counts = np.zeros((3, 3))
    assert np.isnan([classification.accuracy(counts), classification.balanced_accuracy(counts)]).all()
