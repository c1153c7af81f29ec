from __future__ import annotations

import numpy as np
import pytest

from axonet.core.seeds import rng
from axonet.metrics import bootstrap

GROUPS = ["a", "a", "b", "c", "c", "c", "d", "e"]
CLASSES = ["x", "x", "x", "y", "y", "y", "y", "z"]


def test_items_of_a_group_are_drawn_together_and_within_their_class():
    weights = bootstrap.bootstrap_weights(GROUPS, CLASSES, 200, rng(0, "test"))
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 3:6] == weights[:, 3:4]).all()
    assert (weights[:, 0] + weights[:, 2] == 2).all(), "class x always has its two groups"
    assert (weights[:, 3] + weights[:, 6] == 2).all(), "class y too"
    assert (weights[:, 7] == 1).all(), "a class of one group is in every resample"
    assert {0.0, 1.0, 2.0} == set(weights[:, 0])


def test_resamples_depend_on_the_name_of_the_stream_alone():
    first = bootstrap.bootstrap_weights(GROUPS, CLASSES, 50, rng(3, "bootstrap", "cell_type"))
    again = bootstrap.bootstrap_weights(GROUPS, CLASSES, 50, rng(3, "bootstrap", "cell_type"))
    other = bootstrap.bootstrap_weights(GROUPS, CLASSES, 50, rng(3, "bootstrap", "region"))
    assert (first == again).all()
    assert (first != other).any()


def test_names_of_groups_do_not_matter():
    first = bootstrap.bootstrap_weights(GROUPS, CLASSES, 20, rng(0, "test"))
    renamed = bootstrap.bootstrap_weights([g * 2 for g in GROUPS], CLASSES, 20, rng(0, "test"))
    assert (first == renamed).all()


def test_groups_are_drawn_together_when_most_classes_have_only_one():
    groups = list("aabbccddee")
    weights = bootstrap.bootstrap_weights(groups, groups, 200, rng(0, "test"))
    assert (weights.sum(axis=1) == 10).all()
    assert weights.std(axis=0).min() > 0, "every group varies"


@pytest.mark.parametrize("groups", [["a"] * 8, list("aaabbbbc"), list("abcddddd")])
def test_fewer_than_five_groups_give_no_interval(groups):
    assert bootstrap.bootstrap_weights(groups, CLASSES, 100, rng(0, "test")) is None
    assert bootstrap.bootstrap_weights(GROUPS, CLASSES, 0, rng(0, "test")) is None
    assert bootstrap.interval(None) is None


def test_the_interval_of_a_mean_agrees_with_the_standard_error():
    values = np.random.default_rng(0).normal(size=400)
    weights = bootstrap.bootstrap_weights(range(400), ["x"] * 400, 4000, rng(0, "test"))
    low, high = bootstrap.interval(bootstrap.weighted_means(values, weights))
    half = 1.96 * values.std() / 20
    assert [low, high] == pytest.approx([values.mean() - half, values.mean() + half], abs=0.01)


def test_resampling_whole_groups_widens_the_interval():
    values = np.repeat(np.random.default_rng(1).normal(size=20), 10)
    groups = np.repeat(np.arange(20), 10).tolist()
    grouped = bootstrap.bootstrap_weights(groups, ["x"] * 200, 2000, rng(0, "a"))
    single = bootstrap.bootstrap_weights(range(200), ["x"] * 200, 2000, rng(0, "b"))
    width = [np.ptp(bootstrap.interval(bootstrap.weighted_means(values, w))) for w in (grouped, single)]
    assert width[0] > 2 * width[1]


def test_the_difference_to_itself_is_exactly_zero():
    values = np.random.default_rng(0).normal(size=8)
    weights = bootstrap.bootstrap_weights(GROUPS, CLASSES, 100, rng(0, "test"))
    means = bootstrap.weighted_means(values, weights)
    assert bootstrap.paired_difference(0.4, 0.4, means, means) == (0.0, 0.0, 0.0)
    assert bootstrap.paired_difference(0.5, 0.25, None, None) == (0.25, None, None)
