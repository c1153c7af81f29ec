from __future__ import annotations

import numpy as np
import pytest

from axonet.evaluation.data import Embedding
from axonet.evaluation.labels import FIELDS, Classes
from axonet.evaluation.scoring import Sample, draw_sample
from axonet.evaluation.zero_shot import ZeroShot, answer_zero_shot, class_vectors, zero_shot_rows

from .synthetic import make_data, pick

CELL_TYPE = FIELDS[0]

ABOUT = {"split": "neuron", "model": "image", "compartments": None}


def judged_rows(vectors, truth, prompts, bootstrap=100):
    """Zero-shot rows of neurons with given vectors and classes."""
    data = make_data(n_judged=len(truth), n_train=0)
    embedding = Embedding(np.array(vectors, dtype=float), np.arange(len(truth)))
    data = type(data)(data.neurons, len(truth), embedding, "validation", "neuron")
    names = tuple(f"class {i}" for i in range(len(prompts)))
    classes = Classes(names, np.array(truth), ())
    sample = draw_sample(data, embedding, data.judged, classes.truth, len(names), bootstrap, 0, "test")
    own = {"ensemble": np.array(prompts, dtype=float)}
    result = answer_zero_shot(CELL_TYPE, classes, own, data, sample)
    counts = np.bincount(truth, minlength=len(names)).astype(float)
    return zero_shot_rows(
        result,
        counts,
        ABOUT,
        [str(i) for i in range(len(truth))],
        0,
    ), result


def test_the_class_whose_prompt_is_nearest_is_answered():
    rows, result = judged_rows(np.eye(3)[[0, 0, 1, 2]], [0, 0, 1, 1], np.eye(3))
    assert result.confusion("ensemble").tolist() == [[2, 0, 0], [0, 1, 1], [0, 0, 0]]
    assert pick(rows, metric="accuracy")["value"] == 0.75
    assert pick(rows, metric="balanced_accuracy")["value"] == 0.75
    recall = pick(rows, metric="recall", **{"class": "class 1"})
    assert (recall["value"], recall["n"]) == (0.5, 2)


def test_a_recall_stands_beside_that_of_the_commonest_class():
    rows, _ = judged_rows(np.eye(2)[[0, 0, 1, 0, 1, 1]], [0, 0, 0, 0, 1, 1], np.eye(2))
    for name, constant, difference in (("class 0", 1, -0.25), ("class 1", 0, 1)):
        row = pick(rows, metric="recall", **{"class": name})
        assert (row["chance"], row["majority"], row["baseline"]) == (0.5, constant, "majority")
        assert row["difference"][0] == difference


def test_matrix_recalls_and_accuracy_agree_where_scores_differ_by_rounding_alone():
    near = 1e-11
    scores = np.array([[0.5 + near, 0.5], [0.5, 0.5 + near], [0.5 + near, 0.5], [0.2, 0.1]])
    sample = Sample(np.arange(4), np.array([0, 0, 1, 1]), 2, 4, None)
    result = ZeroShot(CELL_TYPE, ("class 0", "class 1"), {"ensemble": scores}, sample)
    rows = zero_shot_rows(result, np.array([2.0, 2.0]), ABOUT, list("abcd"), 0)
    counts = result.confusion("ensemble")
    assert counts.tolist() == [[0, 2], [1, 1]]
    assert pick(rows, metric="accuracy")["value"] == np.trace(counts) / 4
    recalls = [row["value"] for row in rows if row["metric"] == "recall"]
    assert recalls == [0, 0.5]
    assert pick(rows, metric="balanced_accuracy")["value"] == np.mean(recalls)


def test_a_constant_embedding_equals_chance_in_balanced_accuracy_and_a_frequency_in_accuracy():
    truth = [0] * 6 + [1] * 3 + [2] * 3
    rows, _ = judged_rows([[1, 0, 0]] * 12, truth, [[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]])
    assert pick(rows, metric="balanced_accuracy")["value"] == pick(rows, metric="balanced_accuracy")["chance"]
    assert pick(rows, metric="accuracy")["value"] == pick(rows, metric="accuracy")["majority"] == 0.5
    assert pick(rows, metric="top_3")["chance"] == 1


def test_the_same_score_for_all_classes_is_never_a_hit_of_the_commonest():
    truth = [0] * 6 + [1] * 2
    rows, _ = judged_rows([[1, 0]] * 8, truth, [[1, 0], [1, 0]])
    assert pick(rows, metric="accuracy")["value"] == 0.25


def test_a_class_is_the_mean_direction_of_its_prompts():
    vectors = class_vectors([np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 1.0]])])
    assert vectors == pytest.approx(np.array([[0.5**0.5, 0.5**0.5], [0, 1]]), abs=1e-6)


def test_calibration_is_reported_when_there_are_enough_neurons():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, size=90).tolist()
    noisy = np.eye(3)[truth] + 0.8 * rng.normal(size=(90, 3))
    vectors = noisy / np.linalg.norm(noisy, axis=1, keepdims=True)
    rows, _ = judged_rows(vectors, truth, np.eye(3))
    row = pick(rows, metric="expected_calibration_error")
    assert 0 < row["value"] < 0.25
    assert row["baseline"] == "class_frequencies"
    assert row["majority"] < 0.2, "frequencies of other neurons are nearly true of these"
    assert row["chance"] > row["value"], "the confidence of good answers would be wrong of random ones"
    assert row["difference"][0] == pytest.approx(row["value"] - row["majority"], abs=2e-6)
    few, _ = judged_rows(vectors[:12], truth[:12], np.eye(3))
    assert not [row for row in few if row["metric"] == "expected_calibration_error"]
