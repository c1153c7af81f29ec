"""Which graphics devices EGL offers, by ctypes alone: asking loads neither vispy nor PyOpenGL."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

LIBRARY = "libEGL.so.1"
# Values of the EGL registry.
EGL_EXTENSIONS, EGL_VENDOR = 0x3055, 0x3053
EGL_DRM_DEVICE_FILE = 0x3233
EGL_PLATFORM_DEVICE = 0x313F
MOST_DEVICES = 64


class NoDevices(Exception):
    """EGL cannot be asked for devices; the message says why."""


@dataclass(frozen=True)
class Device:
    """A graphics device.

    Attributes:
        index: place in the list of :func:`list_devices`; what ``--device`` means.
        handle: ``EGLDeviceEXT``.
        is_software: whether the device says that it is the CPU.
        file: its device file; empty if it has none.
        is_nvidia: whether it is a device of NVIDIA's own driver.
    """

    index: int
    handle: int
    is_software: bool
    file: str
    is_nvidia: bool

    @property
    def name(self) -> str:
        """What an error line calls it."""
        kind = "software" if self.is_software else "NVIDIA" if self.is_nvidia else self.file or "hardware"
        return f"device {self.index} ({kind})"


@cache
def list_devices() -> tuple[Device, ...]:
    """All devices: those with NVIDIA's driver, other hardware, software; in the order of EGL among equals.

    Raises:
        NoDevices: there is no EGL library, or it does not list devices.
    """
    query, text = _function("eglQueryDevicesEXT", ctypes.c_uint), _function("eglQueryDeviceStringEXT", ctypes.c_char_p)
    handles, n_devices = (ctypes.c_void_p * MOST_DEVICES)(), ctypes.c_int()
    if not query(ctypes.c_int(MOST_DEVICES), handles, ctypes.byref(n_devices)):
        raise NoDevices(f"{LIBRARY} failed to list devices")
    found = []
    for handle in handles[: n_devices.value]:
        extensions = _text(text(ctypes.c_void_p(handle), ctypes.c_int(EGL_EXTENSIONS))).split()
        file = ""
        if "EGL_EXT_device_drm" in extensions:
            file = _text(text(ctypes.c_void_p(handle), ctypes.c_int(EGL_DRM_DEVICE_FILE)))
        is_software = "EGL_MESA_device_software" in extensions
        found.append((is_software, "EGL_NV_device_cuda" not in extensions, int(handle or 0), file))
    found.sort(key=lambda device: device[:2])
    return tuple(
        Device(index, handle, is_software, file, not other)
        for index, (is_software, other, handle, file) in enumerate(found)
    )


def has_hardware() -> bool:
    """Whether any device says that it is hardware; false where EGL is missing."""
    try:
        return any(not device.is_software for device in list_devices())
    except NoDevices:
        return False


def display_of(device: Device) -> int:
    """The ``EGLDisplay`` of a device, initialized.

    Raises:
        NoDevices: the device has no display, or its driver does not start.
    """
    # Not eglGetDisplay, which wants a screen; and no environment variable, which would steer other programs too.
    get_display = _function("eglGetPlatformDisplayEXT", ctypes.c_void_p)
    display = get_display(ctypes.c_uint(EGL_PLATFORM_DEVICE), ctypes.c_void_p(device.handle), None)
    if not display:
        raise NoDevices("has no display")
    if not _function("eglInitialize", ctypes.c_uint)(ctypes.c_void_p(display), None, None):
        raise NoDevices("its driver does not start")
    return int(display)


@cache
def _library() -> ctypes.CDLL:
    try:
        return ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise NoDevices(f"{LIBRARY} does not load ({error})") from error


def _function(name: str, result: Any) -> Any:
    """A function of EGL, which may be an extension."""
    find = _library().eglGetProcAddress
    find.restype, find.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    address = find(name.encode())
    if not address:
        raise NoDevices(f"{LIBRARY} finds no driver (none has {name})")
    return ctypes.CFUNCTYPE(result)(address)


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode(errors="replace")
