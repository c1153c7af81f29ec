"""Settings that every download has: how to talk to a server, and how hard to try."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from axonet.core.config import Settings


class DownloadSettings(Settings):
    """How to talk to a server, and how hard to try."""

    jobs: int = Field(
        4, ge=1, le=64, description="requests in flight at the same time, at most", json_schema_extra={"short": "j"}
    )
    rate: float = Field(4.0, ge=0, description="requests per second, at most, over all jobs; 0: no limit")
    contact: str | None = Field(
        None,
        pattern=r"^[ -~]+$",
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
