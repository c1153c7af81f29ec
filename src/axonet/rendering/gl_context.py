"""The one OpenGL context of a process: vispy's, without a window, on a device of our choice."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axonet.core.errors import UserError
from axonet.rendering.gl_devices import Device, NoDevices, display_of, list_devices

REMEDY = (
    "use --backend cpu, or install the extra 'gl' of axonet and an EGL driver (Debian, Ubuntu: apt install libegl1 "
    "libgl1 libgl1-mesa-dri libfontconfig1; in a container with an NVIDIA card, also set "
    "NVIDIA_DRIVER_CAPABILITIES=graphics,compute)"
)
SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swrast", "software rasterizer", "swiftshader")


class NoOpenGL(UserError):
    """No device can draw; ``passed_over`` has a phrase for each that was tried."""

    def __init__(self, passed_over: list[str]) -> None:
        self.passed_over = tuple(passed_over)
        tried = passed_over
        if len(tried) > 1:
            tried = [f"({number}) {failure}" for number, failure in enumerate(tried, start=1)]
        super().__init__(f"--backend gl: no OpenGL here. Tried: {'; '.join(tried)}. Remedy: {REMEDY}")


class GLContext:
    """An OpenGL context; made by :func:`open_context`, current only inside :meth:`current`.

    Attributes:
        device: what it draws on.
        renderer: what the driver calls itself.
        gl: the module ``OpenGL.GL``.
        kept: objects in the context that are made once: programs, buffers, textures.
        passed_over: a phrase for each device that was tried before and cannot draw.
    """

    def __init__(self, device: Device, canvas: Any, gl: Any) -> None:
        self.device = device
        self.gl = gl
        self.kept: dict[str, Any] = {}
        self.passed_over: tuple[str, ...] = ()
        self._canvas = canvas
        self._process = os.getpid()
        self._lock = threading.RLock()
        with self.current():
            self.renderer = gl.glGetString(gl.GL_RENDERER).decode(errors="replace")

    @property
    def is_hardware(self) -> bool:
        """Whether the renderer is more than a program on the CPU, whatever the device says."""
        return not any(name in self.renderer.lower() for name in SOFTWARE_RENDERERS)

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make the context that of this thread; other threads wait."""
        if os.getpid() != self._process:
            raise UserError("OpenGL does not survive a fork of the process; start worker processes with 'spawn'")
        backend = importlib.import_module("vispy.app.backends._egl")
        with self._lock:
            self._canvas.set_current()
            try:
                yield
            finally:
                backend.egl.eglMakeCurrent(backend._EGL_DISPLAY, 0, 0, 0)


_opened: dict[str, GLContext] = {}
_opening = threading.Lock()


def open_context(device: int | None = None, *, hardware_only: bool = False) -> GLContext:
    """The context of this process; the first call opens it.

    Args:
        device: place in the list of devices; the first that works, hardware before software, by default.
        hardware_only: refuse a renderer that is a program on the CPU.

    Raises:
        UserError: nothing works; the one line lists what was tried, why it failed, and the remedy.
    """
    with _opening:
        context = _opened.get("context")
        if context is None:
            context = _opened["context"] = _open(device, hardware_only)
    if device not in (None, context.device.index):
        raise UserError(
            f"--device {device}: this process draws on {context.device.name} already; start another process"
        )
    if hardware_only and not context.is_hardware:
        raise UserError(f"--backend gl: {context.renderer} is no graphics hardware")
    return context


def _open(wanted: int | None, hardware_only: bool) -> GLContext:
    """Try devices one by one."""
    failures: list[str] = []
    spare: GLContext | None = None
    try:
        devices = list_devices()
        gl = _load_opengl()
    except (NoDevices, ImportError, OSError) as error:
        what = "Python packages" if isinstance(error, ImportError) else "list of EGL devices"
        raise NoOpenGL([f"{what}: {_brief(error)}"]) from error
    if wanted is not None and wanted >= len(devices):
        known = ", ".join(device.name for device in devices) or "none"
        raise UserError(f"--device {wanted}: no such device; there are: {known}")
    for device in devices if wanted is None else devices[wanted : wanted + 1]:
        if hardware_only and device.is_software:
            failures.append(f"{device.name}: no graphics hardware")
            continue
        try:
            context = _open_on(device, gl)
        except Exception as error:  # drivers fail in many ways, and vispy and PyOpenGL have classes of their own
            failures.append(f"{device.name}: {_brief(error)}")
            continue
        # A card whose driver is missing is listed as hardware by Mesa but drawn on by the CPU: perhaps the next is not.
        if context.is_hardware or device.is_software or wanted is not None:
            context.passed_over = tuple(failures)
            return context
        spare = spare or context
        failures.append(f"{device.name}: its renderer is {context.renderer}")
    if spare is not None and not hardware_only:
        spare.passed_over = tuple(phrase for phrase in failures if not phrase.startswith(f"{spare.device.name}: "))
        return spare
    raise NoOpenGL(failures or ["list of EGL devices: it is empty"])


def _open_on(device: Device, gl: Any) -> GLContext:
    """A context on a device; vispy's module of EGL knows one display, which is set to ours."""
    display = display_of(device)
    backend = _vispy_backend(display)
    backend._EGL_DISPLAY, backend.available = display, True
    app = importlib.import_module("vispy.app")
    canvas = app.Canvas(app=app.Application("egl"), size=(1, 1), show=False, keys=None)
    return GLContext(device, canvas, gl)


def _vispy_backend(display: int) -> Any:
    """The module of vispy that makes contexts with EGL.

    When it is imported it opens EGL's default display, which a machine without a screen may not have: it gets ours.
    """
    egl: Any = importlib.import_module("vispy.ext.egl")
    get_display = egl.eglGetDisplay
    egl.eglGetDisplay = lambda *_: display
    try:
        return importlib.import_module("vispy.app.backends._egl")
    finally:
        egl.eglGetDisplay = get_display


def _load_opengl() -> Any:
    """The module ``OpenGL.GL``, told to use EGL."""
    before = os.environ.get("PYOPENGL_PLATFORM")
    os.environ["PYOPENGL_PLATFORM"] = "egl"  # read once, by the import; what this process starts need not inherit it
    try:
        importlib.import_module("OpenGL.EGL")
        return importlib.import_module("OpenGL.GL")
    finally:
        del os.environ["PYOPENGL_PLATFORM"]
        if before is not None:
            os.environ["PYOPENGL_PLATFORM"] = before


def _brief(error: Exception) -> str:
    """An error as a part of one line."""
    text = " ".join(str(error).split())
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name!r} is not installed"
    return text[:300] or type(error).__name__
