"""What is to be predicted of neurons: scales, missing values, lookup by row."""

import math

import numpy as np
import pytest
import torch

from axonet.inference.morphometrics import fit_morphometrics, standardized_morphometrics
from axonet.learning.neuron_targets import NeuronTable, fit_targets, predicted_names
from axonet.morphology.morphometrics import MORPHOMETRICS

from .synthetic import drawn_store


def measured(number: int, **more) -> dict:
    return {
        "neuron_id": f"cell_{number:02d}",
        "warnings": [],
        "cable_length": 100.0 * (number + 1),
        "n_stems": 4.0,
        "mean_radius": 0.1 * number,
        "partition_asymmetry": 0.5 - 0.01 * number,
        "axon_fraction": 0.1 * number,
        **more,
    }


def test_what_the_tracer_s_types_tell_is_not_predicted():
    assert not [name for name in predicted_names() if MORPHOMETRICS[name].compartment]
    assert {"cable_length", "partition_asymmetry", "mean_radius"} <= set(predicted_names())


def test_values_are_standardized_on_the_training_neurons_and_clamped():
    rows = [measured(number) for number in range(4)]
    logarithms = [math.log1p(100.0 * (number + 1)) for number in range(4)]
    mean, deviation = np.mean(logarithms), np.std(logarithms)
    scales = fit_morphometrics(rows, ["cable_length", "partition_asymmetry"])
    values = standardized_morphometrics([*rows, measured(0, cable_length=1e12)], scales)
    assert values[:4, 0] == pytest.approx((np.array(logarithms) - mean) / deviation, rel=1e-5)
    assert values[4, 0] == 5
    assert values[:4, 1].mean() == pytest.approx(0, abs=1e-6)
    assert values[:4, 1].std() == pytest.approx(1, rel=1e-5)


def test_what_nobody_measured_is_missing():
    scales = fit_morphometrics([measured(number) for number in range(4)], ["cable_length", "mean_radius"])
    rows = [
        measured(1, warnings=["constant_radius"]),  # every node has the same: it was never measured
        measured(1, cable_length=math.nan),
        measured(1, cable_length=None),
        None,
    ]
    missing = np.isnan(standardized_morphometrics(rows, scales))
    assert missing.tolist() == [[False, True], [True, False], [True, False], [True, True]]


def test_what_is_the_same_for_all_training_neurons_is_left_out():
    store = drawn_store(4, 2)
    targets = fit_targets(store, {f"cell_{number:02d}": measured(number) for number in range(9)})
    assert set(targets.names) == {"cable_length", "mean_radius", "partition_asymmetry"}
    assert fit_targets(store, {}).names == []
    assert fit_targets(drawn_store(1, 2), {"cell_00": measured(0)}).names == []


def test_the_digest_changes_with_what_is_predicted_of_these_neurons_alone():
    store = drawn_store(3, 2)
    measures = {f"cell_{number:02d}": measured(number) for number in range(9)}
    measures["cell_01"]["partition_asymmetry"] = math.nan  # some are always missing
    targets = fit_targets(store, measures)
    same = fit_targets(store, measures | {"cell_08": measured(8, cable_length=7.0)})
    other = fit_targets(store, measures | {"cell_02": measured(2, cable_length=7.0)})
    assert targets.digest(store) == same.digest(store) != other.digest(store)


def test_rows_find_their_neuron():
    store = drawn_store(3, 2).subset([4, 0, 3, 1, 5])
    measures = {f"cell_{number:02d}": measured(number) for number in (0, 2)}  # one was not measured
    targets = fit_targets(store, measures)
    neuron, target = NeuronTable(store, targets)(torch.tensor([0, 1, 2, 3, 4]))
    names = [store.neuron_ids[row] for row in range(5)]
    for i in range(5):
        for j in range(5):
            assert (neuron[i] == neuron[j]) == (names[i] == names[j])
        np.testing.assert_array_equal(target[i], targets.of([names[i]])[0])
    assert target[2].isnan().all()
    assert not NeuronTable(store, targets).state_dict()
