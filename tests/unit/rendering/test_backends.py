"""Which backend draws, and what is said where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from axonet.rendering import RenderSettings, backends, gl_context, gl_devices
from axonet.rendering.geometry import build_geometry

from .synthetic import AXON, stick

SCRIPT = """
import sys
from axonet.core.errors import UserError
from axonet.morphology.neuron import Neuron
from axonet.rendering import RenderSettings, render_neuron
{before}
neuron = Neuron.from_arrays([[0, 0, 0], [9, 0, 0]], [-1, 0], 2, 1.0, name="stick")
try:
    render_neuron(neuron, RenderSettings(backend={backend!r}, device={device}, width=16, height=16))
except UserError as error:
    print(error)
print(*[name for name in ("vispy", "OpenGL") if name in sys.modules])
"""
NO_DRIVER = {"__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent.json", "__EGL_VENDOR_LIBRARY_DIRS": "/nonexistent"}


def run_script(backend, before="", device=None, **environment):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(backend=backend, before=before, device=device)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize(
    ("before", "environment", "why"),
    [
        ("", NO_DRIVER, r"libEGL|EGL"),
        ("from axonet.rendering import gl_devices; gl_devices.LIBRARY = 'libEGL-none.so'", {}, "libEGL-none.so"),
        ("from axonet.rendering import gl_devices; gl_devices.list_devices = lambda: ()", {}, "EGL"),
    ],
    ids=["no driver", "no library", "no device"],
)
def test_where_there_is_no_gl_one_line_says_what_was_tried_and_what_to_do(before, environment, why):
    (message, imported), _ = run_script("gl", before, **environment)
    assert message.startswith("--backend gl: no OpenGL here. Tried: list of EGL devices: ")
    assert " Remedy: use --backend cpu, or install " in message
    assert why.split("|")[0] in message or why.split("|")[-1] in message
    assert "libegl1 libgl1 libgl1-mesa-dri libfontconfig1" in message
    assert "vispy" not in imported


def test_every_device_that_was_tried_is_listed_with_the_reason(monkeypatch):
    devices = (gl_devices.Device(0, 1, False, "/dev/dri/card0", False), gl_devices.Device(1, 2, True, "", False))
    reasons = iter(["its driver\nstopped", "has no display"])

    def fail(device, gl):
        raise gl_devices.NoDevices(next(reasons))

    monkeypatch.setattr(gl_context, "list_devices", lambda: devices)
    monkeypatch.setattr(gl_context, "_load_opengl", lambda: None)
    monkeypatch.setattr(gl_context, "_open_on", fail)
    monkeypatch.setattr(gl_context, "_opened", {})
    with pytest.raises(gl_context.NoOpenGL) as caught:
        gl_context.open_context()
    tried = "(1) device 0 (/dev/dri/card0): its driver stopped; (2) device 1 (software): has no display. Remedy: use"
    assert str(caught.value).startswith(f"--backend gl: no OpenGL here. Tried: {tried} --backend cpu, or install")
    assert caught.value.passed_over == (
        "device 0 (/dev/dri/card0): its driver stopped",
        "device 1 (software): has no display",
    )


def test_a_card_without_its_driver_is_passed_over_for_the_next_and_taken_when_there_is_no_other(monkeypatch):
    devices = (gl_devices.Device(0, 1, False, "/dev/dri/card0", False), gl_devices.Device(1, 2, True, "", False))

    class Drawing:
        def __init__(self, device):
            self.device, self.renderer, self.is_hardware, self.passed_over = device, "llvmpipe", False, ()

    monkeypatch.setattr(gl_context, "list_devices", lambda: devices)
    monkeypatch.setattr(gl_context, "_load_opengl", lambda: None)
    monkeypatch.setattr(gl_context, "_open_on", lambda device, gl: Drawing(device))
    monkeypatch.setattr(gl_context, "_opened", {})
    chosen = gl_context.open_context()
    assert (chosen.device, chosen.passed_over) == (
        devices[1],
        ("device 0 (/dev/dri/card0): its renderer is llvmpipe",),
    )

    def only_the_first(device, gl):
        if device.index:
            raise gl_devices.NoDevices("has no display")
        return Drawing(device)

    monkeypatch.setattr(gl_context, "_open_on", only_the_first)
    monkeypatch.setattr(gl_context, "_opened", {})
    chosen = gl_context.open_context()
    assert (chosen.device, chosen.passed_over) == (devices[0], ("device 1 (software): has no display",))


def test_a_missing_package_is_named():
    try:
        gl_devices.list_devices()
    except gl_devices.NoDevices as error:
        pytest.skip(f"EGL lists no graphics device on this machine: {error}")
    for package, what in {"vispy": "device 0 (", "OpenGL": "Python packages: "}.items():
        (message, _), _ = run_script("gl", f"sys.modules[{package!r}] = None")
        assert f"Tried: {what}" in message or f"(1) {what}" in message
        assert f"{package}" in message
        assert "install the extra 'gl' of axonet" in message


def test_a_device_that_is_not_there_is_refused_with_those_that_are():
    (message, _), _ = run_script("gl", device=63)
    assert message.startswith(("--device 63: no such device; there are: ", "--backend gl: no OpenGL here"))


@pytest.mark.parametrize("backend", ["cpu", "auto"])
def test_the_cpu_path_imports_neither_vispy_nor_opengl(backend):
    lines, errors = run_script(
        backend, "from axonet.rendering import gl_devices; gl_devices.has_hardware = lambda: False"
    )
    assert lines == [""]
    assert errors == ""


def test_auto_on_a_device_that_is_no_card_says_so():
    (_,), errors = run_script("auto", device=0, **NO_DRIVER)
    assert errors == "warning: drawing on the CPU: --device 0 is no graphics card\n"


@pytest.mark.parametrize(("is_worth_it", "chosen"), [(True, "gl_drawing"), (False, "cpu_drawing")])
def test_auto_takes_gl_where_a_card_draws_it(monkeypatch, is_worth_it, chosen):
    monkeypatch.setattr(backends, "_gl_is_worth_it", lambda device: is_worth_it)
    geometry = build_geometry(stick((0, 0, 0), (9, 0, 0), 1.0, 1.0, AXON))
    # The choice alone: a context manager that is not entered opens nothing.
    assert backends.drawing(geometry, RenderSettings()).func.__name__ == chosen
