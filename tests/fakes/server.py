"""A loopback server with a request log and faults that can be switched on, whatever it serves."""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import unquote, urlsplit

HTML_PAGE = b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body>Back soon.</body></html>\n"


@dataclass(frozen=True)
class Request:
    """What was asked for; the path is still encoded."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def decoded(self) -> str:
        return unquote(self.path)


@dataclass(frozen=True)
class Response:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: object, status: int = 200) -> Response:
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    @classmethod
    def html(cls, status: int = 200) -> Response:
        return cls(status, HTML_PAGE, {"Content-Type": "text/html"})


class App(Protocol):
    """What a replica serves."""

    def respond(self, request: Request) -> Response: ...

    def distort(self, kind: str, request: Request, response: Response) -> Response:
        """Apply a fault that needs to know the content."""
        ...


# Faults of the connection; every other kind is the app's.
WIRE_FAULTS = ("503", "500", "429", "timeout", "reset", "cut", "cut_silent", "html", "empty")


@dataclass
class Fault:
    """Something that goes wrong.

    Attributes:
        kind: one of ``WIRE_FAULTS``, or of the app.
        match: regular expression that is searched in the decoded path and query.
        times: how often; None for always.
        skip: matching requests that are served well before.
        seconds: how long a ``timeout`` waits.
        retry_after: header of 503 and 429; empty for none.
    """

    kind: str
    match: str = ""
    times: int | None = 1
    skip: int = 0
    seconds: float = 3.0
    retry_after: str = "1"

    def takes(self, text: str) -> bool:
        """Whether this request meets the fault; counts it."""
        if self.times == 0 or not re.search(self.match, text):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True)
class Logged:
    """One request as the server saw it."""

    at: float
    method: str
    path: str
    query: str
    in_flight: int
    user_agent: str
    body: bytes
    fault: str | None


class Replica:
    """A server on loopback, with the log of its requests.

    Args:
        app: what it serves.
        port: 0 for any free one.
        faults: what goes wrong; may be changed while it runs.
        context: TLS; None for plain HTTP.
        latency: seconds before every answer.
        on_request: called with the number of requests so far, before each answer.
    """

    def __init__(
        self,
        app: App,
        *,
        port: int = 0,
        faults: Iterable[Fault] = (),
        context: ssl.SSLContext | None = None,
        latency: float = 0.0,
        on_request: Callable[[int], None] | None = None,
    ) -> None:
        self.app = app
        self.faults = list(faults)
        self.log: list[Logged] = []
        self.latency = latency
        self.on_request = on_request
        self.lock = threading.Lock()
        self.in_flight = 0
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.replica = self
        self._scheme = "http" if context is None else "https"
        self._server.context = context
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://localhost:{self.port}" if self._scheme == "https" else f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Replica:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def paths(self, part: str = "") -> list[str]:
        """Decoded paths of the requests so far that contain a text."""
        return [unquote(entry.path) for entry in list(self.log) if part in unquote(entry.path)]

    def busiest_second(self) -> int:
        """The most requests that any half-open second saw."""
        times = sorted(entry.at for entry in self.log)
        start = most = 0
        for end, at in enumerate(times):
            while at - times[start] >= 1.0:
                start += 1
            most = max(most, end - start + 1)
        return most

    def most_in_flight(self) -> int:
        """The most requests that were being answered at a time."""
        return max((entry.in_flight for entry in self.log), default=0)

    def begin(self, request: Request) -> Fault | None:
        """Log a request, and find out what goes wrong with it."""
        text = f"{request.decoded}?{unquote(request.query)}"
        with self.lock:
            self.in_flight += 1
            fault = next((one for one in self.faults if one.takes(text)), None)
            agent = request.headers.get("user-agent", "")
            kind = None if fault is None else fault.kind
            entry = Logged(
                time.monotonic(), request.method, request.path, request.query, self.in_flight, agent, request.body, kind
            )
            self.log.append(entry)
            number = len(self.log)
        if self.on_request is not None:
            self.on_request(number)
        if self.latency:
            time.sleep(self.latency)
        return fault

    def end(self) -> None:
        """The last byte of an answer is about to leave."""
        with self.lock:
            self.in_flight -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    replica: Replica
    context: ssl.SSLContext | None

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        if self.context is None:
            self.RequestHandlerClass(request, client_address, self)
            return
        # The handshake belongs into the connection's thread: a slow or failing one must not hold up the others.
        try:
            with self.context.wrap_socket(request, server_side=True) as secure:
                self.RequestHandlerClass(secure, client_address, self)
        except (ssl.SSLError, OSError):
            return

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that vanish are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """The replica has a log of its own."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def _serve(self) -> None:
        replica = self.server.replica
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            self.command,
            parts.path,
            parts.query,
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length) if length else b"",
        )
        fault = replica.begin(request)
        try:
            self._answer(replica, request, fault)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    def _answer(self, replica: Replica, request: Request, fault: Fault | None) -> None:
        if fault is not None and fault.kind == "timeout":
            time.sleep(fault.seconds)
        if fault is not None and fault.kind in ("timeout", "reset"):
            replica.end()
            self.close_connection = True
            if fault.kind == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            return
        if fault is not None and fault.kind in ("503", "500", "429"):
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            self._send(replica, Response(int(fault.kind), b"busy", headers))
        elif fault is not None and fault.kind == "html":
            self._send(replica, Response.html())
        elif fault is not None and fault.kind == "empty":
            self._send(replica, Response())
        else:
            response = replica.app.respond(request)
            if fault is not None and fault.kind not in WIRE_FAULTS:
                response = replica.app.distort(fault.kind, request, response)
            cut = fault.kind if fault is not None and fault.kind.startswith("cut") else None
            self._send(replica, response, cut)

    def _send(self, replica: Replica, response: Response, cut: str | None = None) -> None:
        body = response.body
        headers = {"Content-Length": str(len(body)), "Content-Type": "text/plain", **response.headers}
        if cut is not None:
            self.close_connection = True
            body = body[: max(1, len(body) // 2)]
            headers["Connection"] = "close"
        if cut == "cut_silent":
            del headers["Content-Length"]
        if response.status == 304:
            del headers["Content-Length"]
        lines = [f"HTTP/1.1 {response.status} {self.responses.get(response.status, ('',))[0]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (b"" if self.command == "HEAD" else body)
        # The client cannot take the answer for complete before its last byte, so the count is never too low.
        self.wfile.write(data[:-1])
        replica.end()
        self.wfile.write(data[-1:])


def serve_forever(replica: Replica, announce: Sequence[str]) -> None:
    """Run a replica for a person at a terminal until Ctrl-C."""
    with replica:
        for line in announce:
            print(line, flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print(f"{len(replica.log)} requests", flush=True)
