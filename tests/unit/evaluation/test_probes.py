from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from axonet.evaluation import probes
from axonet.evaluation.data import Embedding
from axonet.evaluation.folds import ask
from axonet.evaluation.labels import FIELDS
from axonet.evaluation.scoring import answer

from .synthetic import class_vector, constant_vector, make_data, random_vector, settings

CELL_TYPE = FIELDS[0]


def asked(**options):
    data = make_data(**options)
    question, _ = ask(CELL_TYPE, data, settings())
    truth = question.truth[data.embedding.items[data.embedding.items_of(question.judged)]]
    return data, question, truth


def item_groups(data):
    return np.array(data.neurons.groups)[data.embedding.items]


def test_neighbors_are_those_of_scikit_learn():
    data, question, _ = asked(vector_of=class_vector)
    (fold,) = question.folds
    vectors = data.embedding.item_vectors
    reference = KNeighborsClassifier(5, metric="cosine").fit(vectors[fold.train], question.truth[fold.train])
    votes = np.round(probes.neighbor_scores(question, data.embedding, 5), 1)
    assert votes == pytest.approx(reference.predict_proba(vectors[fold.test]))


def test_a_constant_embedding_answers_the_commonest_class():
    data, question, _ = asked(vector_of=constant_vector)
    votes = probes.neighbor_scores(question, data.embedding, 5)
    assert (answer(votes) == answer(probes.majority_scores(question, data.embedding))).all()


def test_more_neighbors_than_there_are_means_all_of_them():
    data, question, _ = asked(vector_of=class_vector, n_train=12)
    few, many = (probes.neighbor_scores(question, data.embedding, k) for k in (12, 1000))
    assert few == pytest.approx(many)


@pytest.mark.parametrize("pooling", ["mean", "max", "none"])
def test_an_embedding_that_holds_the_class_is_read_by_all_probes(pooling):
    data, question, truth = asked(vector_of=class_vector, pooling=pooling)
    logistic = probes.logistic_scores(question, data.embedding, data.embedding.item_vectors, item_groups(data), 0)
    for scores in (probes.neighbor_scores(question, data.embedding, 5), logistic):
        assert scores.shape == (len(truth), 4)
        assert (answer(scores) == truth).mean() > 0.95


def test_random_vectors_are_read_by_none():
    hits = []
    for n_judged in (24, 30, 36, 42):
        data, question, truth = asked(vector_of=random_vector, n_judged=n_judged)
        hits.append((answer(probes.neighbor_scores(question, data.embedding, 5)) == truth).mean())
    assert np.mean(hits) < 0.45


def test_the_penalty_is_chosen_on_what_is_learned_on_alone():
    data, question, _ = asked(vector_of=class_vector)
    vectors = data.embedding.item_vectors.copy()
    judged = question.judged
    before = probes.logistic_scores(question, data.embedding, vectors, item_groups(data), 0)
    vectors[judged[1:]] = np.random.default_rng(0).normal(size=vectors[judged[1:]].shape)
    after = probes.logistic_scores(question, data.embedding, vectors, item_groups(data), 0)
    assert before[0] == pytest.approx(after[0])


def test_standardization_knows_missing_values_and_clamps_wild_ones():
    features = np.array([[1.0, np.nan], [3.0, 2.0], [2.0, 2.0], [1e9, 2.0]])
    scaled = probes.standardized(features, np.array([0, 1, 2]))
    assert scaled[:, 0] == pytest.approx([-np.sqrt(1.5), np.sqrt(1.5), 0, 5])
    assert scaled[:, 1] == pytest.approx([0, 0, 0, 0])


def test_cross_validated_answers_are_in_the_order_of_the_judged_items():
    data, question, truth = asked(vector_of=class_vector, n_judged=60, n_train=0)
    assert (answer(probes.neighbor_scores(question, data.embedding, 5)) == truth).mean() > 0.95


def test_a_class_that_a_fold_lacks_gets_no_probability():
    scores = probes.fit_logistic(np.eye(3), np.array([0, 2, 2]), np.eye(3), 4, 1.0)
    assert (scores[:, [1, 3]] == 0).all()
    assert (probes.fit_logistic(np.eye(3), np.array([1, 1, 1]), np.eye(3), 4, 1.0)[:, 1] == 1).all()


def test_items_are_what_is_judged():
    vectors = np.eye(4)
    embedding = Embedding(vectors, np.array([0, 0, 1, 1]), "none")
    assert embedding.items_of(np.array([1])).tolist() == [2, 3]
