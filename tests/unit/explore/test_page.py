"""The page as one file: what is in it, what it may ask for, what is left out when it may not be large."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil

import numpy as np
import pyarrow as pa
import pytest

from axonet.core.errors import UserError
from axonet.core.files import read_json, write_json
from axonet.explore import page as page_module
from axonet.explore.blobs import pack_blobs
from axonet.explore.folder import ExploreFolder
from axonet.explore.page import int8_rows, write_page
from axonet.explore.skeleton import decode
from axonet.explore.table import ipc_bytes
from axonet.utils.explore import main
from axonet.utils.export import main as export


def pieces(text: str) -> dict[str, bytes]:
    found = re.findall(r'<script type="application/x-data" id="data-(\w+)">(.*?)</script>', text, re.DOTALL)
    return {name: gzip.decompress(base64.b64decode(value)) for name, value in found}


@pytest.fixture(scope="module")
def text(results, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("page") / "explorer.html"
    assert main([str(results), "--static", str(path)]) == 0
    return path.read_text()


def blob(data: bytes, index: int) -> bytes:
    n = int(np.frombuffer(data, "<u4", 1)[0])
    offsets = np.frombuffer(data, "<u8", n + 1, 4)
    return data[4 + 8 * (n + 1) :][int(offsets[index]) : int(offsets[index + 1])]


def test_everything_of_a_small_collection_is_inside(text, results):
    folder, data = ExploreFolder(results / "explore"), pieces(text)
    assert data["points"] == (results / "explore/points.arrow").read_bytes()
    assert blob(data["thumbs"], 2) == folder.thumbs[2]
    assert [blob(data["views"], 3 * 2 + k) for k in range(3)] == folder.views(2)
    assert (decode(blob(data["skeletons"], 2)).parent < 0).sum() == 1
    meta = json.loads(data["meta"])
    assert meta["not_in_page"] == []
    assert meta["prompts"] == folder.meta["prompts"]
    assert set(data) == {"points", "vectors", "thumbs", "words", "skeletons", "views", "meta"}


def test_no_path_of_this_machine_is_inside(text, results):
    for name, data in pieces(text).items():
        assert str(results).encode() not in data, name
    assert "origin" not in json.loads(pieces(text)["meta"])


def test_the_policy_allows_nothing_from_outside_and_names_what_it_runs(text):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'; connect-src 'none'" in policy
    own = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    for content in (*own, *style):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'" in policy
    assert (len(own), len(style)) == (1, 1)
    assert "http://" not in text
    assert "https://" not in text
    assert not re.search(r"""(src|href)=["'](?!data:,)""", text)


def test_names_with_markup_stay_text(text):
    assert "<b>bold" not in text
    assert "<b>bold" in json.loads(pieces(text)["meta"])["prompts"][0]["text"]


def test_int8_vectors_keep_the_cosines():
    vectors = np.random.default_rng(0).normal(size=(50, 64))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    codes = np.frombuffer(int8_rows(vectors), np.int8).reshape(50, 64).astype(float)
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    assert np.abs(codes @ codes.T - vectors @ vectors.T).max() < 0.01


def many(results, tmp_path, n: int) -> ExploreFolder:
    """The same folder with its neurons repeated."""
    copy = tmp_path / "results" / "explore"
    shutil.copytree(results / "explore", copy)
    folder = ExploreFolder(results / "explore")
    rows = np.arange(n) % len(folder)
    table = folder.points.take(rows)
    number = table.column_names.index("neuron_id")
    ids = [f"{name}/{k}" for k, name in enumerate(table["neuron_id"].to_pylist())]
    noise = np.random.default_rng(0)  # what repeats would take no room
    jitter = noise.uniform(-1, 1, (n, 2)).astype(np.float32)
    table = table.set_column(number, "neuron_id", pa.array(ids))
    for axis, name in enumerate(("x", "y")):
        table = table.set_column(table.column_names.index(name), name, pa.array(jitter[:, axis]))
    (copy / "points.arrow").write_bytes(ipc_bytes(table))
    np.save(copy / "vectors.npy", folder.vectors[rows])
    (copy / "thumbs.bin").write_bytes(pack_blobs([noise.bytes(600) for _ in rows]))
    (copy / "views.bin").write_bytes(pack_blobs([noise.bytes(2000) for _ in range(3 * n)]))
    write_json(copy / "meta.json", {**read_json(copy / "meta.json"), "n": n})
    return ExploreFolder(copy)


