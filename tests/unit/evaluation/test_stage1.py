"""Rows about Stage 1, from counts that are known, and from a network."""

from __future__ import annotations

import numpy as np
import pytest

from axonet.evaluation.stage1 import Decoded, sampled_neurons, stage1_rows

from .synthetic import pick


def decoded(n=6):
    """Half of the neurons: 30 axon pixels, 10 of them called basal; the others: 20 basal pixels, all right."""
    confusion = np.zeros((n, 6, 6))
    confusion[::2, 2, 2], confusion[::2, 2, 3], confusion[1::2, 3, 3] = 20, 10, 20
    depth = np.tile([6.0, 8.0, 2.0], (n, 1))
    return Decoded(np.arange(n), confusion, depth, {"latent": np.full(n, 0.5)}, 3, 8)


def rows(**changes):
    found = decoded(**changes)
    groups = [f"g{i}" for i in range(len(found.neurons))]
    return stage1_rows(found, groups, [0] * len(groups), "donor", 200, 0)


def test_dice_and_confusion_by_hand():
    found = rows()
    # axon: 60 true, 60 given as axon of 90 true pixels; basal: 60 true, 90 given
    assert pick(found, metric="dice_axon")["value"] == pytest.approx(2 * 60 / (90 + 60))
    assert pick(found, metric="dice_basal_dendrite")["value"] == pytest.approx(2 * 60 / (60 + 90))
    assert pick(found, metric="axon_called_dendrite")["value"] == pytest.approx(30 / 90, abs=1e-6)
    assert pick(found, metric="dendrite_called_axon")["value"] == 0
    assert {row["metric"] for row in found if row["metric"].startswith("dice_")} == {"dice_axon", "dice_basal_dendrite"}


def test_beside_stands_what_calling_everything_basal_reaches():
    found = rows()
    row = pick(found, metric="dice_basal_dendrite")
    assert row["baseline"] == "all_basal"
    assert row["majority"] == pytest.approx(2 * 60 / (60 + 150), abs=1e-6)
    assert pick(found, metric="dice_axon")["majority"] == 0
    assert pick(found, metric="axon_called_dendrite")["majority"] == 1
    assert pick(found, metric="axon_called_dendrite")["chance"] == pytest.approx(2 / 5)
    assert row["difference"][0] == pytest.approx(row["value"] - row["majority"], abs=1e-6)


def test_depth_is_a_mean_over_views_beside_the_middle_plane():
    row = pick(rows(), metric="depth_mae_um")
    assert (row["value"], row["majority"], row["baseline"]) == (3.0, 4.0, "middle_plane")
    assert row["interval"] == [3.0, 3.0]
    assert pick(rows(), metric="kl_latent")["value"] == 0.5
    assert pick(rows(), metric="active_units")["value"] == 3


def test_resampled_groups_give_intervals_that_hold_the_value():
    row = pick(rows(n=20), metric="axon_called_dendrite")
    assert row["interval"] == [row["value"], row["value"]]  # the same in every neuron that has an axon
    row = pick(rows(n=20), metric="dice_basal_dendrite")
    low, high = row["interval"]
    assert low < row["value"] < high


def test_many_or_large_views_are_sampled_and_the_sample_depends_on_the_seed_alone():
    ids = [f"n{i}" for i in range(2000)]
    assert sampled_neurons(ids[:100], 64 * 64, 0) == list(range(100))
    small, large = sampled_neurons(ids, 96 * 96, 0), sampled_neurons(ids, 512 * 512, 0)
    assert len(small) == 500
    assert 10 <= len(large) < 30
    assert sampled_neurons(ids, 96 * 96, 0) == small != sampled_neurons(ids, 96 * 96, 1)
