from __future__ import annotations

import itertools

import numpy as np
import pytest

from axonet.core.seeds import rng
from axonet.metrics.permutation import p_value, permutation_null, sign_flip


def test_sign_flip_equals_writing_out_every_pattern():
    differences = np.array([0.3, -0.1, 0.2, 0.4, 0.05, -0.02, 0.1])
    means = [np.mean(differences * signs) for signs in itertools.product([1, -1], repeat=7)]
    expected = np.mean(np.abs(means) >= abs(differences.mean()) - 1e-12)
    assert sign_flip(differences) == pytest.approx(expected)


def test_below_six_labs_nothing_reaches_five_percent():
    assert sign_flip(np.full(5, 1.0)) == 2 / 2**5
    assert sign_flip(np.full(6, 1.0)) == 2 / 2**6 < 0.05


def test_many_differences_are_drawn_and_agree_with_the_exact_value():
    values = np.random.default_rng(0).normal(0.2, 1, size=21)
    exact_without_one = sign_flip(values[:20])
    drawn = sign_flip(np.concatenate([values[:20], [0.0]]), rng(0, "sign_flip"))
    assert drawn == pytest.approx(exact_without_one, abs=0.01)
    with pytest.raises(ValueError, match="stream"):
        sign_flip(values)
    with pytest.raises(ValueError, match="at least one"):
        sign_flip(np.array([]))


def test_an_order_that_matters_stands_out_of_its_permutations():
    values = np.arange(10.0)
    null = permutation_null(lambda order: float(values @ values[order]), 10, 199, rng(0, "null"))
    assert p_value(float(values @ values), null) == pytest.approx(1 / 200)
    assert p_value(null.min() - 1, null) == 1.0
    assert p_value(0.0, np.array([])) is None
