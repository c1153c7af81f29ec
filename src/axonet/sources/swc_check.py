"""Whether what a server sent is the file that was asked for: judged before the file gets its name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from axonet.core.files import sha256_bytes
from axonet.morphology.swc import SWCError, parse_swc
from axonet.sources.failures import Failure, Repeat, Reply

# What the reader calls a broken transfer. Everything else it objects to is a property of the reconstruction, which is
# kept and says so: a download must not decide which neurons are good.
REFUSED = ("empty_file", "html_page", "no_data_rows", "truncated_file")
# Also where it begins in the middle of a row.
_PAGE = re.compile(rb"<(?:!doctype|html|head|title|body|script|\?xml)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a file beforehand.

    Attributes:
        sha256: of its bytes; None when nobody tells.
        size: in bytes; None when nobody tells.
    """

    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in a body.

    Attributes:
        refused: reason code; None when the file is accepted.
        reader: code of the reader for an accepted file that holds no neuron, such as ``multiple_somata``.
        sha256: of the bytes.
        size: in bytes.
        message: for people.
    """

    refused: str | None
    reader: str | None
    sha256: str
    size: int
    message: str = ""


def judge_swc(body: bytes, name: str, expected: Expected = Expected()) -> Verdict:
    """Judge the bytes of an SWC file.

    Args:
        body: all of them.
        name: what to call the file in messages.
        expected: what is known beforehand.
    """
    digest, size = sha256_bytes(body), len(body)
    refused = reader = None
    message = ""
    try:
        parse_swc(body, name)
    except SWCError as error:
        message = str(error)
        if error.code in REFUSED:
            refused = error.code
        else:
            reader = error.code
    tail = None if refused is not None or not (b"<" in body or b"{" in body) else _tail(body)
    if tail is not None:
        refused, message = tail[0], f"{name}: {tail[1]} follows the rows"
    if refused is None and expected.size is not None and size != expected.size:
        refused, message = "wrong_size", f"{name}: {size} bytes instead of {expected.size}"
    if refused is None and expected.sha256 is not None and digest != expected.sha256.lower():
        refused, message = "wrong_checksum", f"{name}: not the file that the manifest describes (other SHA-256)"
    return Verdict(refused, reader, digest, size, message)


def _tail(body: bytes) -> tuple[str, str] | None:
    """What a server appended to the rows, as (reason, what it is): an error page, or an error in JSON."""
    lines = re.sub(rb"#[^\r\n]*", b"", body).splitlines()
    if any(_PAGE.search(line) for line in lines):
        return "html_page", "a web page"
    if any(line.lstrip().startswith((b"<", b"{")) for line in lines):
        return "trailing_text", "text of another kind"
    return None


class SwcCheck:
    """Judges the answers to one request for a file, and remembers the last verdict.

    An answer whose length nobody told may be cut between two rows, which shows nowhere; it is asked for once more, and
    believed when it comes back the same.
    """

    def __init__(self, name: str, expected: Expected) -> None:
        self._name = name
        self._expected = expected
        self.verdict: Verdict | None = None

    def __call__(self, reply: Reply) -> Failure | None:
        """The failure that an answer amounts to, or None."""
        before = self.verdict
        verdict = self.verdict = judge_swc(reply.body, self._name, self._expected)
        if verdict.refused is not None:
            is_page = verdict.refused == "html_page"
            message = f"{reply.url.split('/')[2]} sends a web page ({verdict.message})" if is_page else verdict.message
            repeat: Repeat = "once"
            return Failure(verdict.refused, message, repeat, is_servers=is_page, reply=reply)
        is_told = "content-length" in reply.headers or "chunked" in reply.headers.get("transfer-encoding", "")
        is_told = is_told or self._expected != Expected()
        if not is_told and (before is None or before.sha256 != verdict.sha256):
            return Failure("truncated_file", f"{self._name}: the file may be cut off", "once", reply=reply)
        return None
