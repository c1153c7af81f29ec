"""Samples of large runs: stated, reproducible, and fair to rare classes."""

from __future__ import annotations

import numpy as np

from axonet.evaluation.folds import ask
from axonet.evaluation.labels import FIELDS
from axonet.evaluation.remarks import sample_notes
from axonet.evaluation.run import evaluate
from axonet.evaluation.sampling import FEWEST_OF_A_CLASS, drawn, drawn_by_class

from .synthetic import class_vector, make_captions, make_data, settings, vectors_of


def test_few_are_all_taken_and_many_are_drawn_in_order_by_the_seed():
    everyone = np.arange(10, 510)
    assert drawn(everyone, 500, 0, "t") is everyone
    some = drawn(everyone, 100, 0, "t")
    assert len(set(some)) == 100
    assert (np.diff(some) > 0).all()
    assert (drawn(everyone, 100, 0, "t") == some).all()
    assert (drawn(everyone, 100, 1, "t") != some).any()


def test_rare_classes_keep_fifty_and_the_others_their_proportions():
    truth = np.repeat([0, 1, 2], [9000, 900, 60])
    some = drawn_by_class(np.arange(len(truth)), truth, 1000, 0, "t")
    counts = np.bincount(truth[some])
    assert counts.sum() == 1000
    assert counts[2] >= FEWEST_OF_A_CLASS
    assert 0.85 * 9000 / 9900 < (counts[0] - 50) / (counts[0] + counts[1] - 100) < 1.05 * 9000 / 9900


def test_a_question_on_many_neurons_learns_on_and_judges_a_sample_and_says_so():
    data = make_data(250, 400, class_vector)
    few = settings(most_neurons=200, most_ranked=100, baselines=False, bootstrap=0)
    question, _ = ask(FIELDS[0], data, few)
    (fold,) = question.folds
    assert question.sampled
    assert len(fold.train) == 200
    assert len(fold.test) <= 200 < data.n_judged
    found = evaluate(data, make_captions(data), vectors_of, few)
    notes = " ".join(found.notes)
    assert "at most 200 neurons" in notes
    assert "among 100 judged neurons, drawn from 250" in notes
    whole, _ = ask(FIELDS[0], data, settings())
    assert not whole.sampled
    assert sample_notes([whole], 250, 250, settings()) == []
