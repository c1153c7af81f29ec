"""A port to listen on, and the browser that is sent there."""

from __future__ import annotations

import socket
import threading
import time
import webbrowser
from typing import Protocol

from axonet.core.errors import UserError

_LONGEST_WAIT_S = 30.0


class Server(Protocol):
    """What is waited for."""

    started: bool


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket; on any free port where the wanted one is taken.

    Raises:
        UserError: the machine has no such address, or the port needs rights.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    reason = ""
    for number in (port, 0):
        own = socket.socket(family, socket.SOCK_STREAM)
        try:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            own.bind((host, number))
            own.listen(64)
        except OSError as error:
            own.close()
            reason = str(error.strerror or error)
            continue
        return own
    raise UserError(f"--host {host} --port {port}: cannot listen there ({reason})")


def open_when_ready(server: Server, address: str) -> None:
    """Open the address in the browser as soon as the server answers."""

    def wait() -> None:
        end = time.monotonic() + _LONGEST_WAIT_S
        while not server.started and time.monotonic() < end:
            time.sleep(0.05)
        if server.started:
            webbrowser.open(address)

    threading.Thread(target=wait, daemon=True).start()
