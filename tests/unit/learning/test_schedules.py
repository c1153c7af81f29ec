import math

import pytest

from axonet.learning.schedules import kl_factor, lr_factor, total_steps


def test_the_peak_is_reached_with_the_last_step_of_the_warm_up():
    assert [lr_factor(step, 100, 4, "constant") for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_cosine_falls_from_one_to_zero_over_what_follows_the_warm_up():
    factors = [lr_factor(step, 110, 10, "cosine") for step in (10, 35, 60, 85, 110, 200)]
    half = math.sqrt(0.5)
    assert factors == pytest.approx([1, (1 + half) / 2, 0.5, (1 - half) / 2, 0, 0])


def test_step_is_a_tenth_after_half_and_a_hundredth_after_three_quarters():
    factors = [lr_factor(step, 100, 0, "step") for step in (0, 49, 50, 74, 75, 99)]
    assert factors == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_kl_weight_rises_linearly():
    assert [kl_factor(step, 4) for step in range(6)] == [0, 0.25, 0.5, 0.75, 1, 1]
    assert kl_factor(0, 0) == 1


def test_an_incomplete_group_of_batches_is_a_step_of_its_own():
    assert total_steps(10, 4, max_epochs=5, max_steps=None) == 15
    assert total_steps(10, 4, max_epochs=5, max_steps=7) == 7
