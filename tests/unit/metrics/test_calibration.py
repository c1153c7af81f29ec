from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from axonet.metrics.calibration import (
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    softmax,
)


def test_calibration_error_by_hand():
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    correct = np.array([True, True, True, False])
    assert expected_calibration_error(confidence, correct, n_bins=10) == pytest.approx((2 * 0.05 + 2 * 0.05) / 4)


def test_believable_probabilities_have_no_error():
    rng = np.random.default_rng(0)
    confidence = rng.random(200_000)
    assert expected_calibration_error(confidence, rng.random(200_000) < confidence) < 0.01


def test_the_temperature_is_the_one_a_general_optimizer_finds():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, size=400)
    logits = 8 * rng.normal(size=(400, 3))
    logits[np.arange(400), truth] += 6
    found = minimize_scalar(
        lambda t: negative_log_likelihood(logits, truth, np.exp(t)), bounds=(-4, 4), method="bounded"
    )
    assert np.log(fit_temperature(logits, truth)) == pytest.approx(found.x, abs=1e-4)
    assert softmax(logits).sum(axis=1) == pytest.approx(np.ones(400))
