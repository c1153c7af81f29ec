"""What can go wrong with a request: a reason code, whether to repeat it, and a line that helps."""

from __future__ import annotations

import email.utils
import math
import time
from dataclasses import dataclass, field
from typing import Literal

from axonet.core.errors import UserError

Repeat = Literal["no", "once", "often"]

# Answers that may be another one a moment later.
PASSING_STATUS = frozenset((408, 425, 429, 500, 502, 503, 504))
REFUSING_STATUS = frozenset((401, 402, 403, 407, 451))


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read to its end.

    Attributes:
        url: what was asked for, after redirections.
        status: HTTP status.
        headers: names in lower case.
        body: the bytes, decoded where the server compressed them.
        attempts: requests that it took.
    """

    url: str
    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request came to nothing.

    Attributes:
        reason: one word for tables.
        message: what happened, for people.
        repeat: whether another try may help.
        is_servers: whether it speaks of the whole server rather than of this one resource.
        retry_after: seconds that the server asked to wait.
        reply: the answer that was refused, if there was one.
    """

    reason: str
    message: str
    repeat: Repeat = "no"
    is_servers: bool = False
    retry_after: float | None = None
    reply: Reply | None = field(default=None, repr=False)


class TransferError(Exception):
    """A request that failed for good; the run may go on with others."""

    def __init__(self, failure: Failure, attempts: int) -> None:
        """Tell the failure and how often it was met."""
        super().__init__(failure.message)
        self.failure = failure
        self.attempts = attempts


class ServerTrouble(UserError):
    """The server, or the way to it, is at fault: no request would fare better."""


def status_failure(reply: Reply, host: str) -> Failure | None:
    """The failure that a status stands for; None for those that are answers, such as 404."""
    retry_after = seconds_to_wait(reply.headers.get("retry-after"))
    if reply.status in PASSING_STATUS:
        return Failure(f"http_{reply.status}", f"{host} answers {reply.status}", "often", True, retry_after, reply)
    if reply.status in REFUSING_STATUS:
        return Failure(f"http_{reply.status}", f"{host} refuses access ({reply.status})", "no", True, None, reply)
    return None


def seconds_to_wait(header: str | None) -> float | None:
    """Seconds of a ``Retry-After`` header, given as a number or as a date; None if there is none to understand."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        pass
    else:
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def hint(failure: Failure, server_flag: str) -> str:
    """Which flag or step helps.

    Args:
        failure: what happened.
        server_flag: the flag that names another server.
    """
    again = "run the same command again later: what is finished is kept"
    hints = {
        "no_connection": f"is there a network, and is the site up? {server_flag} names another server",
        "timeout": f"a larger --timeout may help; otherwise {again}",
        "connection_lost": f"fewer --jobs may help; otherwise {again}",
        "cut_body": f"fewer --jobs may help; otherwise {again}",
        "http_429": f"lower --rate or --jobs, then {again}",
        "html_page": f"maintenance, or a proxy that wants a login: open the page in a browser; {again}",
        "bad_json": f"is this the right server ({server_flag})? If so, {again}",
        "too_many_redirects": f"{server_flag} should name the server that is redirected to",
    }
    if failure.reason in hints:
        return hints[failure.reason]
    if failure.reason in {f"http_{status}" for status in REFUSING_STATUS}:
        return f"say who you are with --contact, and check {server_flag}"
    return again
