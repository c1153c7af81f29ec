"""What draws: the choice between the backends, which are loaded when they are chosen."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from axonet.core.errors import UserError
from axonet.core.progress import warn
from axonet.rendering.geometry import Geometry
from axonet.rendering.picture import Draw
from axonet.rendering.settings import RenderSettings


def check_backend(settings: RenderSettings) -> None:
    """Open OpenGL where the settings insist on it: a long run refuses before it writes anything.

    Raises:
        UserError: there is none.
    """
    if settings.backend == "gl":
        from axonet.rendering.gl_context import open_context

        open_context(settings.device)


def drawing(geometry: Geometry, settings: RenderSettings) -> AbstractContextManager[Draw]:
    """Open the backend of the settings for one neuron.

    Raises:
        UserError: GL is asked for, and there is none.
    """
    size = (geometry, settings.height, settings.width, settings.supersample_factor)
    if settings.backend == "gl" or (settings.backend == "auto" and _gl_is_worth_it(settings.device)):
        from axonet.rendering.gl_draw import gl_drawing

        return gl_drawing(*size, settings.device)
    from axonet.rendering.cpu import cpu_drawing

    return cpu_drawing(*size)


@cache
def _gl_is_worth_it(device: int | None) -> bool:
    """Whether OpenGL is drawn by hardware here.

    A neuron covers a fiftieth of an image: where OpenGL is a program on the CPU, ours, which visits only that, is
    faster. A process finds out once.
    """
    # Asked by ctypes alone: where there is no hardware, neither vispy nor PyOpenGL is imported.
    from axonet.rendering.gl_devices import has_hardware

    if not has_hardware():
        if device is not None:
            warn(f"drawing on the CPU: --device {device} is no graphics card")
        return False
    from axonet.rendering.gl_context import open_context

    try:
        return open_context(device, hardware_only=True).is_hardware
    except UserError as error:
        warn(f"drawing on the CPU: {error}")
        return False
