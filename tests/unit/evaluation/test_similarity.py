from __future__ import annotations

import numpy as np
import pytest

from axonet.evaluation.data import Embedding, join_vectors
from axonet.evaluation.similarity import item_similarity, query_similarity
from axonet.inference.pool import pool_poses


@pytest.fixture
def views():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(9, 5))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.array([0, 0, 0, 1, 2, 2, 3, 3, 3])


@pytest.mark.parametrize("pooling", ["mean", "max", "none"])
def test_queries_meet_items_as_in_search(views, pooling):
    vectors, owner = views
    queries = vectors[:4]
    searched = pool_poses(vectors.astype(np.float32), [str(i) for i in owner], pooling)
    found = query_similarity(queries, Embedding(vectors, owner, pooling))
    assert found == pytest.approx(searched.similarity(queries.astype(np.float32)), abs=1e-6)


def test_two_neurons_are_as_alike_as_their_best_pair_of_views(views):
    vectors, owner = views
    found = item_similarity(Embedding(vectors, owner, "max"), np.array([2, 0]), np.array([3, 1]))
    for row, a in enumerate((2, 0)):
        for column, b in enumerate((3, 1)):
            pairs = [vectors[i] @ vectors[j] for i in np.flatnonzero(owner == a) for j in np.flatnonzero(owner == b)]
            assert found[row, column] == pytest.approx(max(pairs), abs=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "none"])
def test_items_are_compared_by_cosine(views, pooling):
    vectors, owner = views
    embedding = Embedding(vectors, owner, pooling)
    items = np.arange(len(embedding.items))
    assert np.diag(item_similarity(embedding, items, items)) == pytest.approx(np.ones(len(items)), abs=1e-6)


def test_vectors_find_their_neurons_in_any_order(views):
    vectors, owner = views
    names = np.array(["a", "b", "c", "d"])[owner]
    shuffled = np.random.default_rng(1).permutation(9)
    embedding = join_vectors(names[shuffled].tolist(), vectors[shuffled], ["c", "a"])
    assert embedding.owner.tolist() == [0, 0, 1, 1, 1]
    mean = vectors[names == "c"].mean(axis=0)
    assert embedding.item_vectors[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
    with pytest.raises(ValueError, match="no vector"):
        join_vectors(["a"], vectors[:1], ["a", "b"])
