"""Bad input and bad servers: one line that says what happened and what helps; what was finished is kept."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from axonet.utils.neuromorpho_bulk import main
from tests.fakes.certificates import make_certificates, server_context
from tests.fakes.neuromorpho import NeuroMorpho
from tests.fakes.server import Fault, Replica

QUICK = ["--rate", "0", "--backoff", "0.01", "--timeout", "0.3", "--retries", "1"]


@pytest.fixture
def replica(monkeypatch: pytest.MonkeyPatch) -> Iterator[Replica]:
    with Replica(NeuroMorpho.made_up(30)) as one:
        monkeypatch.setenv("AXONET_NEUROMORPHO_URL", one.url)
        monkeypatch.setenv("NO_PROXY", "*")
        yield one


def last_line(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of the error; nothing else of a failure may be on the terminal."""
    assert main([*arguments, *QUICK]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "Traceback" not in output.err
    lines = output.err.splitlines()
    assert [line for line in lines if line.startswith("error: ")] == lines[-1:]
    return lines[-1]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--query", "specie:mouse"], ["specie", "did you mean species?"]),
        (["--filters", '{"specie": ["mouse"]}'], ["specie", "did you mean species?"]),
        (["--filters", '{"species": ["mouse"'], ["--filters", "not JSON"]),
        (["--query", "mouse"], ["--query", "field:value"]),
        (["--query", "species:mose"], ["no neuron", "'mose'", "did you mean 'mouse'?"]),
        (["--query", 'archive:"Nobody"'], ["no neuron has archive 'Nobody'"]),
        (["--query", "neuron_id:[5000 TO 6000]"], ["no neuron matches"]),
        ([], ["--query", "--filters"]),
        (["--query", "species:mouse", "--page-size", "1000"], ["--page-size", "500"]),
        (["--query", "species:mouse", "--base-url", "neuromorpho.org"], ["--base-url", "must begin with http://"]),
        (["--query", "species:mose", "--count-only"], ["no neuron", "'mose'", "did you mean 'mouse'?"]),
        (["--query", "species:mouse OR rat"], ["--query", "species:mouse,rat"]),
        (["--filters", "{}"], ["--filters", "names no field"]),
        (["--filters", '{"species": []}'], ["--filters", "'species' has no value"]),
        (["--query", "species:mouse", "--tls-ca-file", "/nowhere.pem"], ["--tls-ca-file", "/nowhere.pem"]),
        (["--query", "species:mouse", "--contact", "a\nb"], ["--contact"]),
        (["--query", "species:mouse", "--insecur"], ["--insecur", "--insecure"]),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], parts: list[str], replica: Replica, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = last_line(capsys, *arguments, "--out", str(tmp_path / "out"))
    assert all(part in line for part in parts), line
    assert not list(tmp_path.rglob("*.swc"))


def test_a_bad_address_in_the_environment_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AXONET_NEUROMORPHO_URL", "neuromorpho.org")
    line = last_line(capsys, "--query", "species:mouse", "--out", str(tmp_path / "out"))
    assert "AXONET_NEUROMORPHO_URL: must begin with http:// or https://" in line
    assert not (tmp_path / "out").exists()


def test_a_server_that_is_down_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        line = last_line(capsys, "--query", "species:mouse", "--out", str(tmp_path), "--base-url", url)
    assert "cannot connect" in line
    assert "--base-url" in line


FAULTS = [
    ("503", "answers 503", "run the same command again later"),
    ("429", "answers 429", "--rate"),
    ("html", "web page", "open the page in a browser"),
    ("timeout", "no answer", "--timeout"),
    ("reset", "closes the connection", "--jobs"),
    ("cut", "fewer bytes", "--jobs"),
]


@pytest.mark.parametrize(("kind", "what", "help_"), FAULTS)
def test_a_server_that_fails_from_the_start_is_one_line(
    kind: str, what: str, help_: str, replica: Replica, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replica.faults.append(Fault(kind, times=None, seconds=0.4, retry_after=""))
    line = last_line(capsys, "--query", "species:mouse", "--out", str(tmp_path))
    assert what in line
    assert help_ in line


@pytest.mark.parametrize(("kind", "what", "help_"), FAULTS)
def test_a_server_that_fails_in_the_middle_is_one_line_and_what_was_finished_is_kept(
    kind: str, what: str, help_: str, replica: Replica, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replica.faults.append(Fault(kind, match="/dableFiles/", times=None, skip=10, seconds=0.4, retry_after=""))
    out = tmp_path / "out"
    assert main(["--query", "species:mouse", "--out", str(out), *QUICK, "--jobs", "2"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert what in lines[-1]
    assert help_ in lines[-1]
    assert "10 of 30 files are finished; the same command goes on from there" in lines[-2]
    assert len(list((out / "swc").glob("*.swc"))) == 10
    assert (out / "metadata.jsonl").exists()
    assert (out / "status.jsonl").read_text("utf-8").count('"ok": true') == 10
    replica.faults.clear()
    replica.log.clear()
    assert main(["--query", "species:mouse", "--out", str(out), *QUICK]) == 0
    assert len(replica.paths("/dableFiles/")) == 20
    assert len(replica.log) == 20  # the listing was complete


def test_a_server_that_is_down_for_an_hour_and_says_so(
    replica: Replica, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replica.faults.append(Fault("503", match="/dableFiles/", times=None, retry_after="3600"))
    line = last_line(capsys, "--query", "species:mouse", "--out", str(tmp_path))
    assert "in 60 minutes" in line


def test_a_folder_that_cannot_be_written_is_one_line(
    replica: Replica, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    line = last_line(capsys, "--query", "species:mouse", "--out", str(tmp_path / "file" / "out"))
    assert str(tmp_path / "file") in line


def test_a_folder_with_other_metadata_is_not_overwritten(
    replica: Replica, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "metadata.jsonl").write_text('{"id": "mine"}\n')
    line = last_line(capsys, "--query", "species:mouse", "--out", str(tmp_path))
    assert "choose another --out" in line
    assert (tmp_path / "metadata.jsonl").read_text() == '{"id": "mine"}\n'


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl program makes the certificates")
@pytest.mark.parametrize(
    ("mode", "flag"), [("leaf_only", ["--tls-ca-file", "intermediate"]), ("weak_dh", ["--tls-legacy"])]
)
def test_a_site_with_a_bad_tls_set_up_names_the_flag_and_works_with_it(
    mode: str,
    flag: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "certificates").mkdir()
    certificates = make_certificates(tmp_path / "certificates")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.root))
    monkeypatch.setenv("NO_PROXY", "*")
    given = [str(certificates.intermediate) if part == "intermediate" else part for part in flag]
    with Replica(NeuroMorpho.made_up(3), context=server_context(certificates, mode)) as replica:
        arguments = ["--query", "species:mouse", "--out", str(tmp_path / "out"), "--base-url", replica.url]
        assert flag[0] in last_line(capsys, *arguments)
        assert main([*arguments, *QUICK, *given]) == 0
        assert "warning" not in capsys.readouterr().err
        assert main([*arguments, *QUICK, "--insecure"]) == 0
        assert capsys.readouterr().err.count("warning: --insecure") == 1
    assert len(list((tmp_path / "out" / "swc").iterdir())) == 3
