"""The one HTTP client: it repeats what may pass, and nothing else."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from axonet.core.errors import UserError
from axonet.sources.download_settings import DownloadSettings
from axonet.sources.failures import ServerTrouble, TransferError, seconds_to_wait
from axonet.sources.http import HttpClient
from axonet.sources.limiter import Stopped
from tests.fakes.server import Fault, Replica, Request, Response


class Echo:
    """Serves 200 with the path, 404 below /missing, redirects below /from."""

    def respond(self, request: Request) -> Response:
        if request.path.startswith("/missing"):
            return Response.html(404)
        if request.path.startswith("/from"):
            return Response(301, b"", {"Location": request.query})
        return Response(200, request.body or request.path.encode())

    def distort(self, kind: str, request: Request, response: Response) -> Response:
        raise AssertionError(kind)


@contextmanager
def client_and_server(*faults: Fault, **settings: Any) -> Iterator[tuple[HttpClient, Replica]]:
    quick = {"rate": 0, "backoff": 0.01, "timeout": 0.4, "retries": 3} | settings
    with Replica(Echo(), faults=faults) as replica, HttpClient(DownloadSettings(**quick)) as client:
        yield client, replica


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.mark.parametrize("kind", ["503", "500", "429", "timeout", "reset", "cut"])
def test_a_passing_fault_is_repeated_until_it_passes(kind: str) -> None:
    with client_and_server(Fault(kind, times=2, seconds=0.6, retry_after="")) as (client, replica):
        reply = client.send("GET", f"{replica.url}/a")
        assert (reply.status, reply.body, reply.attempts, len(replica.log)) == (200, b"/a", 3, 3)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("503", "http_503"),
        ("429", "http_429"),
        ("timeout", "timeout"),
        ("reset", "connection_lost"),
        ("cut", "cut_body"),
    ],
)
def test_a_lasting_fault_ends_after_the_repetitions_with_its_reason(kind: str, reason: str) -> None:
    with client_and_server(Fault(kind, times=None, seconds=0.3, retry_after=""), timeout=0.2) as (client, replica):
        with pytest.raises(TransferError) as error:
            client.send("GET", f"{replica.url}/a")
        assert error.value.failure.reason == reason
        assert error.value.attempts == len(replica.log) == 4


def test_a_404_is_an_answer_and_is_never_repeated() -> None:
    with client_and_server() as (client, replica):
        assert client.send("GET", f"{replica.url}/missing").status == 404
        assert len(replica.log) == 1


def test_retry_after_is_waited_for_by_every_request() -> None:
    with client_and_server(Fault("503", match="slow", retry_after="1")) as (client, replica):
        first = threading.Thread(target=client.send, args=("GET", f"{replica.url}/slow"))
        first.start()
        while not client.limiter._paused_until:
            time.sleep(0.01)
        client.send("GET", f"{replica.url}/other")
        first.join()
        times = [entry.at for entry in replica.log]
        assert min(times[1:]) - times[0] >= 0.99


def test_a_server_that_asks_for_an_hour_is_not_waited_for() -> None:
    with client_and_server(Fault("503", retry_after="3600")) as (client, replica):
        with pytest.raises(ServerTrouble, match=r"in 60 minutes: run the same command again"):
            client.send("GET", f"{replica.url}/a")
        assert len(replica.log) == 1


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("-3", 0.0), ("soon", None), ("inf", None), ("nan", None), (None, None)]
)
def test_retry_after_is_a_number_or_not_understood(header: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(header) == seconds


def test_retry_after_may_be_a_date() -> None:
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 30))
    assert 28 < (seconds_to_wait(date) or 0) <= 30


def test_a_server_that_is_down_stops_the_run_and_one_bad_file_does_not() -> None:
    with client_and_server(Fault("503", match="bad", times=None, retry_after=""), retries=0, jobs=1) as (
        client,
        replica,
    ):
        for _ in range(20):
            with pytest.raises(TransferError):
                client.send("GET", f"{replica.url}/bad")
            client.send("GET", f"{replica.url}/good")
        for _ in range(5):
            with pytest.raises(TransferError):
                client.send("GET", f"{replica.url}/bad")
        with pytest.raises(ServerTrouble, match=r"answers 503: run the same command again later"):
            client.send("GET", f"{replica.url}/bad")


def test_a_port_where_nothing_listens_is_one_line_that_names_the_flag() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with HttpClient(DownloadSettings(retries=1, backoff=0.01)) as client:
            with pytest.raises(TransferError) as error:
                client.send("GET", url)
            line = str(client.give_up(error.value))
    assert "cannot connect" in line
    assert "--base-url" in line
    assert "\n" not in line


def test_the_user_agent_names_axonet_and_the_contact() -> None:
    with client_and_server(contact="me@lab.example") as (client, replica):
        client.send("GET", f"{replica.url}/a")
        assert replica.log[0].user_agent.startswith("axonet/")
        assert "me@lab.example" in replica.log[0].user_agent


def test_a_contact_that_would_break_the_header_is_refused() -> None:
    with pytest.raises(ValueError, match="contact"):
        DownloadSettings(contact="me\r\nX-Evil: 1")


def test_a_redirected_post_stays_a_post_on_the_same_server() -> None:
    with client_and_server() as (client, replica):
        reply = client.send("POST", f"{replica.url}/from?/to", json={"a": 1})
        assert reply.body == b'{"a":1}'
        assert [entry.method for entry in replica.log] == ["POST", "POST"]


def test_a_post_is_not_redirected_to_another_server() -> None:
    with client_and_server() as (client, replica), pytest.raises(TransferError, match="another server"):
        client.send("POST", f"{replica.url}/from?http://other.invalid/to", json={})


def test_redirections_in_circles_end() -> None:
    with client_and_server() as (client, replica):
        with pytest.raises(TransferError, match="in circles"):
            client.send("GET", f"{replica.url}/from?{replica.url}/from?/from")
        assert len(replica.log) <= 6


def test_percent_encoded_paths_arrive_as_they_were_encoded() -> None:
    with client_and_server() as (client, replica):
        for path in ("/a%23b", "/a%2Fb", "/a%2Bb%27c", "/100%2525", "/%2E%2E/x"):
            client.send("GET", replica.url + path)
        assert [entry.path for entry in replica.log] == ["/a%23b", "/a%2Fb", "/a%2Bb%27c", "/100%2525", "/%2E%2E/x"]


def test_what_is_no_url_is_a_user_error() -> None:
    with HttpClient(DownloadSettings()) as client, pytest.raises(UserError, match="not a URL"):
        client.send("GET", "ftp://x/y")


def test_a_stopped_client_lets_go_of_waiting_requests() -> None:
    with client_and_server(Fault("503", times=None, retry_after="60")) as (client, replica):
        outcome: list[BaseException] = []

        def ask() -> None:
            try:
                client.send("GET", f"{replica.url}/a")
            except BaseException as error:
                outcome.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        while not replica.log:
            time.sleep(0.01)
        time.sleep(0.05)
        client.limiter.stop()
        thread.join(2)
        assert isinstance(outcome[0], Stopped)


def test_insecure_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    with client_and_server(insecure=True) as (client, replica):
        client.send("GET", f"{replica.url}/a")
        client.send("GET", f"{replica.url}/b")
    assert capsys.readouterr().err.count("warning") == 1
