"""TLS stays verified: every way in which the servers were seen to fail has a flag that helps and keeps it on."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from axonet.core.errors import UserError
from axonet.sources.download_settings import DownloadSettings
from axonet.sources.failures import ServerTrouble
from axonet.sources.http import HttpClient
from tests.fakes.certificates import Certificates, make_certificates, server_context
from tests.fakes.server import Replica, Request, Response

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl program makes the certificates")


class Hello:
    def respond(self, request: Request) -> Response:
        return Response(200, b"hello")

    def distort(self, kind: str, request: Request, response: Response) -> Response:
        return response


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    """The root of the test is one of those that the system trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.root))
    monkeypatch.setenv("NO_PROXY", "*")
    return certificates


def ask(context: ssl.SSLContext, **settings: Any) -> bytes:
    chosen = DownloadSettings(retries=2, backoff=0.01, rate=0, **settings)
    with Replica(Hello(), context=context) as replica, HttpClient(chosen) as client:
        return client.send("GET", f"{replica.url}/").body


def test_a_whole_chain_needs_no_flag(trusted: Certificates) -> None:
    assert ask(server_context(trusted, "chain")) == b"hello"


def test_a_missing_intermediate_is_named_and_a_file_with_it_helps(trusted: Certificates) -> None:
    with pytest.raises(ServerTrouble, match=r"local issuer certificate.*--tls-ca-file"):
        ask(server_context(trusted, "leaf_only"))
    with pytest.raises(ServerTrouble, match=r"--tls-ca-file"):
        ask(server_context(trusted, "leaf_only"), tls_legacy=True)
    assert ask(server_context(trusted, "leaf_only"), tls_ca_file=trusted.intermediate) == b"hello"


def test_a_weak_key_is_named_and_only_the_lower_level_helps(trusted: Certificates) -> None:
    with pytest.raises(ServerTrouble, match=r"--tls-legacy"):
        ask(server_context(trusted, "weak_dh"))
    with pytest.raises(ServerTrouble, match=r"--tls-legacy"):
        ask(server_context(trusted, "weak_dh"), tls_ca_file=trusted.intermediate)
    assert ask(server_context(trusted, "weak_dh"), tls_legacy=True) == b"hello"


def test_a_legacy_connection_is_verified(trusted: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.other_root))
    with pytest.raises(ServerTrouble, match=r"certificate"):
        ask(server_context(trusted, "weak_dh"), tls_legacy=True)


@pytest.mark.parametrize("mode", ["chain", "leaf_only", "weak_dh"])
def test_insecure_takes_every_server(mode: str, trusted: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.other_root))
    assert ask(server_context(trusted, mode), insecure=True) == b"hello"


def test_a_certificate_of_another_server_is_refused(trusted: Certificates) -> None:
    with pytest.raises(ServerTrouble, match=r"Hostname mismatch.*check the name"):
        ask(server_context(trusted, "stranger"), tls_ca_file=trusted.intermediate)


def test_plain_http_on_a_tls_address_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    error = pytest.raises(ServerTrouble, match=r"http://")
    with Replica(Hello()) as replica, HttpClient(DownloadSettings(retries=0)) as client, error:
        client.send("GET", f"https://127.0.0.1:{replica.port}/")


@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_a_useless_certificate_file_is_a_user_error(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=r"--tls-ca-file .*ca\.pem"):
        HttpClient(DownloadSettings(tls_ca_file=path))


def test_openssl_agrees_that_the_test_key_is_weak(certificates: Certificates) -> None:
    text = subprocess.run(
        ["openssl", "dhparam", "-in", certificates.weak_dh, "-text", "-noout"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "1024 bit" in text
