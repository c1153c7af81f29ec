"""Who may talk to the explorer's server: browsers that were sent to its own address, and their own pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOCAL = ("127.0.0.1", "localhost", "::1")

# The map compiles its drawing functions at run time, for which the script needs 'unsafe-eval'; nothing else may run.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
}


def host_of(authority: str) -> str:
    """The host of ``host:port``, in lower case and without brackets; empty when it is none."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").lower()
    except ValueError:
        return ""


class Guard:
    """Refuses requests under a foreign name, which another site could have given this machine, and from foreign pages.

    Args:
        app: what is guarded.
        hosts: names and addresses by which the server may be called.
    """

    def __init__(self, app: App, hosts: Iterable[str]) -> None:
        self.app = app
        self.hosts = {host.lower().strip("[]") for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with a line that says why."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if reason := self.refusal(headers.get(b"host", ""), headers.get(b"origin"), headers.get(b"sec-fetch-site")):
            await _refuse(send, reason)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name, value) for name, value in message["headers"] if name.lower() not in _HEADERS]
                message = {**message, "headers": [*own, *_HEADERS.items()]}
            await send(message)

        await self.app(scope, receive, with_headers)

    def refusal(self, host: str, origin: str | None, site: str | None) -> str | None:
        """Why a request is refused, None when it is not.

        Args:
            host: its Host header.
            origin: its Origin header, which browsers send with requests by pages that could do harm.
            site: its Sec-Fetch-Site header.
        """
        if host_of(host) not in self.hosts:
            return "refused: this server was called by a name that it does not know; see --allowed-hosts"
        if origin is not None and (origin == "null" or host_of(urlsplit(origin).netloc) not in self.hosts):
            return "refused: the request comes from a page of another site"
        if site == "cross-site" and origin is not None:
            return "refused: the request comes from a page of another site"
        return None


async def _refuse(send: Send, reason: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *_HEADERS.items()]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": f"{reason}\n".encode()})
