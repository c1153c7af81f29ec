"""What neurons and views show in a notebook."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import axonet
from axonet.core.errors import UserError
from axonet.morphology.neuron import Neuron
from tests.fakes.neurons import made_up_swc


def parsed(number: int = 1) -> Neuron:
    from axonet.morphology.swc import parse_swc

    return parse_swc(made_up_swc(number), "cell <b>1</b>")


def test_a_neuron_shows_its_picture_its_sizes_and_its_warnings_escaped() -> None:
    neuron = axonet.Neuron.from_arrays(
        [[0, 0, 0], [30, 0, 0], [60, 9, 0]], [-1, 0, 1], [1, 3, 3], [5, 1, 1], name="a <b>", warnings=["flat_z", "<x>"]
    )
    html = neuron._repr_html_()  # type: ignore[attr-defined]
    assert "<svg" in html
    assert "<b>a &lt;b&gt;</b>" in html
    assert "&lt;x&gt;" in html
    assert "<x>" not in html
    assert "traced in one plane" in html
    assert f"{neuron.morphometrics()['cable_length']:,.0f} µm" in html
    assert "basal dendrite" in html
    assert "axon&ensp;" not in html


def test_the_room_of_neurons_knows_nothing_of_pages_until_the_door_is_opened() -> None:
    code = """import sys
import axonet.morphology.neuron as room
assert not hasattr(room.Neuron, "_repr_html_")
import axonet
axonet.read_swc
assert hasattr(room.Neuron, "_repr_html_")
print(sorted({"axonet.rendering", "PIL", "torch", "numba"} & set(sys.modules)))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_view_and_the_views_of_a_neuron_show_themselves() -> None:
    views = axonet.render_views(parsed(), size=64, canonical_views=3, biased_views=0, random_views=2)
    assert isinstance(views, list)
    one, page = (Image.open(io.BytesIO(item._repr_png_() or b"")) for item in (views[0], views))
    assert one.size == (32, 32)
    assert page.size[0] > 3 * 32
    drawn = np.asarray(one).min(axis=2) < 255
    grown = views[0].mask.reshape(32, 2, 32, 2).any(axis=(1, 3))
    np.testing.assert_array_equal(drawn, grown)
    assert axonet.Views()._repr_png_() is None


def test_without_navis_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "navis", None)
    with pytest.raises(UserError, match="pip install navis"):
        parsed().to_navis()


def test_navis_gets_the_same_nodes() -> None:
    pytest.importorskip("navis", reason="navis is not installed: to_navis is compared where it is")
    neuron = parsed()
    twin = neuron.to_navis()
    assert twin.n_nodes == neuron.n_nodes
    assert twin.n_trees == neuron.n_roots
    assert str(twin.units) == "1 micrometer"
    nodes = twin.nodes.set_index("node_id").loc[neuron.node_id]
    np.testing.assert_allclose(nodes[["x", "y", "z"]].to_numpy(), neuron.xyz, rtol=1e-6)
    np.testing.assert_allclose(nodes.radius.to_numpy(), neuron.radius, rtol=1e-6)
    edges = neuron.edges()
    cable = np.linalg.norm(neuron.xyz[edges[:, 1]] - neuron.xyz[edges[:, 0]], axis=1).sum()
    assert twin.cable_length == pytest.approx(cable, rel=1e-5)