def test_what_does_not_fit_is_left_out_layer_by_layer_and_named(results, tmp_path, capsys):
    folder = many(results, tmp_path, 400)
    write_page(folder, tmp_path / "large.html", 25)
    write_page(folder, tmp_path / "small.html", 1.0)
    large, small = (pieces((tmp_path / name).read_text()) for name in ("large.html", "small.html"))
    # Their SWC files are none of the repeated ids: no skeleton, and the page is made all the same.
    assert {"points", "vectors", "thumbs", "views"} <= set(large)
    assert {"points", "vectors"} <= set(small)
    assert "views" not in small
    assert "views" in json.loads(small["meta"])["not_in_page"]
    assert "not in it:" in capsys.readouterr().err
    assert (tmp_path / "small.html").stat().st_size <= 1_000_000


def test_of_too_many_neurons_some_are_drawn_and_the_rest_is_said(results, tmp_path):
    folder = many(results, tmp_path, 30_000)
    write_page(folder, tmp_path / "page.html", 0.9)
    assert (tmp_path / "page.html").stat().st_size <= 900_000
    data = pieces((tmp_path / "page.html").read_text())
    table = pa.ipc.open_file(data["points"]).read_all()
    meta = json.loads(data["meta"])
    assert 500 < len(table) == meta["n"] < 30_000
    assert any("of 30,000 neurons" in line for line in meta["not_in_page"])
    for prompt in meta["prompts"]:
        for row in prompt["rows"]:
            assert int(table["neuron_id"][row].as_py().rpartition("/")[2]) in range(10)


def test_above_a_number_of_neurons_their_neighbors_are_written_instead_of_vectors(results, tmp_path, monkeypatch):
    monkeypatch.setattr(page_module, "MOST_VECTORS", 5)
    folder = ExploreFolder(results / "explore")
    write_page(folder, tmp_path / "page.html", 25)
    data = pieces((tmp_path / "page.html").read_text())
    assert "vectors" not in data
    k = int(np.frombuffer(data["neighbors"], "<u4", 1)[0])
    rows = np.frombuffer(data["neighbors"], "<i4", 10 * k, 4).reshape(10, k)
    cosines = np.frombuffer(data["neighbors"], "<f4", 10 * k, 4 + 40 * k).reshape(10, k)
    own = np.array(folder.vectors) @ np.array(folder.vectors).T
    np.fill_diagonal(own, -np.inf)
    assert (rows[:, 0] == own.argmax(axis=1)).all()
    assert cosines == pytest.approx(np.take_along_axis(own, rows, axis=1), abs=1e-5)


def test_a_size_below_the_program_s_is_refused(results, tmp_path, monkeypatch):
    monkeypatch.setattr(page_module, "packed", lambda _: "x" * 900_000)
    with pytest.raises(UserError, match="the program alone takes"):
        write_page(ExploreFolder(results / "explore"), tmp_path / "page.html", 0.8)


def test_results_that_changed_are_exported_again_and_others_are_not(results, tmp_path, capsys):
    shutil.copytree(results.parent, tmp_path / "work")
    own = tmp_path / "work/results"
    page = ["--static", str(tmp_path / "page.html")]
    assert main([str(own), *page]) == 0
    assert "made now" not in capsys.readouterr().err
    vectors = next((own / "encode/main.stage2").glob("*.parquet"))
    vectors.touch()
    assert main([str(own), *page]) == 0
    assert "made now" in capsys.readouterr().err
    shutil.rmtree(own / "explore")
    assert main([str(own), *page]) == 0
    assert "made now" in capsys.readouterr().err


def test_an_exported_folder_is_taken_as_it_is(results, tmp_path):
    assert export([str(results), "--out", str(tmp_path / "work/results/mine")]) == 0
    assert main([str(tmp_path / "work/results/mine"), "--static", str(tmp_path / "page.html")]) == 0
    assert "views" in pieces((tmp_path / "page.html").read_text())


def test_the_built_page_is_that_of_its_sources():
    from tests.contracts.test_house import REPOSITORY

    static = REPOSITORY / "src/axonet/explore/static"
    for name in ("page.html", "explore.css"):
        assert (static / name).read_text() == (REPOSITORY / "web/src" / name).read_text(), (
            "run: cd web && npm run build"
        )
    licences = (static / "THIRD_PARTY_LICENSES.txt").read_text()
    packages = json.loads((REPOSITORY / "web/package.json").read_text())["dependencies"]
    for name, version in packages.items():
        assert f"\n{name} {version} (" in licences
