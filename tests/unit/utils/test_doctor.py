"""``axonet doctor``: what is there, what is missing, and whether the main job can run."""

from __future__ import annotations

import importlib.metadata
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from axonet import cli
from axonet.core.errors import UserError
from axonet.rendering import gl_probe
from axonet.utils import health
from axonet.utils.health import Check

PROBED: dict[str, Any] = {
    "devices": ["device 0 (NVIDIA)", "device 1 (/dev/dri/card1)", "device 2 (software)", "device 3 (software)"],
    "passed_over": ["device 0 (NVIDIA): its driver does not start", "device 1 (/dev/dri/card1): has no display"],
    "chosen": "device 2 (software)",
    "renderer": "llvmpipe",
    "auto": "cpu",
    "reason": "no card",
}


class Answering(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[str]:
    running = HTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


@pytest.fixture
def one_server(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """One of the three servers answers, the port of the others is closed."""
    monkeypatch.setenv("AXONET_NEUROMORPHO_URL", server)
    for name in ("AXONET_ALLEN_URL", "AXONET_BIL_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr(gl_probe, "probe_apart", lambda: PROBED)
    return server


def answer(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, dict[str, Any], str]:
    code = cli.main(["doctor", "--json", *flags])
    out, err = capsys.readouterr()
    return code, json.loads(out), err


def test_here_the_main_job_can_run_and_being_offline_is_no_reason_against_it(
    one_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found, _ = answer(capsys)
    assert code == 0
    assert found["can_run"] is True
    assert {row["topic"] for row in found["checks"]} == {
        *("Python", "packages", "drawing", "computing", "disk", "text encoders", "servers")
    }
    servers = {row["name"]: row for row in found["checks"] if row["topic"] == "servers"}
    assert servers["NeuroMorpho.Org"]["state"] == "ok"  # an error page is an answer
    assert servers["Allen Institute"]["state"] == servers["Brain Image Library"]["state"] == "note"
    assert "cannot be reached" in servers["Allen Institute"]["found"]
    code, found, _ = answer(capsys, "--offline")
    assert code == 0
    assert "servers" not in {row["topic"] for row in found["checks"]}


def test_devices_are_in_the_order_tried_with_the_reason_each_was_passed_over(
    one_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, found, _ = answer(capsys, "--offline")
    rows = [(row["name"], row["found"]) for row in found["checks"] if row["topic"] == "drawing"]
    assert rows[1:] == [
        ("device 0 (NVIDIA)", "passed over: its driver does not start"),
        ("device 1 (/dev/dri/card1)", "passed over: has no display"),
        ("device 2 (software)", "draws with --backend gl (llvmpipe)"),
        ("device 3 (software)", "not tried: an earlier one works"),
        ("--backend auto", "takes cpu: no card"),
    ]


@pytest.mark.parametrize(
    ("requirement", "words", "state"),
    [
        ("no-such-package-zz>=1", "no-such-package-zz is not installed", "missing"),
        ("numpy>=99; extra == 'train'", "instead of >=99", "missing"),
        ("no-such-package-zz; extra == 'gl'", "no-such-package-zz is not installed", "note"),
        ("no-such-package-zz; python_version < '3'", "", "ok"),
        ("numpy>=1; extra == 'train'", "", "ok"),
    ],
)
def test_a_package_that_does_not_fit_is_named_with_the_extra_that_brings_it(
    requirement: str, words: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: [requirement, 'axonet[train]; extra == "demo"'])
    rows = list(health.check_packages())
    worst = max(rows, key=lambda row: ["ok", "note", "missing"].index(row.state))
    assert worst.state == state
    assert words in worst.found
    assert not words or "pip install 'axonet" in worst.remedy


def test_what_keeps_the_main_job_from_running_is_an_error_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [Check("disk", "/full", "missing", "0.1 GB free", "make room"), Check("computing", "cuda", "note", "none")]
    monkeypatch.setattr(health, "all_checks", lambda seconds, offline: rows)
    code, found, err = answer(capsys)
    assert (code, found["can_run"]) == (2, False)
    assert err == "error: the workflow cannot run here: /full: 0.1 GB free (make room)\n"
    assert cli.main(["doctor"]) == 2
    page = capsys.readouterr().out
    assert "MISS  /full  0.1 GB free" in page
    assert "-> make room" in page


def test_a_folder_without_room_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (roomy,) = health.check_disk(tmp_path)
    assert roomy.state == "ok"
    monkeypatch.setattr(health, "LEAST_FREE_GB", roomy.facts["free_gb"] + 1e6)
    (full,) = health.check_disk(tmp_path)
    assert full.state == "missing"


def test_a_driver_that_ends_the_process_or_hangs_is_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'segmentation fault' >&2\nexit 139\n")
    broken.chmod(0o755)
    monkeypatch.setattr(gl_probe.sys, "executable", str(broken))
    with pytest.raises(UserError, match="ended with code 139 segmentation fault"):
        gl_probe.probe_apart()
    states = [row.state for row in health.check_drawing()]
    assert states == ["ok", "note"]
    broken.write_text("#!/bin/sh\nexec sleep 30\n")
    with pytest.raises(UserError, match=r"did not answer within 0\.2 s"):
        gl_probe.probe_apart(0.2)


def test_the_probe_of_this_machine_names_what_draws_or_why_nothing_does() -> None:
    found = gl_probe.probe_apart()
    assert found["auto"] in ("cpu", "gl")
    assert found["reason"]
    if found["chosen"] is None:
        assert found["passed_over"]
    else:
        assert found["chosen"] in found["devices"]
        assert not any(phrase.startswith(found["chosen"]) for phrase in found["passed_over"])
