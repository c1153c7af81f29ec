"""Differences laboratory by laboratory."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from axonet.evaluation.laboratories import compare_laboratories, laboratories
from axonet.evaluation.run import evaluate
from axonet.evaluation.scoring import Sample

from .synthetic import class_vector, make_captions, make_data, pick, settings, vectors_of


def answers(truth, right):
    """Scores of a model that is right where it is told to be."""
    return np.eye(2)[np.where(right, truth, 1 - truth)]


def test_by_hand_every_laboratory_counts_the_same_and_items_by_their_class():
    truth = np.array([0, 0, 0, 1, 0, 1])  # four of class 0, two of class 1
    labs = np.array([0, 0, 0, 0, 1, 1])
    own, other = [1, 1, 0, 1, 0, 1], [0, 1, 0, 0, 1, 1]
    sample = Sample(np.arange(6), truth, 2, 6, None)
    found = compare_laboratories(
        sample, answers(truth, np.array(own) > 0), answers(truth, np.array(other) > 0), labs, (), 0
    )
    first = (1 / 4 + 1 / 2) / (3 / 4 + 1 / 2)
    second = -(1 / 4) / (1 / 4 + 1 / 2)
    assert found["labs_difference"] == pytest.approx((first + second) / 2, abs=1e-6)
    assert (found["labs"], found["labs_better"]) == (2, 1)
    patterns = [abs(a * first + b * second) >= abs(first + second) - 1e-9 for a, b in product((1, -1), repeat=2)]
    assert found["labs_p"] == np.mean(patterns)


@pytest.mark.parametrize(("n_labs", "p"), [(5, 2 / 32), (6, 2 / 64)])
def test_below_six_laboratories_nothing_reaches_significance(n_labs, p):
    labs = np.repeat(np.arange(n_labs), 4)
    truth = np.tile([0, 1], 2 * n_labs)
    sample = Sample(np.arange(len(labs)), truth, 2, n_labs, None)
    found = compare_laboratories(sample, answers(truth, truth >= 0), answers(truth, truth < 0), labs, (), 0)
    assert found["labs_p"] == p


def test_items_of_no_known_laboratory_are_left_out_and_one_laboratory_is_no_comparison():
    truth = np.array([0, 1, 0, 1])
    sample = Sample(np.arange(4), truth, 2, 4, None)
    right, wrong = answers(truth, truth >= 0), answers(truth, truth < 0)
    assert compare_laboratories(sample, right, wrong, np.array([0, 0, -1, -1]), (), 0) == {}
    assert compare_laboratories(sample, right, wrong, np.array([0, 1, -1, -1]), (), 0)["labs"] == 2


def test_rows_of_probes_tell_of_laboratories_and_the_baseline_of_none():
    data = make_data(60, 60, class_vector)
    assert set(laboratories(data, np.arange(60))) == set(range(5))
    found = evaluate(data, make_captions(data), vectors_of, settings())
    row = pick(found.metrics["tasks"], task="knn5_cell_type", metric="balanced_accuracy", model="image")
    assert row["labs"] == 5
    assert row["labs_p"] >= 2 / 32
    bar = pick(found.metrics["tasks"], task="forest_cell_type", metric="balanced_accuracy", model="forest_compartments")
    assert bar["labs"] is None
