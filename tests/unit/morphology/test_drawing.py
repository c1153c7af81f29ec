"""The picture of a neuron."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from axonet.morphology.drawing import to_svg
from axonet.morphology.neuron import Neuron

from .shapes import random_neuron, straight_cable, y_shape

SVG = "{http://www.w3.org/2000/svg}"


def points_of(svg):
    path = "".join(element.get("d") for element in svg.iter(f"{SVG}path"))
    return np.array([[float(number) for number in pair] for pair in re.findall(r"[ML](\S+?) ([^ML]+)", path)])


@pytest.mark.parametrize("seed", range(3))
def test_everything_lies_inside_and_fills_the_picture(seed):
    points = points_of(ElementTree.fromstring(to_svg(random_neuron(seed, n_trees=1 + seed), 200)))
    assert points.min() >= 0
    assert points.max() <= 200
    assert np.ptp(points, axis=0).max() > 150


def test_the_longest_axis_points_up():
    points = points_of(ElementTree.fromstring(to_svg(straight_cable(100, direction=(1, 1, 1)), 200)))
    assert np.ptp(points, axis=0)[1] > 180
    assert np.ptp(points, axis=0)[0] < 1


def test_each_compartment_has_its_color_and_the_soma_a_disk():
    svg = ElementTree.fromstring(to_svg(y_shape()))
    assert [element.get("stroke") for element in svg.iter(f"{SVG}path")] == ["#d55e00"]
    assert len(list(svg.iter(f"{SVG}circle"))) == 1


def test_the_pen_is_lifted_once_for_each_further_branch():
    svg = ElementTree.fromstring(to_svg(y_shape()))
    assert next(svg.iter(f"{SVG}path")).get("d").count("M") == 2


def test_steps_below_a_pixel_are_left_out():
    assert len(points_of(ElementTree.fromstring(to_svg(straight_cable(100, 50_000), 100)))) <= 201


def test_names_are_escaped():
    neuron = Neuron.from_arrays([(0, 0, 0), (1, 2, 3)], [-1, 0], 2, name='<a & "b">')
    assert ElementTree.fromstring(to_svg(neuron)).find(f"{SVG}title").text == '<a & "b">'


@pytest.mark.parametrize(
    "points", [[(1, 2, 3)], [(1, 2, 3), (1, 2, 3)], [(0, 0, 0), (1e-150, 0, 0)], [(0, 0, 0), (0, 1e150, 0)]]
)
@pytest.mark.parametrize("first_type", [1, 2])
def test_any_neuron_can_be_drawn(points, first_type):
    neuron = Neuron.from_arrays(points, np.arange(len(points)) - 1, [first_type, 2][: len(points)])
    assert ElementTree.fromstring(neuron._repr_svg_()).tag == f"{SVG}svg"
