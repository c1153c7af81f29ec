"""Settings that every download has: how to talk to a server, and how hard to try."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from axonet.core.config import Settings
from axonet.core.errors import UserError

_URL = r"^https?://[^\s/]+"
_HEADER = r"^[ -~]+$"


def _checked_url(url: str | None) -> str | None:
    if url is not None and not re.match(_URL, url):
        raise ValueError("must begin with http:// or https://, and name a server")
    return url


def _checked_header(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(_HEADER[1:-1], text):
        raise ValueError("must be one line of plain ASCII characters, such as an e-mail address")
    return text


def _schema(pattern: str) -> WithJsonSchema:
    """The pattern for the JSON schema; the message says in words what it means."""
    return WithJsonSchema({"anyOf": [{"pattern": pattern, "type": "string"}, {"type": "null"}]})


ServerUrl = Annotated[str | None, AfterValidator(_checked_url), _schema(_URL)]
HeaderText = Annotated[str | None, AfterValidator(_checked_header), _schema(_HEADER)]


class DownloadSettings(Settings):
    """How to talk to a server, and how hard to try."""

    jobs: int = Field(
        4, ge=1, le=64, description="requests in flight at the same time, at most", json_schema_extra={"short": "j"}
    )
    rate: float = Field(4.0, ge=0, description="requests per second, at most, over all jobs; 0: no limit")
    contact: HeaderText = Field(
        None,
        description="address for the administrators of the server, sent with every request",
    )
    timeout: float = Field(60.0, gt=0, description="seconds to wait for an answer, and between two parts of it")
    retries: int = Field(6, ge=0, le=20, description="repetitions of a request that failed for a passing reason")
    backoff: float = Field(
        1.0, ge=0, description="wait before the first repetition, in seconds at most; doubles with each one"
    )
    insecure: bool = Field(False, description="do not verify the server's certificate; the last resort")
    tls_legacy: bool = Field(
        False, description="accept weak keys of old servers; the certificate is verified all the same"
    )
    tls_ca_file: Path | None = Field(
        None, description="PEM file of further certificates to trust, e.g. an intermediate that the server forgets"
    )
    refresh: bool = Field(False, description="ask for finished files too, and replace those that changed on the server")


def server_root(given: str | None, variable: str, default: str) -> str:
    """The root of a server, without a slash at its end: from a setting, else from the environment, else the public one.

    Raises:
        UserError: the environment variable is no address of the web.
    """
    if given is None and os.environ.get(variable):
        try:
            given = _checked_url(os.environ[variable])
        except ValueError as error:
            raise UserError(f"environment variable {variable}: {error} (got {os.environ[variable]!r})") from error
    return (given or default).rstrip("/")
