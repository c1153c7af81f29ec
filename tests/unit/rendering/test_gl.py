"""The GL backend against the CPU's, which is tested against closed forms and a slow reference."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from scipy import ndimage

from axonet.core.errors import UserError
from axonet.morphology.neuron import Neuron
from axonet.rendering import RenderSettings, render_neuron
from axonet.rendering.gl_devices import list_devices

from .synthetic import APICAL, AXON, BASAL, needs_gl, random_neuron, stick

pytestmark = needs_gl


def both(neuron, **settings):
    settings = {"width": 96, "height": 64, "supersample_factor": 2, **settings}
    cpu = render_neuron(neuron, RenderSettings(backend="cpu", **settings))
    return cpu, render_neuron(neuron, RenderSettings(backend="gl", **settings))


def agreement(first, second):
    """Intersection over union, share of equal classes, 99 % quantile of the depth difference in pixels."""
    shared = first.silhouette & second.silhouette
    difference = np.abs(first.depth_um - second.depth_um)[shared] / first.camera.um_per_px
    union = (first.silhouette | second.silhouette).sum()
    return shared.sum() / union, (first.mask == second.mask)[shared].mean(), np.quantile(difference, 0.99)


@pytest.mark.parametrize("projection", ["ortho", "perspective"])
@pytest.mark.parametrize(
    ("seed", "made"),
    [
        (0, {}),
        (1, {"spread": (1.0, 0.4, 3.0), "n_trees": 4}),
        (2, {"radius": (0.001, 0.01)}),
        (3, {"radius": (3.0, 9.0), "n_nodes": 120}),
    ],
)
def test_gl_and_cpu_draw_the_same_pictures(seed, made, projection):
    for cpu, gl in zip(*both(random_neuron(seed, **made), projection=projection, zoom_um=90.0), strict=True):
        overlap, same_class, depth = agreement(cpu, gl)
        assert overlap >= 0.999
        assert same_class >= 0.999
        assert depth < 1e-3
        assert (cpu.near_um, cpu.far_um, cpu.qc) == (gl.near_um, gl.far_um, gl.qc)
        assert (cpu.zoom_bw == gl.zoom_bw).mean() >= 0.999


@pytest.mark.parametrize("factor", [1, 3, 8])
def test_pooling_is_that_of_the_cpu_for_every_supersampling(factor):
    for cpu, gl in zip(*both(random_neuron(4), supersample_factor=factor, width=41, height=67), strict=True):
        overlap, same_class, depth = agreement(cpu, gl)
        assert overlap >= 0.999
        assert same_class >= 0.999
        assert depth < 1e-3


@pytest.mark.parametrize("types", [(AXON, APICAL), (APICAL, AXON), (BASAL, AXON)])
def test_of_two_classes_in_one_place_the_lower_is_seen(types):
    xyz = [[-40, 0, 0], [40, 0, 0], [-40, 0, 0], [40, 0, 0]]
    neuron = Neuron.from_arrays(xyz, [-1, 0, -1, 2], [types[0], types[0], types[1], types[1]], 6.0, name="twice")
    for cpu, gl in zip(*both(neuron), strict=True):
        assert set(np.unique(gl.mask)) == {0, min(types)}
        assert np.array_equal(cpu.mask, gl.mask)


def test_a_cone_seen_end_on_and_nested_spheres_are_as_on_the_cpu():
    for neuron in (stick((0, 0, -30), (0, 0, 30), 9.0, 4.0), stick((0, 0, 0), (1, 0, 0), 12.0, 3.0)):
        for projection in ("ortho", "perspective"):
            for cpu, gl in zip(*both(neuron, projection=projection, canonical_views=26), strict=True):
                overlap, same_class, depth = agreement(cpu, gl)
                assert overlap >= 0.999
                assert same_class == 1.0
                assert depth < 1e-3


def test_thin_cable_has_no_gaps():
    neuron = random_neuron(6, radius=(1e-4, 1e-3), n_nodes=400, step=3.0)
    for projection in ("ortho", "perspective"):
        settings = RenderSettings(backend="gl", width=1024, height=1024, supersample_factor=1, projection=projection)
        for view in render_neuron(neuron, settings)[::4]:
            assert ndimage.label(view.silhouette, np.ones((3, 3)))[1] == 1


def test_the_same_neuron_gives_the_same_bytes_in_any_company():
    neuron = random_neuron(7)
    settings = RenderSettings(backend="gl", width=64, height=64, supersample_factor=2)

    def drawn():
        return [view.mask.tobytes() + view.depth_um.tobytes() for view in render_neuron(neuron, settings)]

    alone = drawn()
    render_neuron(random_neuron(8), RenderSettings(backend="gl", width=40, height=32, supersample_factor=3))
    assert drawn() == alone
    threaded = []
    threads = [threading.Thread(target=lambda: threaded.append(drawn())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert threaded == [alone, alone]


def test_a_process_has_one_context():
    from axonet.rendering.gl_context import open_context

    assert open_context() is open_context(open_context().device.index)


def test_a_fork_after_the_context_is_refused(monkeypatch):
    from axonet.rendering.gl_context import open_context

    context = open_context()
    monkeypatch.setattr(context, "_process", -1)
    with pytest.raises(UserError, match="does not survive a fork"), context.current():
        pass


def test_images_larger_than_the_driver_draws_are_refused():
    from axonet.rendering.gl_context import open_context
    from axonet.rendering.gl_targets import targets_of

    context = open_context()
    with context.current(), pytest.raises(UserError, match="samples a side, not 1000000; lower width"):
        targets_of(context, 10, 1_000_000, 1)


def test_hardware_comes_before_software():
    order = [device.is_software for device in list_devices()]
    assert order == sorted(order)
    assert [device.index for device in list_devices()] == list(range(len(order)))
