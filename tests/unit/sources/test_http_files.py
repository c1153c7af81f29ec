"""A file is judged before it gets its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from axonet.core.files import sha256_bytes
from axonet.sources.download_settings import DownloadSettings
from axonet.sources.fetch_file import Candidate, FileResult, adopt_file, fetch_file, refused_path
from axonet.sources.http import HttpClient
from axonet.sources.swc_check import Expected, judge_swc
from tests.fakes.neurons import made_up_swc
from tests.fakes.server import HTML_PAGE, Fault, Replica, Request, Response

GOOD = made_up_swc(1)
TWO_SOMATA = b"1 1 0 0 0 5 -1\n2 3 0 9 0 1 1\n3 1 500 0 0 5 -1\n4 3 500 9 0 1 3\n"


class OneFile:
    def __init__(self) -> None:
        self.body = GOOD
        self.tag = '"1"'

    def respond(self, request: Request) -> Response:
        if request.path != "/there.swc":
            return Response.html(404)
        if request.headers.get("if-none-match") == self.tag:
            return Response(304, b"", {"ETag": self.tag})
        return Response(200, self.body, {"ETag": self.tag})

    def distort(self, kind: str, request: Request, response: Response) -> Response:
        return response


class Site:
    def __init__(self, folder: Path, replica: Replica, app: OneFile, client: HttpClient) -> None:
        self.target = folder / "swc" / "n.CNG.swc"
        self.replica, self.app, self.client = replica, app, client

    def fetch(self, *paths: str, expected: Expected | None = None, known: FileResult | None = None) -> FileResult:
        places = iter([Candidate(self.replica.url + path) for path in paths or ("/there.swc",)])
        facts = None if known is None else known.known
        return fetch_file(self.client, 1, self.target, places, expected or Expected(), facts)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "*")
    settings = DownloadSettings(rate=0, backoff=0.01, retries=2, timeout=0.5)
    app = OneFile()
    with Replica(app) as replica, HttpClient(settings) as client:
        yield Site(tmp_path, replica, app, client)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty_file"),
        (b" \r\n\n", "empty_file"),
        (HTML_PAGE, "html_page"),
        (b"# only\n# comments\n", "no_data_rows"),
        (b'{"status": 500}\n', "no_data_rows"),
        (GOOD[:-20], "truncated_file"),
        (GOOD + HTML_PAGE, "html_page"),
        (GOOD[:-1] + b"<html><body>502</body></html>\n", "html_page"),
        (GOOD + b'{"status": 500, "error": "Internal Server Error"}\n', "trailing_text"),
        (GOOD + b"<hr>nginx\n", "trailing_text"),
    ],
)
def test_a_broken_transfer_never_gets_the_files_name(body: bytes, reason: str, site: Site) -> None:
    site.app.body = body
    result = site.fetch()
    assert (result.known, result.reason, result.attempts) == (None, reason, 2)  # asked once more, as it may pass
    assert not site.target.exists()
    assert refused_path(site.target).read_bytes() == body


@pytest.mark.parametrize("kind", ["html", "empty", "cut", "cut_silent"])
def test_a_transfer_that_was_broken_once_is_repeated(kind: str, site: Site) -> None:
    site.replica.faults.append(Fault(kind))
    result = site.fetch()
    assert site.target.read_bytes() == GOOD
    assert (result.attempts, result.reason) == (2, None)


def test_what_was_refused_is_removed_once_the_file_is_there(site: Site) -> None:
    site.app.body = HTML_PAGE
    site.fetch()
    site.app.body = GOOD
    site.fetch()
    assert not refused_path(site.target).exists()


def test_a_reconstruction_that_the_reader_rejects_is_kept_and_says_so(site: Site) -> None:
    site.app.body = TWO_SOMATA
    result = site.fetch()
    assert site.target.read_bytes() == TWO_SOMATA
    assert result.known is not None
    assert (result.reason, result.known.reader) == (None, "multiple_somata")


def test_angle_brackets_in_comments_are_no_reason_to_refuse() -> None:
    body = GOOD + b"# from <html> to {swc}\n" + b"2000 3 1 1 1 1 1 # <body>\n"
    assert judge_swc(body, "n").refused is None


def test_latin_1_headers_are_no_reason_to_refuse() -> None:
    assert judge_swc("# Nervenzelle des Großhirns\n".encode("latin-1") + GOOD, "n").refused is None


def test_a_file_is_what_the_manifest_says_or_refused(site: Site) -> None:
    right = Expected(sha256_bytes(GOOD).upper(), len(GOOD))
    assert site.fetch(expected=right).reason is None
    assert site.fetch(expected=Expected("0" * 64, len(GOOD))).reason == "wrong_checksum"
    assert site.fetch(expected=Expected(None, 5)).reason == "wrong_size"
    assert site.target.read_bytes() == GOOD


def test_a_body_of_unknown_length_is_believed_when_it_comes_twice(site: Site) -> None:
    site.app.body = GOOD + GOOD.partition(b"\n")[2]  # cut in half, nothing looks wrong
    site.app.body += b"\n" * (2 * len(GOOD) - len(site.app.body))
    site.replica.faults.append(Fault("cut_silent"))
    result = site.fetch()
    assert (result.reason, result.attempts) == (None, 2)
    assert site.target.read_bytes() == site.app.body
    site.replica.faults.append(Fault("cut_silent", times=None))
    result = site.fetch()
    assert (result.reason, result.attempts) == (None, 2)
    assert site.target.read_bytes() == GOOD


def test_places_are_asked_in_order_until_one_has_the_file(site: Site) -> None:
    result = site.fetch("/no", "/neither", "/there.swc", "/never")
    assert site.replica.paths() == ["/no", "/neither", "/there.swc"]
    assert result.known is not None
    assert result.known.url.endswith("/there.swc")


def test_a_file_that_is_nowhere_is_not_found(site: Site) -> None:
    assert site.fetch("/no", "/neither").reason == "not_found"


def test_a_refresh_leaves_an_unchanged_file_alone_and_replaces_a_changed_one(site: Site) -> None:
    first = site.fetch()
    before = site.target.stat().st_mtime_ns
    same = site.fetch(known=first)
    assert (same.changed, site.target.stat().st_mtime_ns) == (False, before)
    site.app.body, site.app.tag = made_up_swc(2), '"2"'
    other = site.fetch(known=first)
    assert other.changed
    assert site.target.read_bytes() == made_up_swc(2)


def test_a_refresh_mends_a_file_that_was_altered_here(site: Site) -> None:
    first = site.fetch()
    site.target.write_bytes(made_up_swc(3))
    site.fetch(known=first)
    assert site.target.read_bytes() == GOOD


def test_only_a_good_file_is_adopted(tmp_path: Path) -> None:
    path, place = tmp_path / "n.swc", Candidate("http://site/n.swc", "raw")
    assert adopt_file(1, path, place, Expected()) is None
    path.write_bytes(GOOD[:-20])
    assert adopt_file(1, path, place, Expected()) is None
    path.write_bytes(GOOD)
    assert adopt_file(1, path, place, Expected("0" * 64)) is None
    adopted = adopt_file(1, path, place, Expected(sha256_bytes(GOOD)))
    assert adopted is not None
    assert adopted.known is not None
    assert (adopted.known.found_by, adopted.attempts) == ("raw", 0)
