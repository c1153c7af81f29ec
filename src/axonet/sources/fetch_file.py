"""One file from a server into its place: asked for where it may be, judged, and only then named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from axonet.core.files import sha256_bytes, write_bytes
from axonet.sources.disk import write_trouble
from axonet.sources.failures import Reply, TransferError
from axonet.sources.http import HttpClient
from axonet.sources.swc_check import Expected, SwcCheck, judge_swc


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a file may be.

    Attributes:
        url: complete and encoded.
        found_by: how it was found: ``pattern``, ``record``, ``variant`` or ``previous_version``; for
            other sources, what kind of file it is.
    """

    url: str
    found_by: str = "pattern"


@dataclass(frozen=True, slots=True)
class KnownFile:
    """Facts of a finished file.

    Attributes:
        sha256: of its bytes.
        size: in bytes.
        reader: code of the reader, where the file holds no neuron that it can read.
        url: where it came from; empty when that was not recorded.
        found_by: how that was found.
        etag: the server's name for this content.
        last_modified: the server's date of it.
    """

    sha256: str
    size: int
    reader: str | None = None
    url: str = ""
    found_by: str = ""
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of a file.

    Attributes:
        neuron_id: whose it is.
        known: its facts; None when there is none.
        reason: why there is none.
        message: the same for people.
        attempts: requests that it took; 0 for a file that was there already.
        changed: whether it replaced an older one with other content.
    """

    neuron_id: int
    known: KnownFile | None
    reason: str | None = None
    message: str = ""
    attempts: int = 0
    changed: bool = False


def refused_path(target: Path) -> Path:
    """Where a body that was refused is kept for people to look at, beside the folder of files."""
    return target.parent.parent / "refused" / f"{target.name}.part"


def adopt_file(neuron_id: int, target: Path, candidate: Candidate, expected: Expected) -> FileResult | None:
    """Take a file that a stopped run finished but had no time to record; None when it is no good.

    Args:
        neuron_id: whose file it is.
        target: the file.
        candidate: where it most likely came from.
        expected: what is known of it beforehand.
    """
    try:
        body = target.read_bytes()
    except OSError:
        return None
    verdict = judge_swc(body, target.name, expected)
    if verdict.refused is not None:
        return None
    facts = KnownFile(verdict.sha256, verdict.size, verdict.reader, candidate.url, candidate.found_by)
    return FileResult(neuron_id, facts)


def fetch_file(
    client: HttpClient,
    neuron_id: int,
    target: Path,
    candidates: Iterator[Candidate],
    expected: Expected,
    known: KnownFile | None = None,
) -> FileResult:
    """Ask for a file at one place after the other until it is there.

    Args:
        client: sends the requests.
        neuron_id: whose file it is.
        target: where it goes. A body that is refused goes to :func:`refused_path` instead.
        candidates: where to ask; the next one is only drawn after a 404.
        expected: what is known of the file beforehand.
        known: an earlier content; unless it changed, the file in place is left alone.

    Raises:
        UserError: the file cannot be written, or no request would succeed.
    """
    attempts = 0
    try:
        for candidate in candidates:
            check = SwcCheck(target.name, expected)
            reply = client.send("GET", candidate.url, headers=_request_headers(target, known), check=check)
            attempts += reply.attempts
            if reply.status == 404:
                continue
            if reply.status == 304 and known is not None:
                return FileResult(neuron_id, known, attempts=attempts)
            if reply.status != 200 or check.verdict is None:
                message = f"the server answers {reply.status}"
                return FileResult(neuron_id, None, f"http_{reply.status}", message, attempts)
            return _accept(neuron_id, target, candidate, reply, check, attempts, known)
    except TransferError as error:
        refused = error.failure.reply
        if refused is not None and refused.status == 200:
            write_bytes(refused_path(target), refused.body)
        return FileResult(neuron_id, None, error.failure.reason, error.failure.message, attempts + error.attempts)
    except OSError as error:
        raise write_trouble(error, target) from error
    return FileResult(neuron_id, None, "not_found", "the server has no such file (404)", attempts)


def _request_headers(target: Path, known: KnownFile | None) -> dict[str, str]:
    # Uncompressed, so that the announced length is that of the file.
    headers = {"Accept-Encoding": "identity"}
    if known is not None and target.is_file() and sha256_bytes(target.read_bytes()) == known.sha256:
        if known.etag is not None:
            headers["If-None-Match"] = known.etag
        elif known.last_modified is not None:
            headers["If-Modified-Since"] = known.last_modified
    return headers


def _accept(
    neuron_id: int,
    target: Path,
    candidate: Candidate,
    reply: Reply,
    check: SwcCheck,
    attempts: int,
    known: KnownFile | None,
) -> FileResult:
    verdict = check.verdict
    assert verdict is not None
    write_bytes(target, reply.body)
    refused_path(target).unlink(missing_ok=True)
    fresh = KnownFile(
        verdict.sha256,
        verdict.size,
        verdict.reader,
        candidate.url,
        candidate.found_by,
        reply.headers.get("etag"),
        reply.headers.get("last-modified"),
    )
    changed = known is not None and known.sha256 != verdict.sha256
    return FileResult(neuron_id, fresh, attempts=attempts, changed=changed)
