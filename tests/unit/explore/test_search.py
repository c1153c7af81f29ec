"""``axonet search``: the nearest neurons to words, to a file, to a neuron of the run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from axonet import cli
from axonet.explore.folder import ExploreFolder
from axonet.explore.hits import Hit, hits_text
from axonet.inference.embed import load_model
from axonet.models.checkpoint import load_checkpoint, save_checkpoint

WORDS = "a mouse neuron with a planar dendrite"


@pytest.fixture
def folder(results: Path) -> ExploreFolder:
    return ExploreFolder(results / "explore")


def search(capsys: pytest.CaptureFixture[str], results: Path, *flags: str) -> dict[str, Any]:
    assert cli.main(["search", "--results", str(results), "--json", *flags]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def order(folder: ExploreFolder, query: np.ndarray) -> list[str]:
    cosine = folder.vectors.astype(np.float64) @ query
    return [folder.ids[k] for k in np.argsort(-cosine, kind="stable")]


def test_words_find_the_neurons_with_the_largest_cosine(
    results: Path, folder: ExploreFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    model = load_model(results.parent / folder.origin.checkpoint)
    query = model.embed_text([WORDS])[0]
    found = search(capsys, results, *WORDS.split(), "-k", "4")  # with or without quotes
    assert [hit["neuron_id"] for hit in found["hits"]] == order(folder, query)[:4]
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3, 4]
    assert found["hits"][0]["cosine"] == pytest.approx(float((folder.vectors @ query).max()), abs=1e-5)
    assert (found["query"], found["model"]) == (WORDS, model.fingerprint)
    assert search(capsys, results, WORDS, "-k", "4") == found


def test_a_file_of_the_collection_finds_itself(
    results: Path, folder: ExploreFolder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    row = 3
    name, data = folder.swc(row)
    (tmp_path / name).write_bytes(data)
    found = search(capsys, results, "--swc", str(tmp_path / name), "-k", "2")
    query = load_model(results.parent / folder.origin.checkpoint).embed([tmp_path / name])[0]
    assert [hit["neuron_id"] for hit in found["hits"]] == order(folder, query)[:2]


def test_a_neuron_finds_the_others_but_not_itself(
    results: Path, folder: ExploreFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    own = folder.ids[2]
    everyone = [name for name in order(folder, folder.vectors[2]) if name != own]
    found = search(capsys, results, "--like", own, "-k", "3")
    assert [hit["neuron_id"] for hit in found["hits"]] == everyone[:3]
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
    found = search(capsys, results, "--like", own, "-k", "1000")
    assert sorted(hit["neuron_id"] for hit in found["hits"]) == sorted(everyone)


def test_a_condition_narrows_the_search(
    results: Path, folder: ExploreFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    table = folder.points.select(["neuron_id", "species", "cell_type"]).to_pylist()
    species = next(row["species"] for row in table if row["species"])
    mine = {row["neuron_id"] for row in table if row["species"] == species}
    own = folder.ids[0]
    flags = ["--like", own, "--where", f"species={species.upper()}", "-k", "100"]
    found = [hit["neuron_id"] for hit in search(capsys, results, *flags)["hits"]]
    assert found == [name for name in order(folder, folder.vectors[0]) if name in mine - {own}]
    other = next(name for name in folder.ids if name not in mine) if len(mine) < len(table) else None
    if other is not None:
        found = [hit["neuron_id"] for hit in search(capsys, results, "--like", other, *flags[2:])["hits"]]
        assert set(found) == mine
    for flag, message in (("species=unicorn", f"there are .*{species}"), ("girth=9", "there are cell_type, species")):
        assert cli.main(["search", "--like", own, "--results", str(results), "--where", flag]) == 2
        assert re.search(message, capsys.readouterr().err)


def test_the_page_of_pictures_has_a_tile_for_each_and_for_the_query(
    results: Path, folder: ExploreFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = {}
    for flags in (("--like", folder.ids[0], "-k", "3"), ("--like", folder.ids[0], "-k", "4")):
        out = tmp_path / f"{flags[-1]}.png"
        assert cli.main(["search", "--results", str(results), "--out", str(out), *flags]) == 0
        page = Image.open(out)
        sizes[flags[-1]] = page.size
        colors = {color for _, color in page.convert("RGB").getcolors(1 << 24)}
        assert len(colors) > 50
    assert sizes["4"][0] == sizes["3"][0]  # four tiles in a row, the fifth in the next
    assert sizes["4"][1] > sizes["3"][1] + 200
    assert "neuron" in capsys.readouterr().out


def test_a_table_leaves_out_empty_columns_and_cuts_long_lines() -> None:
    about = {"cell_type": "pyramidal", "species": None, "region": "x" * 90, "layer": None, "split": None, "qc": None}
    text = hits_text([Hit(1, 0, "demo:a", 0.5, about), Hit(2, 5, "demo:b", -0.25, {**about, "species": "rat"})], 60)
    header, first, second = text.splitlines()
    assert header.split() == ["cosine", "neuron", "cell", "type", "species", "region"]
    assert first.split()[:4] == ["1", "0.500", "demo:a", "pyramidal"]
    assert second.split()[:5] == ["2", "-0.250", "demo:b", "pyramidal", "rat"]
    assert {len(line) for line in (first, second)} == {60}
    assert first.endswith("…")
    assert hits_text([]) == "nothing found"


def test_approximate_words_come_from_the_table_and_need_no_torch(results: Path, folder: ExploreFolder) -> None:
    table = folder.word_vectors
    if table is None:
        pytest.fail("the export of the tests has no table of word vectors")
    words = f"{table.words[-1]} zyzzyva {table.words[3]}"
    code = f"""import sys
