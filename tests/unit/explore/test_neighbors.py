"""Exact search, against sorting everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axonet.explore import neighbors
from axonet.explore.neighbors import nearest, neighbor_lists


def unit_vectors(seed: int, n: int, d: int = 6) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def by_sorting(vectors, query, k):
    cosine = np.array([np.float32(query @ vector) for vector in vectors])
    return sorted(range(len(vectors)), key=lambda row: (-cosine[row], row))[:k]


@given(st.integers(0, 1000), st.integers(1, 40), st.integers(0, 50))
def test_the_nearest_are_those_that_sorting_finds(seed, n, k):
    vectors, queries = unit_vectors(seed, n), unit_vectors(seed + 1, 3)
    rows, cosines = nearest(vectors, queries, k)
    assert rows.shape == cosines.shape == (3, min(k, n))
    for query, found in zip(queries, rows.tolist(), strict=True):
        assert found == by_sorting(vectors, query, k)


def test_of_equals_the_lower_rows_win():
    vectors = np.tile(np.eye(6, dtype=np.float32)[2], (9, 1))  # cosines without rounding
    rows, _ = nearest(vectors, vectors[0], 4)
    assert rows.tolist() == [[0, 1, 2, 3]]


def test_parts_give_what_the_whole_gives(monkeypatch):
    vectors = unit_vectors(1, 50)
    whole = nearest(vectors, vectors, 7)[0], neighbor_lists(vectors, 7)[0]
    monkeypatch.setattr(neighbors, "_CELLS_AT_A_TIME", 120)
    assert (nearest(vectors, vectors, 7)[0] == whole[0]).all()
    assert (neighbor_lists(vectors, 7)[0] == whole[1]).all()


def test_only_allowed_rows_are_found_and_keep_their_numbers():
    vectors = unit_vectors(2, 30)
    allowed = np.array([3, 8, 21])
    rows, cosines = nearest(vectors, vectors[8], 5, allowed=allowed)
    assert rows[0, 0] == 8
    assert set(rows[0].tolist()) == {3, 8, 21}
    assert cosines[0, 0] == pytest.approx(1, abs=1e-6)


def test_nobody_is_their_own_neighbor_not_even_a_twin():
    vectors = np.concatenate([unit_vectors(3, 5), unit_vectors(3, 5)])
    rows, cosines = neighbor_lists(vectors, 20)
    assert rows.shape == (10, 9)
    assert (rows != np.arange(10)[:, None]).all()
    assert rows[:, 0].tolist() == [5, 6, 7, 8, 9, 0, 1, 2, 3, 4]
    assert np.allclose(cosines[:, 0], 1, atol=1e-6)


def test_one_neuron_has_no_neighbors_and_other_lengths_are_refused():
    assert neighbor_lists(unit_vectors(4, 1), 3)[0].shape == (1, 0)
    with pytest.raises(ValueError, match="length 3"):
        nearest(unit_vectors(5, 4), np.ones(3), 2)
