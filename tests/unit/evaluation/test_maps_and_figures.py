from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from axonet.evaluation.figures import COLORS, MARKERS, draw_confusion, draw_map, draw_nothing
from axonet.evaluation.maps import make_map

from .synthetic import class_vector, make_data


@pytest.fixture(scope="module")
def vectors():
    return make_data(vector_of=class_vector).embedding.item_vectors


def test_neighbors_stay_neighbors_and_a_shuffled_map_is_worse(vectors):
    layout = make_map(vectors, 0)
    assert layout.trustworthiness > 0.85 > 0.65 > layout.random
    assert (make_map(vectors, 0).xy == layout.xy).all()


@pytest.mark.parametrize("n", [1, 2, 4, 5, 6, 9])
def test_there_is_a_map_however_few_neurons_there_are(vectors, n):
    layout = make_map(vectors[:n], 0)
    assert layout.xy.shape == (n, 2)
    assert np.isfinite(layout.xy).all()


def test_a_constant_embedding_has_a_map():
    assert np.isfinite(make_map(np.ones((12, 3)) / 3**0.5, 0).xy).all()


@pytest.mark.parametrize("n_classes", [1, 2, 30, 40])
def test_pictures_are_made_for_any_number_of_classes(tmp_path, vectors, n_classes):
    labels = [None if i % 7 == 0 else f"class number {i % n_classes} with a long name" for i in range(len(vectors))]
    layout = make_map(vectors, 0)
    judged = np.arange(len(vectors)) < 20
    draw_map(tmp_path / "map.png", layout, labels, judged, "Neurons by cell type")
    counts = np.random.default_rng(0).integers(0, 5, size=(n_classes, n_classes)).astype(float)
    names = [f"class number {i}" for i in range(n_classes)]
    draw_confusion(tmp_path / "confusion.png", counts, names, "Zero-shot", "a note")
    for name in ("map.png", "confusion.png"):
        with Image.open(tmp_path / name) as picture:
            assert min(picture.size) > 400
            assert max(picture.size) < 4000


def test_the_same_map_gives_the_same_bytes(tmp_path, vectors):
    layout = make_map(vectors, 0)
    for name in ("a.png", "b.png"):
        draw_map(tmp_path / name, layout, ["x"] * len(vectors), np.ones(len(vectors), dtype=bool), "title")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_picture_says_why_there_is_none(tmp_path):
    draw_nothing(tmp_path / "none.png", "Neurons by region", "The metadata names no region.")
    assert (tmp_path / "none.png").stat().st_size > 1000


def test_thirty_classes_have_thirty_different_marks():
    marks = {(COLORS[i % len(COLORS)], MARKERS[i % len(MARKERS)]) for i in range(30)}
    assert len(marks) == 30