from axonet.cli import main
code = main(["search", {words!r}, "--approximate", "--json", "--results", {str(results)!r}])
print(code, "torch" in sys.modules, file=sys.stderr)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [hit["neuron_id"] for hit in json.loads(done.stdout)["hits"]] == order(folder, table.embed([words])[0])[:8]
    assert "unknown words, passed over: zyzzyva" in done.stderr
    assert f"finds {table.fidelity:.0%} of the text encoder's best" in done.stderr
    assert done.stderr.splitlines()[-1] == "0 False"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "say what to look for: words, --swc or --like, one of them"),
        (["a neuron", "--like", "x"], "one of them"),
        (["zyzzyva", "--approximate"], "knows none of these words"),
        (["--like", "nobody", "--approximate"], "--approximate is about words"),
        (["--like", "nobody"], "has no such neuron with a vector"),
        (["a neuron", "--out", "sheet.jpg"], "a name that ends in .png"),
        (["--swc", "none.swc"], "none.swc"),
    ],
)
def test_what_cannot_be_searched_is_one_line(
    flags: list[str], message: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["search", "--results", str(results), *flags]) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert "Traceback" not in err
    assert not out


def test_without_an_export_it_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["search", "a neuron", "--results", str(tmp_path)]) == 2
    assert f"axonet export {tmp_path}" in capsys.readouterr().err


def test_another_model_than_that_of_the_vectors_is_refused(
    results: Path, folder: ExploreFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = load_checkpoint(results.parent / folder.origin.checkpoint)
    save_checkpoint(tmp_path / "other.ckpt", {**checkpoint, "fingerprint": "0123456789abcdef"})
    flags = ["search", "a neuron", "--results", str(results), "--model", str(tmp_path / "other.ckpt")]
    assert cli.main(flags) == 2
    assert "is model 0123456789abcdef, but the vectors of" in capsys.readouterr().err


def test_looking_for_a_neuron_of_the_run_loads_no_network(results: Path, folder: ExploreFolder) -> None:
    code = f"""import sys
from axonet.cli import main
assert main(["search", "--like", {folder.ids[0]!r}, "--results", {str(results)!r}]) == 0
print(sorted({{"torch", "sklearn", "numba", "scipy"}} & set(sys.modules)))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
