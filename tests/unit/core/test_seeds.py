"""Random streams belong to names, not to an order."""

from __future__ import annotations

import numpy as np

from axonet.core.seeds import rng, stable_seed, uniform


def test_a_stream_depends_on_its_names_alone():
    first = rng(0, "views", "a").random(4)
    rng(0, "views", "b").random(4)
    assert np.array_equal(rng(0, "views", "a").random(4), first)


def test_names_do_not_run_together():
    assert stable_seed(0, "a", "b") != stable_seed(0, "ab")
    assert stable_seed(1, "a") != stable_seed(11, "a")


def test_known_values_do_not_move():
    # Splits are made of these: a change would move neurons between train and test.
    assert uniform(0, "split", "n1") == 0.5704922694150723
    assert stable_seed(7, "x") == 2245891087


def test_uniform_numbers_are_uniform():
    numbers = np.array([uniform(3, str(i)) for i in range(4000)])
    assert np.abs(np.histogram(numbers, 10, (0, 1))[0] / 400 - 1).max() < 0.25
