from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from axonet.rendering import RenderSettings
from axonet.rendering.geometry import build_geometry
from axonet.rendering.views import (
    biased_directions,
    canonical_directions,
    fibonacci_directions,
    random_directions,
    view_directions,
)

from .synthetic import random_neuron


def directions_of(neuron, name=None, **settings):
    axes = build_geometry(neuron).axes()
    return *view_directions(axes, RenderSettings(**settings), name or neuron.name), axes


def test_canonical_views_look_exactly_along_the_principal_axes():
    directions, tiers, axes = directions_of(random_neuron())
    expected = np.stack([axes[0], -axes[0], axes[1], -axes[1], axes[2], -axes[2]])
    assert np.array_equal(directions[:6], expected)
    assert tiers == ["canonical"] * 6 + ["biased"] * 12 + ["random"] * 6


def test_fewer_canonical_views_are_the_widest():
    assert canonical_directions(0).shape == (0, 3)
    for n_views in range(1, 6):
        chosen = canonical_directions(n_views)
        assert np.array_equal(chosen[0], [0, 0, 1])
        assert len(np.unique(chosen, axis=0)) == n_views
    three = np.abs(canonical_directions(3))
    assert np.array_equal(np.sort(three.argmax(axis=1)), [0, 1, 2])


def test_more_canonical_views_add_diagonals():
    chosen = canonical_directions(26)
    assert np.array_equal(chosen[:6], canonical_directions(6))
    assert np.allclose(np.linalg.norm(chosen, axis=1), 1)
    assert len(np.unique(chosen.round(9), axis=0)) == 26


@pytest.mark.parametrize("n_views", [1, 12, 40])
def test_biased_views_are_near_pc3_spread_and_away_from_canonical_ones(n_views):
    canonical = canonical_directions(6)
    biased = biased_directions(n_views, canonical, np.random.default_rng(3))
    assert np.allclose(np.linalg.norm(biased, axis=1), 1)
    assert (np.abs(biased[:, 2]) >= np.cos(np.radians(40))).all()
    others = np.concatenate([canonical, biased])
    cosines = np.abs(others @ others.T)[6:]
    cosines[np.arange(n_views), 6 + np.arange(n_views)] = 0
    assert np.degrees(np.arccos(cosines.max())) > 50 / np.sqrt(n_views + 12)


def test_twelve_biased_views_see_nearly_the_largest_area():
    biased = biased_directions(12, canonical_directions(6), np.random.default_rng(0))
    assert np.abs(biased[:, 2]).mean() > 0.88
    # On both sides, and all around.
    assert 2 <= (biased[:, 2] > 0).sum() <= 10
    assert np.abs(biased[:, :2].mean(axis=0)).max() < 0.2


def test_without_canonical_views_the_best_biased_one_is_close_to_pc3():
    biased = biased_directions(3, np.zeros((0, 3)), np.random.default_rng(0))
    assert abs(biased[0, 2]) > 0.999


def test_random_views_cover_the_sphere_evenly():
    directions = random_directions(20_000, np.random.default_rng(0))
    assert np.allclose(np.linalg.norm(directions, axis=1), 1)
    assert np.abs(directions.mean(axis=0)).max() < 0.02
    assert np.allclose((directions.T @ directions) / 20_000, np.eye(3) / 3, atol=0.01)


def test_fibonacci_views_are_spread_evenly():
    directions = fibonacci_directions(24)
    cosines = directions @ directions.T - 2 * np.eye(24)
    nearest = np.degrees(np.arccos(cosines.max(axis=1)))
    assert nearest.min() > 25
    assert nearest.max() / nearest.min() < 1.6


@pytest.mark.parametrize("sampling", ["fibonacci", "random"])
def test_the_number_of_views_is_the_same_for_every_sampling(sampling):
    settings = {"sampling": sampling, "canonical_views": 2, "biased_views": 3, "random_views": 4}
    directions, tiers, _ = directions_of(random_neuron(), **settings)
    assert len(directions) == 9
    assert tiers == [sampling] * 9


def test_the_name_and_the_seed_choose_the_random_views():
    neuron = random_neuron()
    base = directions_of(neuron)[0]
    assert directions_of(neuron)[0].tobytes() == base.tobytes()
    for other in (directions_of(neuron, name="another")[0], directions_of(neuron, seed=1)[0]):
        assert np.array_equal(other[:6], base[:6])
        assert not np.isclose(other[6:], base[6:]).all(axis=1).any()


def test_a_turned_neuron_is_seen_the_same_way():
    neuron, turn = random_neuron(), Rotation.from_euler("xyz", [0.3, 1.2, -2.0]).as_matrix()
    straight = directions_of(neuron)[0]
    turned = directions_of(replace(neuron, xyz=neuron.xyz @ turn.T))[0]
    assert np.allclose(turned, straight @ turn.T)


def test_points_along_a_straight_stretch_change_no_axis():
    from axonet.morphology.neuron import Neuron

    coarse = random_neuron(2, n_nodes=30)
    xyz, parent, types, radii = [coarse.xyz[0]], [-1], [1], [coarse.radius[0]]
    row_of = {0: 0}
    for row in range(1, coarse.n_nodes):
        mother = int(coarse.parent[row])
        for step in (0.3, 1.0):
            xyz.append(coarse.xyz[mother] + step * (coarse.xyz[row] - coarse.xyz[mother]))
            parent.append(row_of[mother] if step < 1 else len(xyz) - 2)
            types.append(int(coarse.swc_type[row]))
            radii.append(coarse.radius[row])
        row_of[row] = len(xyz) - 1
    fine = Neuron.from_arrays(xyz, parent, types, radii)
    axes = [build_geometry(neuron).axes() for neuron in (coarse, fine)]
    assert np.allclose(axes[0], axes[1], atol=1e-8)
