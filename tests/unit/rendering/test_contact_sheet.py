from __future__ import annotations

import numpy as np
import pytest

from axonet.morphology.compartments import PALETTE
from axonet.rendering import RenderSettings, render_neuron
from axonet.rendering.contact_sheet import (
    Style,
    bar_length,
    color_on_white,
    contact_sheet,
    direction_label,
    length_label,
)
from axonet.rendering.geometry import build_geometry

from .synthetic import random_neuron


def rendered(width=64, height=48, **settings):
    neuron = random_neuron(0, radius=(1.0, 2.0))
    views = render_neuron(neuron, RenderSettings(width=width, height=height, supersample_factor=1, **settings))
    return views, build_geometry(neuron).axes()


def test_every_view_is_on_the_page_and_the_page_is_mostly_white():
    views, axes = rendered(width=160, height=128, margin=0.0)
    page = contact_sheet(views, axes, "made up", ["300 nodes"])
    assert page.dtype == np.uint8
    assert page.shape[1] == Style.of(views).width
    assert (page == 255).all(axis=2).mean() > 0.6
    for view in views:  # its middle, where nothing is written over it
        part = color_on_white(view)[24:40, 20:60]
        assert any(shows(page, row, part) for row in range(len(page) - len(part)))


def shows(page, row, part):
    place = page[row].tobytes().find(part[0].tobytes())
    column = place // 3
    return place % 3 == 0 and np.array_equal(page[row : row + len(part), column : column + part.shape[1]], part)


@pytest.mark.parametrize("settings", [{"sampling": "fibonacci"}, {"canonical_views": 1, "biased_views": 0}])
def test_other_samplings_and_one_view_in_a_tier_have_pages_too(settings):
    views, axes = rendered(**settings)
    assert contact_sheet(views, axes, "x" * 500).shape[2] == 3


def test_the_window_around_the_soma_is_an_inset():
    without, axes = rendered()
    with_zoom, _ = rendered(zoom_um=60.0)
    plain, inset = contact_sheet(without, axes, "n"), contact_sheet(with_zoom, axes, "n")
    assert plain.shape == inset.shape
    assert (plain != inset).any()


def test_full_pixels_have_the_color_of_their_compartment_paler_with_depth():
    view = rendered()[0][0]
    picture = color_on_white(view)
    blocks = view.mask.reshape(24, 2, 32, 2).transpose(0, 2, 1, 3).reshape(24, 32, 4)
    full = (blocks == blocks[..., :1]).all(axis=2) & (blocks[..., 0] > 0)
    color = PALETTE[blocks[..., 0]].astype(int)
    assert full.sum() > 5
    assert (picture[full] >= color[full]).all()
    assert (picture[full] - color[full] <= 0.36 * (255 - color[full]) + 1).all()
    assert (picture[(blocks == 0).all(axis=2)] == 255).all()


def test_directions_are_named_by_the_nearest_principal_axis():
    axes = np.eye(3)[[1, 2, 0]]
    assert direction_label(axes[0], axes) == "+PC1"
    assert direction_label(-axes[2], axes) == "−PC3"
    turned = np.cos(np.radians(20.0)) * axes[1] + np.sin(np.radians(20.0)) * axes[2]
    assert direction_label(turned, axes) == "20° off +PC2"


@pytest.mark.parametrize("width", [1e-3, 0.07, 1.0, 6.0, 14.9, 15.1, 700.0, 3e6])
def test_scale_bars_are_round_and_take_an_eighth_to_a_third_of_the_width(width):
    length = bar_length(width)
    assert width / 8 <= length <= width / 3 * (1 + 1e-9)
    assert f"{length:.0e}"[0] in "125"
    assert length == pytest.approx(float(f"{length:.0e}"))


def test_lengths_are_said_in_fitting_units():
    said = [length_label(value) for value in (0.05, 1.0, 200.0, 1000.0, 5e3, 2e6, 1e-5)]
    assert said == ["50 nm", "1 µm", "200 µm", "1 mm", "5 mm", "2 m", "0.01 nm"]
