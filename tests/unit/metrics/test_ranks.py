from __future__ import annotations

import itertools
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axonet.metrics import ranks


def slow_rank(scores, relevant):
    """Sort by hand: wrong answers first among equals, then the place of the first right one."""
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], relevant[i]))
    for place, candidate in enumerate(order, start=1):
        if relevant[candidate]:
            return place
    raise AssertionError


@given(st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_ranks_equal_a_slow_oracle_with_many_ties(seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 4, size=(6, 9)).astype(float)
    relevant = rng.random((6, 9)) < 0.3
    relevant[:, 0] |= ~relevant.any(axis=1)
    expected = [slow_rank(s, r) for s, r in zip(scores, relevant, strict=True)]
    assert ranks.first_hit_ranks(scores, relevant).tolist() == expected


def test_any_relevant_candidate_is_a_hit():
    scores = np.array([[0.9, 0.5, 0.1]])
    assert ranks.first_hit_ranks(scores, np.array([[True, False, True]])).tolist() == [1]


def test_the_same_score_for_everything_gets_the_worst_rank():
    assert ranks.first_hit_ranks(np.ones((1, 5)), np.eye(1, 5, dtype=bool)).tolist() == [5]


def test_a_query_without_an_answer_is_refused():
    with pytest.raises(ValueError, match="relevant"):
        ranks.first_hit_ranks(np.ones((1, 2)), np.zeros((1, 2), dtype=bool))


@given(st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_ranks_in_a_resample_are_those_of_the_written_out_list(seed):
    rng = np.random.default_rng(seed)
    scores, relevant = rng.integers(0, 4, size=8).astype(float), rng.random(8) < 0.4
    weights = rng.integers(0, 3, size=(5, 8))
    found = ranks.resampled_ranks(scores, relevant, weights.astype(float))
    for value, row in zip(found, weights, strict=True):
        written, right = np.repeat(scores, row), np.repeat(relevant, row)
        assert value == slow_rank(written, right) if right.any() else np.isnan(value)


@pytest.mark.parametrize(("n_relevant", "n_candidates"), [(1, 6), (2, 6), (3, 5), (6, 6)])
def test_chance_is_the_mean_over_every_possible_order(n_relevant, n_candidates):
    places = [min(p) + 1 for p in itertools.combinations(range(n_candidates), n_relevant)]
    numbers = np.array([n_relevant])
    for k in range(1, n_candidates + 1):
        share = sum(place <= k for place in places) / len(places)
        assert ranks.chance_recall_at(k, numbers, n_candidates) == pytest.approx(share)
        assert share == pytest.approx(1 - comb(n_candidates - n_relevant, k) / comb(n_candidates, k))
    assert ranks.chance_reciprocal_rank(numbers, n_candidates) == pytest.approx(np.mean([1 / p for p in places]))
    assert ranks.random_rank_distribution(numbers, n_candidates).sum() == pytest.approx(1)


def test_chances_of_many_lists_are_those_of_each():
    n_relevant, length = np.array([[1, 0, 2], [3, 4, 1]]), np.array([[4, 4, 6], [6, 4, 1]])
    recall, reciprocal = ranks.chances_of_lists(n_relevant, length, (1, 5))
    for place in np.ndindex(2, 3):
        own, n = n_relevant[place], int(length[place])
        if own == 0:
            assert np.isnan(reciprocal[place])
            continue
        assert recall[0][place] == pytest.approx(ranks.chance_recall_at(1, np.array([own]), n))
        assert recall[1][place] == pytest.approx(ranks.chance_recall_at(5, np.array([own]), n))
        assert reciprocal[place] == pytest.approx(ranks.chance_reciprocal_rank(np.array([own]), n))


def test_chance_averages_over_queries_with_different_numbers_of_answers():
    assert ranks.chance_recall_at(1, np.array([1, 1, 4]), 4) == pytest.approx((0.25 + 0.25 + 1) / 3)


def test_chance_median_rank_of_one_answer_is_the_middle():
    assert ranks.chance_median_rank(np.array([1]), 9) == 5


def test_the_commonest_caption_is_right_as_often_as_it_occurs():
    relevant = np.eye(3, dtype=bool)[[2, 2, 2, 0, 1, 1]]
    assert (ranks.constant_list_ranks(relevant) == 1).mean() == pytest.approx(0.5)
    assert (ranks.constant_list_ranks(relevant) <= 2).mean() == pytest.approx(5 / 6)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_no_constant_list_beats_the_commonest_first(seed):
    answer = np.random.default_rng(seed).integers(0, 4, size=12)
    best = ranks.constant_list_ranks(np.eye(4, dtype=bool)[answer])
    for order in itertools.permutations(range(4)):
        other = 1 + np.array(order)[answer]
        assert all((best <= k).sum() >= (other <= k).sum() for k in (1, 2, 3))


def test_with_several_answers_a_query_the_list_covers_what_is_open():
    relevant = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 1]], dtype=bool)
    assert ranks.constant_list_ranks(relevant).tolist() == [1, 1, 1, 2]
    with pytest.raises(ValueError, match="relevant"):
        ranks.constant_list_ranks(np.zeros((1, 2), dtype=bool))


@given(st.lists(st.integers(0, 3), min_size=5, max_size=5).filter(any))
@settings(max_examples=50, deadline=None)
def test_weighted_median_is_the_median_of_the_written_out_values(counts):
    values = np.array([3.0, 1.0, 7.0, 2.0, 7.0])
    expected = np.median(np.repeat(values, counts))
    assert ranks.weighted_median(values, np.array([counts], dtype=float))[0] == expected
