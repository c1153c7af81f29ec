"""None of these words: what a calibrated silence promises."""

import numpy as np
import pytest

from axonet.inference.abstention import Abstention, fit_abstention, without_own, word_score
from axonet.metrics.calibration import expected_calibration_error

N_CLASSES, DIM = 6, 16


def neurons(n: int, noise: float, seed: int = 0):
    """Vectors near their class's word; the null word lies between all of them."""
    random = np.random.default_rng(seed)
    words = np.random.default_rng(99).normal(size=(N_CLASSES, DIM)) + 1.0
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    null = words.mean(axis=0) / np.linalg.norm(words.mean(axis=0))
    truth = random.integers(0, N_CLASSES, n)
    vectors = words[truth] + noise * random.normal(size=(n, DIM)) / np.sqrt(DIM)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors @ words.T, vectors @ null, truth, [f"donor {i // 2}" for i in range(n)]


@pytest.fixture(scope="module")
def fitted() -> Abstention:
    found = fit_abstention(*neurons(400, 0.8))
    assert found is not None
    return found


def test_probabilities_of_words_and_of_none_sum_to_one(fitted):
    cosine, null, _, _ = neurons(20, 0.8, seed=1)
    probability = fitted.probabilities(cosine, null)
    assert probability.shape == (20, N_CLASSES + 1)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    assert (probability >= 0).all()


def test_the_answer_among_words_is_never_changed(fitted):
    cosine, null, _, _ = neurons(200, 0.8, seed=1)
    answer = fitted.probabilities(cosine, null)[:, :-1].argmax(axis=1)
    np.testing.assert_array_equal(answer, cosine.argmax(axis=1))


def test_none_is_said_more_often_where_it_is_true(fitted):
    cosine, null, truth, _ = neurons(500, 0.8, seed=2)
    there = fitted.probabilities(cosine, null)[:, -1]
    away = fitted.probabilities(np.delete(cosine, 0, axis=1)[truth == 0], null[truth == 0])[:, -1]
    assert away.mean() > there[truth == 0].mean() + 0.3


def test_stated_probabilities_hold_on_new_neurons(fitted):
    """Of the questions in which a word is called true with probability p, a share p has a true word."""
    cosine, null, truth, _ = neurons(2000, 0.8, seed=3)
    asked = [cosine, without_own(cosine, truth)]
    known = np.concatenate([1 - fitted.probabilities(part, null)[:, -1] for part in asked])
    error = expected_calibration_error(known, np.arange(4000) < 2000)
    assert error < 0.06
    assert fitted.calibration_error < 0.12
    assert fitted.separation > 0.8


def test_risk_falls_when_fewer_questions_are_answered(fitted):
    assert fitted.coverage[-1] == 1.0
    assert fitted.risk[0] < fitted.risk[-1]
    assert fitted.risk[-1] >= 0.5  # half of the questions have no right answer


def test_a_model_that_sees_nothing_says_so():
    random = np.random.default_rng(0)
    truth = random.integers(0, N_CLASSES, 300)
    found = fit_abstention(
        random.normal(size=(300, N_CLASSES)), random.normal(size=300), truth, [str(i) for i in range(300)]
    )
    assert found is not None
    assert abs(found.separation - 0.5) < 0.15
    probability = found.probabilities(random.normal(size=(5, N_CLASSES)), np.zeros(5))
    assert (np.abs(probability[:, -1] - 0.5) < 0.25).all()


@pytest.mark.parametrize("changed", [{"n": 20}, {"classes": 2}, {"groups": 3}])
def test_too_few_neurons_say_nothing(changed):
    cosine, null, truth, groups = neurons(changed.get("n", 60), 0.5)
    n_classes = changed.get("classes", N_CLASSES)
    groups = [str(i % changed["groups"]) for i in range(len(truth))] if "groups" in changed else groups
    assert fit_abstention(cosine[:, :n_classes], null, truth % n_classes, groups) is None


def test_it_survives_a_checkpoint(fitted):
    assert Abstention.from_json(fitted.to_json()) == fitted


def test_the_score_is_the_lead_of_the_best_word():
    np.testing.assert_allclose(word_score(np.array([[0.1, 0.5, 0.3]]), np.array([0.2])), [0.3])
