from __future__ import annotations

from dataclasses import replace

import numpy as np

from axonet.core.seeds import rng
from axonet.evaluation.folds import ask, grouped_folds
from axonet.evaluation.labels import FIELDS, choose_classes

from .synthetic import make_data, settings

CELL_TYPE = FIELDS[0]


def test_no_group_is_torn_and_classes_are_spread():
    groups = [f"g{i // 3}" for i in range(60)]
    strata = [(i // 3) % 2 for i in range(60)]
    fold = grouped_folds(groups, strata, 5, rng(0, "test"))
    assert all(len(set(fold[np.array(groups) == g])) == 1 for g in set(groups))
    table = np.zeros((5, 2))
    np.add.at(table, (fold, np.array(strata)), 1)
    assert (table == 6).all()


def test_given_neurons_are_learned_on_and_judged_ones_answered_for():
    data = make_data()
    question, _ = ask(CELL_TYPE, data, settings())
    (fold,) = question.folds
    assert fold.train.min() >= data.n_judged > fold.test.max()
    assert question.kept_apart == "manifest"


def test_without_others_every_neuron_is_answered_for_once_by_neurons_of_other_groups():
    data = make_data(n_judged=60, n_train=0)
    question, _ = ask(CELL_TYPE, data, settings())
    assert question.kept_apart == "group"
    assert np.concatenate([fold.test for fold in question.folds]).size == len(question.judged) == 60
    for fold in question.folds:
        learned = {data.neurons.groups[i] for i in fold.train}
        assert not learned & {data.neurons.groups[i] for i in fold.test}


def test_classes_of_one_laboratory_each_fall_back_to_single_neurons():
    data = make_data(n_judged=24, n_train=0)
    lab_of_class = tuple(record.label for record in data.neurons.records)
    question, _ = ask(CELL_TYPE, replace(data, neurons=replace(data.neurons, groups=lab_of_class)), settings())
    assert question.kept_apart == "neuron"


def test_rare_and_unlearnable_classes_are_listed():
    labels = ["a", "a", "b", "c", "c", None, "a", "b"]
    classes = choose_classes(labels, np.arange(6), np.arange(6, 8), 2, "task")
    assert classes.names == ("a",)
    assert classes.truth.tolist() == [0, 0, -1, -1, -1, -1, 0, -1]
    reasons = {row["class"]: row["reason"] for row in classes.dropped}
    assert reasons == {"b": "fewer than 2 judged neurons", "c": "no neuron to learn it from"}


def test_one_class_is_no_question():
    data = make_data(n_judged=6, n_train=6)
    same = tuple(replace(record, label="pyramidal neuron") for record in data.neurons.records)
    question, dropped = ask(CELL_TYPE, replace(data, neurons=replace(data.neurons, records=same)), settings())
    assert question is None
    assert "nothing to tell apart" in str(dropped[-1]["reason"])
