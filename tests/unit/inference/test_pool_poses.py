"""Pooling of poses."""

from __future__ import annotations

import numpy as np
import pytest

from axonet.inference.pool import pool_poses, unit

GROUPS = ["b", "a", "b", "a", "c"]


@pytest.fixture
def vectors() -> np.ndarray:
    return unit(np.random.default_rng(0).normal(size=(5, 4)))


@pytest.fixture
def queries() -> np.ndarray:
    return unit(np.random.default_rng(1).normal(size=(3, 4)))


def test_mean_is_the_unit_vector_along_the_mean(vectors: np.ndarray) -> None:
    poses = pool_poses(vectors, GROUPS, "mean")
    assert poses.names == ["a", "b", "c"]
    mean = (vectors[0].astype(np.float64) + vectors[2]) / 2
    np.testing.assert_allclose(poses.vectors[1], mean / np.linalg.norm(mean), rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(poses.vectors, axis=1), 1.0, rtol=1e-6)


def test_max_lets_each_query_choose_its_best_pose(vectors: np.ndarray, queries: np.ndarray) -> None:
    poses = pool_poses(vectors, GROUPS, "max")
    cosine = queries @ vectors.T
    expected = np.stack([cosine[:, [1, 3]].max(1), cosine[:, [0, 2]].max(1), cosine[:, 4]], axis=1)
    np.testing.assert_allclose(poses.similarity(queries), expected, rtol=1e-6)


def test_none_keeps_every_view_apart(vectors: np.ndarray, queries: np.ndarray) -> None:
    poses = pool_poses(vectors, GROUPS, "none")
    assert poses.names == ["a", "a", "b", "b", "c"]
    np.testing.assert_allclose(poses.similarity(queries), queries @ vectors[[1, 3, 0, 2, 4]].T)


@pytest.mark.parametrize("how", ["mean", "max"])
def test_the_order_of_views_does_not_matter(how: str, vectors: np.ndarray, queries: np.ndarray) -> None:
    order = np.array([4, 2, 1, 0, 3])
    turned = pool_poses(vectors[order], [GROUPS[i] for i in order], how)  # type: ignore[arg-type]
    straight = pool_poses(vectors, GROUPS, how)  # type: ignore[arg-type]
    assert turned.names == straight.names
    np.testing.assert_allclose(turned.similarity(queries), straight.similarity(queries), rtol=1e-6)


@pytest.mark.parametrize("how", ["mean", "max", "none"])
def test_with_one_view_each_pooling_changes_nothing(how: str, vectors: np.ndarray, queries: np.ndarray) -> None:
    poses = pool_poses(vectors, ["a", "b", "c", "d", "e"], how)  # type: ignore[arg-type]
    np.testing.assert_allclose(poses.similarity(queries), queries @ vectors.T, rtol=1e-6)


def test_no_views_give_no_items() -> None:
    assert pool_poses(np.zeros((0, 3), np.float32), [], "mean").vectors.shape == (0, 3)
