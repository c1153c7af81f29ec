"""Politeness, counted at the server."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from axonet.sources.download_settings import DownloadSettings
from axonet.sources.http import HttpClient
from axonet.sources.limiter import Limiter, Stopped
from tests.fakes.server import Replica, Request, Response


class Uneven:
    """Answers after times that vary, so that requests bunch up at the server."""

    def respond(self, request: Request) -> Response:
        threading.Event().wait(int(request.path[1:]) % 7 / 50)
        return Response(200, b"x" * 100)

    def distort(self, kind: str, request: Request, response: Response) -> Response:
        return response


@pytest.mark.parametrize(("rate", "jobs", "n"), [(30.0, 8, 70), (12.5, 3, 25)])
def test_no_second_of_the_server_sees_more_requests_than_asked_for(rate: float, jobs: int, n: int) -> None:
    settings = DownloadSettings(rate=rate, jobs=jobs)
    with Replica(Uneven()) as replica, HttpClient(settings) as client, ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda number: client.send("GET", f"{replica.url}/{number}"), range(n)))
        assert replica.busiest_second() <= math.ceil(rate)
        assert replica.most_in_flight() <= jobs
        first, last = replica.log[0].at, replica.log[-1].at
        assert (n - 1) / (last - first) <= rate


def test_without_a_limit_only_the_requests_in_flight_are_bounded() -> None:
    with Replica(Uneven()) as replica, HttpClient(DownloadSettings(rate=0, jobs=3)) as client:
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(lambda number: client.send("GET", f"{replica.url}/{number}"), range(40)))
        assert replica.most_in_flight() == 3


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_token_is_free_a_second_after_the_answer_began() -> None:
    clock = Clock()
    limiter = Limiter(rate=1, jobs=5, clock=clock)
    with limiter.slot() as slot:
        clock.now += 7  # the request is on its way for seven seconds
        slot.answered()
        assert limiter._seconds_left() == pytest.approx(1.0)
        clock.now += 1
        assert limiter._seconds_left() <= 0


def test_a_slow_rate_spaces_requests_out() -> None:
    clock = Clock()
    limiter = Limiter(rate=0.25, jobs=5, clock=clock)
    with limiter.slot():
        pass
    assert limiter._seconds_left() == pytest.approx(4.0)


def test_a_stopped_limiter_gives_no_slot() -> None:
    limiter = Limiter(rate=0, jobs=1)
    limiter.stop()
    with pytest.raises(Stopped), limiter.slot():
        pass
    with pytest.raises(Stopped):
        limiter.sleep(10)
