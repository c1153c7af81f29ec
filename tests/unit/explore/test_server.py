"""The server's routes, and who is let in."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

pytest.importorskip("starlette", reason="starlette is not installed")

from axonet.core.errors import UserError
from axonet.explore import server as server_module
from axonet.explore.folder import ExploreFolder
from axonet.explore.guard import LOCAL, Guard, host_of
from axonet.explore.listen import listening_socket
from axonet.explore.server import create_app
from axonet.explore.skeleton import decode
from axonet.explore.worker import Worker
from axonet.utils.explore import main
from tests.fakes.neurons import made_up_swc


class Client:
    """Sends requests to an application in this process."""

    def __init__(self, app, base_url: str = "http://127.0.0.1:8765") -> None:
        self.app, self.base_url = app, base_url

    def get(self, path: str, **options) -> httpx.Response:
        return self._send("GET", path, options)

    def post(self, path: str, **options) -> httpx.Response:
        return self._send("POST", path, options)

    def _send(self, method: str, path: str, options: dict) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self.base_url) as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())


@pytest.fixture(scope="module")
def folder(results) -> ExploreFolder:
    return ExploreFolder(results / "explore")


@pytest.fixture(scope="module")
def worker(results, folder):
    own = Worker(results / "runs/main/stage2/best.ckpt", folder.meta["checkpoint"])
    yield own
    own.close()


@pytest.fixture(scope="module")
def client(folder, worker):
    return Client(create_app(folder, worker, LOCAL))


def test_the_page_and_its_files_come_with_a_policy_that_keeps_to_this_server(client):
    for path in ("/", "/explore.js", "/explore.css", "/api/meta"):
        answer = client.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "connect-src 'self'" in policy
        assert "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_data_are_those_of_the_folder(client, folder):
    assert client.get("/api/points").content == (folder.path / "points.arrow").read_bytes()
    assert client.get("/api/meta").json() == folder.meta
    assert client.get("/api/thumb/3").content == folder.thumbs[3]
    assert [client.get(f"/api/view/3/{k}").content for k in range(3)] == folder.views(3)
    assert client.get("/api/view/3/3").status_code == 404
    name, data = folder.swc(3)
    answer = client.get("/api/swc/3")
    assert answer.content == data
    assert name in answer.headers["content-disposition"]
    skeleton = decode(client.get("/api/skeleton/3").content)
    assert (skeleton.parent < 0).sum() == (folder.neuron(3).parent < 0).sum()


def test_similar_neurons_are_those_with_the_largest_cosine(client, folder):
    vectors = np.array(folder.vectors)
    for row in range(len(folder)):
        cosine = vectors @ vectors[row]
        expected = [k for k in np.argsort(-cosine, kind="stable").tolist() if k != row][:4]
        found = client.get(f"/api/similar/{row}?k=4").json()["hits"]
        assert [hit["row"] for hit in found] == expected
        assert found[0]["cosine"] == pytest.approx(float(cosine[expected[0]]), abs=1e-4)


def test_words_are_answered_by_the_text_encoder(client, folder):
    import axonet

    model = axonet.load_model(folder.root / folder.origin.checkpoint)
    cosine = folder.vectors @ model.embed_text(["a basket cell"])[0]
    found = client.get("/api/search", params={"q": "a basket cell", "k": "3"}).json()["hits"]
    assert [hit["row"] for hit in found] == np.argsort(-cosine, kind="stable")[:3].tolist()


def test_an_uploaded_neuron_of_the_collection_finds_itself(client, folder):
    name, data = folder.swc(5)
    answer = client.post(f"/api/upload?name={name}&k=3", content=data).json()
    assert answer["hits"][0]["row"] == 5
    assert answer["hits"][0]["cosine"] > 0.99
    assert answer["measures"]["n_tips"] == folder.neuron(5).morphometrics()["n_tips"]
    assert len(answer["views"]) == 3
    assert np.abs(np.array(answer["xy"]) - folder.xy[5]).max() < 0.5


@pytest.mark.parametrize(
    "data", [b"", b"<html>no neuron</html>", b"\x89PNG\r\n\x1a\n" + bytes(100), b"1 1 0 0 0 1 2\n2 1 0 0 0 1 1\n"]
)
def test_what_is_no_neuron_is_refused_in_words_and_the_next_one_is_read(client, data):
    answer = client.post("/api/upload?name=x.swc", content=data)
    assert answer.status_code == 422
    assert len(answer.json()["error"]) > 10
    assert client.post("/api/upload?name=y.swc", content=made_up_swc(1)).status_code == 200


def test_an_upload_that_is_too_long_is_refused_before_it_is_read(client, monkeypatch):
    monkeypatch.setattr(server_module, "MOST_UPLOAD_BYTES", 1000)
    answer = client.post("/api/upload?name=x.swc", content=made_up_swc(1, 200))
    assert answer.status_code == 413


def never(connection, checkpoint, fingerprint) -> None:
    connection.send((True, ""))
    connection.recv()
    time.sleep(600)


def ends(connection, checkpoint, fingerprint) -> None:
    connection.send((True, ""))
    connection.recv()


def test_a_task_that_takes_too_long_is_given_up_and_its_process_ended():
    worker = Worker(Path("x"), "y", timeout_s=0.2, target=never)
    with pytest.raises(UserError, match="given up"):
        worker.embed_text("a neuron")
    assert worker._process is None
    worker.close()


def test_a_process_that_dies_is_said_and_started_again():
    worker = Worker(Path("x"), "y", target=ends)
    for _ in range(2):
        with pytest.raises(UserError, match="has ended"):
            worker.embed_text("a neuron")
    worker.close()


def test_another_model_than_that_of_the_vectors_is_refused(results):
    worker = Worker(results / "runs/main/stage2/best.ckpt", "0123456789abcdef")
    with pytest.raises(UserError, match="another model"):
        worker.embed_text("a neuron")
    worker.close()


def test_without_a_text_encoder_the_page_is_told_why(folder):
    class NoWords:
        def embed_text(self, text: str) -> None:
            raise UserError("text encoder: not here")

    client = Client(create_app(folder, NoWords(), LOCAL), base_url="http://localhost")
    answer = client.get("/api/search?q=x")
    assert (answer.status_code, answer.json()) == (503, {"error": "text encoder: not here"})


@pytest.mark.parametrize("row", [10, 999999999999])
@pytest.mark.parametrize("what", ["thumb/{}", "view/{}/0", "skeleton/{}", "swc/{}", "similar/{}"])
def test_neurons_that_are_not_there(client, what, row):
    assert client.get(f"/api/{what.format(row)}").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/", "/meta.json", "/api/thumb/..%2f..%2fmeta.json",
     "/api/swc/../../../etc/passwd", "/api/thumb/-1", "//etc/passwd", "/page.html", "/explore.js/../server.py"],
)  # fmt: skip
def test_no_other_file_is_served(client, path):
    answer = client.get(path)
    assert answer.status_code in (404, 405)
    assert b"root:" not in answer.content
    assert b"import" not in answer.content


@pytest.mark.parametrize("q", ["", "   ", "x" * 301])
def test_queries_have_a_length(client, q):
    assert client.get("/api/search", params={"q": q}).status_code == 400


@pytest.mark.parametrize(("k", "n"), [("0", 1), ("3", 3), ("100000", 9), ("-1", 9), ("many", 9), ("٣", 9)])
def test_how_many_are_wanted_is_kept_within_bounds(client, k, n):
    assert len(client.get("/api/similar/0", params={"k": k}).json()["hits"]) == n


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil:8765", "[::1"])
def test_a_foreign_name_is_refused(client, host):
    assert client.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost:1", "LOCALHOST", "127.0.0.1:8765", "[::1]:8765"])
def test_its_own_names_are_not(client, host):
    assert client.get("/api/meta", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "file://"])
def test_pages_of_other_sites_are_refused(client, origin):
    assert client.post("/api/upload", content=made_up_swc(1), headers={"origin": origin}).status_code == 403
    assert client.get("/api/meta", headers={"origin": origin}).status_code == 403


def test_its_own_pages_and_allowed_names_are_let_in(client, folder, worker):
    assert client.get("/api/meta", headers={"origin": "http://localhost:8765"}).status_code == 200
    proxied = Client(create_app(folder, worker, (*LOCAL, "Hub.example.org")), base_url="https://hub.example.org")
    assert proxied.get("/api/meta", headers={"origin": "https://hub.example.org"}).status_code == 200
    assert Guard(None, ["[::1]"]).refusal("[::1]:80", None, None) is None
    assert host_of("[::1]:80") == "::1"


def test_a_taken_port_gives_another_one():
    with listening_socket("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with listening_socket("127.0.0.1", port) as second:
            assert second.getsockname()[1] != port
    with pytest.raises(UserError, match="cannot listen"):
        listening_socket("203.0.113.1", 80)


def test_without_starlette_a_line_says_what_to_install(results, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    assert main([str(results), "--no-browser"]) == 2
    assert "pip install 'axonet[explore]'" in capsys.readouterr().err
