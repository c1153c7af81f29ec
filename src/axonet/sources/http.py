"""One polite HTTP client for all downloads: verified, limited, repeating what may pass, giving up in one line."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from axonet.core.errors import UserError
from axonet.core.progress import warn
from axonet.sources.download_settings import DownloadSettings
from axonet.sources.failures import Failure, Reply, ServerTrouble, TransferError, hint, status_failure
from axonet.sources.limiter import Limiter
from axonet.sources.tls import find_ssl_error, ssl_context, tls_hint, tls_reason
from axonet.version import __version__

Check = Callable[[Reply], Failure | None]

LONGEST_BACKOFF = 60.0  # seconds
LONGEST_RETRY_AFTER = 300.0  # seconds; a server that wants more is down
LARGEST_BODY = 2**30  # bytes; the largest known reconstruction has a tenth of that
SERVER_DOWN_AFTER = 5  # requests in a row that failed for good, beside those in flight
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5


class HttpClient:
    """Sends requests, by any number of threads.

    Args:
        settings: limits, patience and TLS.
        server_flag: the flag that names another server, for hints.

    Raises:
        UserError: the certificates cannot be read.
    """

    def __init__(self, settings: DownloadSettings, server_flag: str = "--base-url") -> None:
        self._settings = settings
        self._server_flag = server_flag
        self.limiter = Limiter(settings.rate, settings.jobs)
        self._lock = threading.Lock()
        self._failed_in_a_row = 0
        self._random = random.Random()  # jitter: two clients should not come back at the same moment
        if settings.insecure:
            warn("--insecure: the server's certificate is not verified; anyone on the way can change the data")
        self._client = httpx.Client(
            verify=ssl_context(settings),
            timeout=httpx.Timeout(settings.timeout, connect=min(settings.timeout, 30.0), pool=None),
            limits=httpx.Limits(max_connections=settings.jobs, max_keepalive_connections=settings.jobs),
            headers={"User-Agent": user_agent(settings.contact)},
        )

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.limiter.stop()
        self._client.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        check: Check | None = None,
    ) -> Reply:
        """Send a request, and repeat it while that may help.

        Args:
            method: ``GET`` or ``POST``.
            url: complete and encoded.
            headers: further ones.
            json: body of a POST.
            check: judges an answer of status 200; a failure counts like one of the connection.

        Returns:
            The answer. Statuses that say something about the resource (304, 400, 404, 405, 410) are answers.

        Raises:
            TransferError: this request failed.
            ServerTrouble: no request would succeed; the message says what helps.
            Stopped: the client was told to stop.
        """
        attempts = 0
        while True:
            attempts += 1
            outcome = self._attempt(method, url, headers or {}, json)
            if isinstance(outcome, Reply):
                failure = check(outcome) if check is not None and outcome.status == 200 else None
                if failure is None:
                    self._count_success()
                    return replace(outcome, attempts=attempts)
            else:
                failure = outcome
            repetitions = {"no": 0, "once": min(1, self._settings.retries), "often": self._settings.retries}
            if attempts > repetitions[failure.repeat]:
                self._count_failure(failure, attempts)
                raise TransferError(failure, attempts)
            self._wait(attempts, failure.retry_after)

    def give_up(self, error: TransferError) -> ServerTrouble:
        """The error that ends the run because of a request without which it cannot go on."""
        repeated = f" ({error.attempts} times)" if error.attempts > 1 else ""
        return ServerTrouble(f"{error.failure.message}{repeated}: {hint(error.failure, self._server_flag)}")

    def _attempt(self, method: str, url: str, headers: Mapping[str, str], json: Any) -> Reply | Failure:
        for _ in range(_MOST_REDIRECTS + 1):
            host = _host(url)
            try:
                reply = self._exchange(method, url, headers, json)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError) as error:
                raise UserError(f"{url}: not a URL that can be asked for ({error})") from error
            except httpx.HTTPError as error:
                return self._explain(error, host)
            if isinstance(reply, Failure):
                return reply
            if reply.status not in _REDIRECTS or "location" not in reply.headers:
                return status_failure(reply, host) or reply
            target = urljoin(url, reply.headers["location"])
            refused = _refusal(method, url, target)
            if refused is not None:
                return refused
            url = target
        return Failure("too_many_redirects", f"{host} redirects in circles", is_servers=True)

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], json: Any) -> Reply | Failure:
        """One request and its answer, read to the end."""
        with (
            self.limiter.slot() as slot,
            self._client.stream(method, url, headers=dict(headers), json=json) as response,
        ):
            slot.answered()
            body = bytearray()
            for part in response.iter_bytes():
                body += part
                if len(body) > LARGEST_BODY:
                    return Failure("too_large", f"{url} is larger than {LARGEST_BODY >> 20} MiB")
            names = {name.lower(): value for name, value in response.headers.items()}
            return Reply(url, response.status_code, names, bytes(body))

    def _explain(self, error: httpx.HTTPError, host: str) -> Failure:
        """The failure behind an error of the connection.

        Raises:
            ServerTrouble: TLS fails, which it would do again.
        """
        tls = find_ssl_error(error)
        if tls is not None and isinstance(error, httpx.ConnectError):
            raise ServerTrouble(f"{host}: no secure connection ({tls_reason(tls)}): {tls_hint(tls)}") from error
        if isinstance(error, httpx.ConnectError | httpx.ProxyError):
            return Failure("no_connection", f"cannot connect to {host} ({error})", "often", True)
        if isinstance(error, httpx.TimeoutException):
            return Failure("timeout", f"no answer from {host} within {self._settings.timeout:g} s", "often", True)
        if isinstance(error, httpx.RemoteProtocolError) and "complete message body" in str(error):
            return Failure("cut_body", f"{host} sends fewer bytes than it announces", "often", True)
        return Failure("connection_lost", f"{host} closes the connection ({error})", "often", True)

    def _wait(self, attempts: int, retry_after: float | None) -> None:
        if retry_after is not None:
            if retry_after > LONGEST_RETRY_AFTER:
                raise ServerTrouble(
                    f"the server asks to come back in {retry_after / 60:.0f} minutes: run the same command again then; "
                    "what is finished is kept"
                )
            self.limiter.pause(retry_after)
        ceiling = min(LONGEST_BACKOFF, self._settings.backoff * 2 ** (attempts - 1))
        self.limiter.sleep(max(retry_after or 0.0, self._random.uniform(0, ceiling)))

    def _count_success(self) -> None:
        with self._lock:
            self._failed_in_a_row = 0

    def _count_failure(self, failure: Failure, attempts: int) -> None:
        if not failure.is_servers:
            return
        with self._lock:
            self._failed_in_a_row += 1
            is_down = self._failed_in_a_row >= SERVER_DOWN_AFTER + self._settings.jobs
        if is_down:
            raise self.give_up(TransferError(failure, attempts))


def user_agent(contact: str | None) -> str:
    """How the client names itself."""
    return f"axonet/{__version__} (bulk download of neuron reconstructions{'' if contact is None else f'; {contact}'})"


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc or url
    except ValueError:
        return url


def _refusal(method: str, url: str, target: str) -> Failure | None:
    """Why a redirection is not followed, or None."""
    source, goal = urlsplit(url), urlsplit(target)
    message = None
    if source.scheme == "https" and goal.scheme != "https":
        message = f"{source.netloc} redirects to {target}, which is not encrypted"
    elif method != "GET" and source.hostname != goal.hostname:
        message = f"{source.netloc} redirects a {method} to another server, {goal.netloc}"
    return None if message is None else Failure("redirect_refused", message, is_servers=True)
