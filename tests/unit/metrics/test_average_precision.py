from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from axonet.metrics.average_precision import (
    average_precision,
    chance_average_precision,
    resampled_average_precision,
)


def test_without_ties_it_equals_scikit_learn():
    rng = np.random.default_rng(0)
    scores = rng.permuted(np.tile(np.arange(20.0), (8, 1)), axis=1)
    relevant = rng.random((8, 20)) < 0.3
    relevant[:, 3] = True
    expected = [average_precision_score(r, s) for r, s in zip(relevant, scores, strict=True)]
    assert average_precision(scores, relevant) == pytest.approx(expected)


def test_among_equal_scores_wrong_answers_come_first():
    relevant = np.array([[True, False, False, True]])
    assert average_precision(np.ones((1, 4)), relevant)[0] == pytest.approx((1 / 3 + 2 / 4) / 2)


@pytest.mark.parametrize(("n_relevant", "n_candidates"), [(1, 5), (2, 5), (3, 6), (4, 4), (1, 1)])
def test_chance_is_the_mean_over_every_possible_order(n_relevant, n_candidates):
    scores = -np.arange(float(n_candidates))[None, :]
    values = []
    for chosen in itertools.combinations(range(n_candidates), n_relevant):
        relevant = np.zeros((1, n_candidates), dtype=bool)
        relevant[0, list(chosen)] = True
        values.append(average_precision(scores, relevant)[0])
    assert chance_average_precision(np.array([n_relevant]), n_candidates)[0] == pytest.approx(np.mean(values))


def test_a_query_without_an_answer_is_refused():
    with pytest.raises(ValueError, match="relevant"):
        average_precision(np.ones((1, 2)), np.zeros((1, 2), dtype=bool))


@pytest.mark.parametrize("seed", range(20))
def test_a_resample_has_the_precision_of_the_written_out_list(seed):
    rng = np.random.default_rng(seed)
    scores, relevant = rng.integers(0, 5, size=9).astype(float), rng.random(9) < 0.4
    weights = rng.integers(0, 4, size=(6, 9))
    found = resampled_average_precision(scores, relevant, weights.astype(float))
    for value, row in zip(found, weights, strict=True):
        written, right = np.repeat(scores, row)[None], np.repeat(relevant, row)[None]
        assert value == pytest.approx(average_precision(written, right)[0]) if right.any() else np.isnan(value)
