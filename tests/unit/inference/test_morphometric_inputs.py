"""Morphometrics as inputs: scale, missing values, and which ones."""

import math

import numpy as np
import pytest

from axonet.core.errors import UserError
from axonet.inference.morphometrics import (
    LIMIT,
    check_names,
    fit_morphometrics,
    morphometric_features,
    shape_morphometrics,
)
from axonet.morphology.morphometrics import MORPHOMETRICS

NAMES = ("cable_length", "partition_asymmetry", "mean_radius")


def rows(n: int = 50) -> list[dict]:
    random = np.random.default_rng(0)
    return [
        {
            "cable_length": float(np.exp(random.normal(7, 1))),
            "partition_asymmetry": float(random.uniform()),
            "mean_radius": float(random.uniform(0.2, 1)),
            "warnings": [],
        }
        for _ in range(n)
    ]


def test_by_default_neither_tracing_nor_compartment_types_enter():
    names = shape_morphometrics()
    assert 14 <= len(names) <= 24
    assert not any(MORPHOMETRICS[name].artefact or MORPHOMETRICS[name].compartment for name in names)
    assert {"cable_length", "n_branch_points", "partition_asymmetry"} <= set(names)
    assert not {"mean_radius", "soma_radius", "n_roots", "axon_fraction"} & set(names)


def test_training_neurons_have_mean_zero_and_deviation_one():
    train = rows()
    features = morphometric_features(train, fit_morphometrics(train, NAMES))
    np.testing.assert_allclose(features[:, :3].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(features[:, :3].std(axis=0), 1, atol=1e-5)
    assert not features[:, 3:].any()


def test_long_tailed_ones_enter_as_logarithms():
    train = rows()
    inputs = fit_morphometrics(train, NAMES)
    assert [item.log for item in inputs] == [True, False, False]
    logarithm = np.log1p([row["cable_length"] for row in train])
    assert inputs[0].mean == pytest.approx(logarithm.mean())
    assert inputs[0].deviation == pytest.approx(logarithm.std())


def test_what_is_missing_is_zero_and_marked():
    train = rows()
    inputs = fit_morphometrics(train, NAMES)
    asked = [None, {}, {"cable_length": math.nan, "partition_asymmetry": None, "mean_radius": math.inf}]
    features = morphometric_features(asked, inputs)
    np.testing.assert_array_equal(features, [[0, 0, 0, 1, 1, 1]] * 3)
    assert np.isfinite(features).all()


def test_a_constant_radius_is_a_missing_one():
    """What nobody measured says nothing, though it has a value; other measures stay."""
    train = rows()
    inputs = fit_morphometrics(train, NAMES)
    constant = {**train[0], "warnings": ["constant_radius"]}
    features = morphometric_features([train[0], constant], inputs)
    np.testing.assert_array_equal(features[1, 3:], [0, 0, 1])
    np.testing.assert_array_equal(features[1, :2], features[0, :2])
    assert features[1, 2] == 0
    # And it takes no part in the scale.
    assert fit_morphometrics([*train, {**constant, "mean_radius": 1e6}], NAMES)[2].mean == inputs[2].mean


def test_other_units_cannot_blow_up_a_vector():
    train = rows()
    features = morphometric_features([{"partition_asymmetry": 1e9}], fit_morphometrics(train, NAMES))
    assert features[0, 1] == LIMIT


def test_a_constant_measure_tells_nothing():
    train = [{**row, "partition_asymmetry": 0.3} for row in rows()]
    inputs = fit_morphometrics(train, NAMES)
    assert morphometric_features(train, inputs)[:, 1] == pytest.approx(0, abs=1e-6)


def test_without_any_measurement_there_is_nothing_to_join():
    with pytest.raises(UserError, match="no training neuron was measured"):
        fit_morphometrics([None, {}], NAMES)


@pytest.mark.parametrize(
    ("names", "message"), [(["girth"], "no morphometric 'girth'"), (["width", "width"], "named twice")]
)
def test_wrong_names_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        check_names(names)
