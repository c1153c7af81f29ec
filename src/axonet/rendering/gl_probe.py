"""What draws here and what does not: ``python -m axonet.rendering.gl_probe`` prints it as JSON.

A process of its own, because a broken driver may hang or end the process that asks it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from typing import Any

from axonet.core.errors import UserError
from axonet.rendering.gl_context import NoOpenGL, open_context
from axonet.rendering.gl_devices import NoDevices, has_hardware, list_devices

SECONDS = 60.0


def probe() -> dict[str, Any]:
    """Open OpenGL as ``--backend gl`` would.

    Returns:
        ``devices``: all, in the order in which they are tried; ``passed_over``: a phrase for each that was tried and
        cannot draw; ``chosen``: the device that draws, or None; ``renderer``: what its driver calls itself;
        ``auto``: what ``--backend auto`` takes, ``gl`` or ``cpu``; ``reason``: why.
    """
    found: dict[str, Any] = {"devices": [], "passed_over": [], "chosen": None, "renderer": None, "auto": "cpu"}
    with suppress(NoDevices):  # opening says it again, in a phrase
        found["devices"] = [device.name for device in list_devices()]
    try:
        context = open_context()
    except NoOpenGL as error:
        return {**found, "passed_over": list(error.passed_over), "reason": "OpenGL cannot draw here"}
    found |= {"passed_over": list(context.passed_over), "chosen": context.device.name, "renderer": context.renderer}
    if context.is_hardware and has_hardware():
        return {**found, "auto": "gl", "reason": "a graphics card draws"}
    return {**found, "reason": "OpenGL is a program on the CPU here, and axonet's own rasterizer is faster"}


def probe_apart(seconds: float = SECONDS) -> dict[str, Any]:
    """:func:`probe` in a process of its own.

    Raises:
        UserError: the driver hung, or ended the process; in one phrase.
    """
    command = [sys.executable, "-m", "axonet.rendering.gl_probe"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise UserError(f"the graphics driver did not answer within {seconds:g} s") from error
    try:
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        last = next(iter(done.stderr.strip().splitlines()[::-1]), "")
        raise UserError(f"asking the graphics driver ended with code {done.returncode} {last}".strip()) from error
    return answer


if __name__ == "__main__":
    print(json.dumps(probe()))  # noqa: T201 - for the process that asked
