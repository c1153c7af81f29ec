from __future__ import annotations

import numpy as np
import pytest

from axonet.rendering import RenderSettings, render_neuron
from axonet.rendering.pooling import pool
from axonet.rendering.raster import EMPTY

from .synthetic import random_neuron


def pooled(samples, factor=2, near=10.0, step=0.5):
    """Pool samples given as ``{(row, column): (level, class)}`` on a 4 x 6 canvas."""
    buffer = np.full((4, 6), EMPTY, dtype=np.uint32)
    first, last = np.full(4, 6), np.full(4, -1)
    for (row, column), (level, label) in samples.items():
        buffer[row, column] = level << 8 | label
        first[row], last[row] = min(first[row], column), max(last[row], column)
    mask = np.zeros((4 // factor, 6 // factor), dtype=np.uint8)
    depth = np.full(mask.shape, np.nan, dtype=np.float32)
    pool(buffer, first, last, near, step, mask, depth)
    assert (buffer == EMPTY).all()
    assert first.tolist() == [6] * 4
    assert last.tolist() == [-1] * 4
    return mask, depth


def test_one_covered_sample_makes_a_pixel_of_its_class_and_depth():
    mask, depth = pooled({(3, 4): (7, 3)})
    assert mask.tolist() == [[0, 0, 0], [0, 0, 3]]
    assert depth[1, 2] == 10.0 + 7.5 * 0.5
    assert np.isnan(depth).sum() == 5


def test_the_class_of_most_samples_wins_and_depth_is_the_mean_of_all():
    mask, depth = pooled({(0, 0): (1, 2), (0, 1): (100, 4), (1, 0): (100, 4)})
    assert mask[0, 0] == 4
    assert depth[0, 0] == pytest.approx(10.0 + (67 + 0.5) * 0.5)


@pytest.mark.parametrize(("nearer", "farther"), [(2, 4), (4, 2)])
def test_a_tie_goes_to_the_nearest_sample(nearer, farther):
    samples = {(0, 0): (9, farther), (0, 1): (8, nearer), (1, 0): (900, nearer), (1, 1): (10, farther)}
    assert pooled(samples)[0][0, 0] == nearer


def test_a_tie_at_equal_depth_goes_to_the_lower_class():
    assert pooled({(0, 0): (9, 4), (1, 1): (9, 2)})[0][0, 0] == 2


def test_the_largest_class_of_the_samples_fills_the_pixel():
    # Against numpy on real pictures: the same cameras at factor 1 and three times the size show the samples.
    neuron = random_neuron(2, radius=(0.5, 3.0))
    common = {"canonical_views": 2, "biased_views": 2, "random_views": 2, "margin": 0.5}
    coarse = render_neuron(neuron, RenderSettings(width=40, height=40, supersample_factor=3, **common))
    fine = render_neuron(neuron, RenderSettings(width=120, height=120, supersample_factor=1, **common))
    for a, b in zip(coarse, fine, strict=True):
        blocks = b.mask.reshape(40, 3, 40, 3).swapaxes(1, 2).reshape(40, 40, 9)
        counts = np.stack([(blocks == label).sum(axis=2) for label in range(1, 6)], axis=2)
        assert np.array_equal(a.silhouette, counts.any(axis=2))
        clear = np.sort(counts, axis=2)[:, :, -1] > np.sort(counts, axis=2)[:, :, -2]
        assert np.array_equal(a.mask[clear], counts.argmax(axis=2)[clear] + 1)
        depths = b.depth_um.reshape(40, 3, 40, 3).swapaxes(1, 2).reshape(40, 40, 9)
        mean = np.nanmean(depths[a.silhouette], axis=1)
        assert np.allclose(a.depth_um[a.silhouette], mean, atol=1e-3)
