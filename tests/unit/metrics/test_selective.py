"""Answering only when it is likely to be right, against closed forms and slow counts."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from axonet.metrics.selective import area_under_risk, area_under_roc, fit_logistic, risk_at_coverage, sigmoid


@pytest.fixture
def scored():
    random = np.random.default_rng(0)
    label = random.uniform(size=400) < 0.4
    return random.normal(size=400) * 0.02 + 0.03 * label, label


def test_the_area_is_the_share_of_ordered_pairs(scored):
    score, label = np.round(scored[0], 2), scored[1]  # with ties
    assert area_under_roc(score, label) == pytest.approx(roc_auc_score(label, score))
    assert np.isnan(area_under_roc(score, np.ones_like(label)))


def test_the_curve_is_that_of_logistic_regression(scored):
    """With many neurons the drawn-in targets hardly matter."""
    score, label = scored
    slope, intercept = fit_logistic(score, label)
    expected = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(score[:, None] * 50, label)
    assert slope == pytest.approx(expected.coef_[0, 0] * 50, rel=0.05)
    np.testing.assert_allclose(
        sigmoid(slope * score + intercept), expected.predict_proba(score[:, None] * 50)[:, 1], atol=0.02
    )


def test_a_perfect_score_has_a_finite_slope():
    score = np.concatenate([np.full(10, -1.0), np.full(10, 1.0)])
    slope, intercept = fit_logistic(score, score > 0)
    assert np.isfinite([slope, intercept]).all()
    # Platt's targets: (n + 1) / (n + 2) and 1 / (n + 2).
    np.testing.assert_allclose(sigmoid(slope * np.array([1.0, -1.0]) + intercept), [11 / 12, 1 / 12], atol=1e-6)


def test_a_score_that_tells_nothing_gives_the_prior():
    slope, intercept = fit_logistic(np.ones(30), np.arange(30) < 10)
    assert float(sigmoid(np.array(slope + intercept))) == pytest.approx((11 / 12 * 10 + 20 / 22) / 30, abs=1e-3)


def test_risk_is_counted_among_the_surest():
    confidence = np.array([0.9, 0.8, 0.7, 0.6])
    correct = np.array([True, False, True, False])
    np.testing.assert_allclose(
        risk_at_coverage(confidence, correct, np.array([0.25, 0.5, 0.75, 1.0])), [0, 1 / 2, 1 / 3, 1 / 2]
    )
    assert area_under_risk(confidence, correct) == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_ties_count_against_the_model():
    correct = np.array([True, False, True, False])
    np.testing.assert_allclose(risk_at_coverage(np.ones(4), correct, np.array([0.5, 1.0])), [1.0, 0.5])
