"""The exported folder: who is in it, what other tools read, what is said when it cannot be made."""

from __future__ import annotations

import csv
import io
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

import axonet
from axonet.core.errors import UserError
from axonet.core.files import read_json, read_table, write_json
from axonet.explore.collection import read_neuron_vectors
from axonet.explore.export import FILES
from axonet.explore.folder import ExploreFolder
from axonet.explore.formats import neighbor_graphs
from axonet.explore.layout import place, scaled
from axonet.explore.pictures import N_VIEWS
from axonet.inference.vectors import read_vectors, write_vectors
from axonet.utils.export import main


def test_every_neuron_is_a_row_with_the_same_number_everywhere(results):
    folder = ExploreFolder(results / "explore")
    table = read_table(results / "explore" / "neurons.parquet")
    assert sorted(folder.ids) == folder.ids == table["neuron_id"].to_pylist()
    assert len(folder) == len(folder.vectors) == len(folder.thumbs) == 10
    assert table.column_names[:5] == ["neuron_id", "name", "x", "y", "caption"]
    kinds = {name.split(":")[1].split("_")[0] for name in folder.ids}
    assert kinds == {"pyramidal", "granule", "basket"}
    for name, word in zip(folder.ids, folder.points["cell_type"].to_pylist(), strict=True):
        assert name.split(":")[1].split("_")[0] in word


def test_vectors_are_those_of_the_python_door(results):
    folder = ExploreFolder(results / "explore")
    model = axonet.load_model(results / "runs/main/stage2/best.ckpt")
    files = [results.parent / "swc" / f"{name.split(':')[1]}.swc" for name in folder.ids[:3]]
    # Views there are seen from other random directions: the random stream is named by the file, not by the catalog.
    cosine = (model.embed_swc(files) * folder.vectors[:3]).sum(axis=1)
    assert (cosine > 0.99).all()
    assert np.allclose(np.linalg.norm(folder.vectors, axis=1), 1, atol=1e-5)


def test_the_table_of_the_page_is_one_batch_in_the_same_order(results):
    reader = pa.ipc.open_file(results / "explore" / "points.arrow")
    assert reader.num_record_batches == 1
    table = reader.read_all()
    assert not {"image", "neighbors"} & set(table.column_names)
    assert pa.types.is_dictionary(table.schema.field("species").type)
    xy = np.stack([table["x"].to_numpy(), table["y"].to_numpy()])
    assert np.abs(xy).max() == pytest.approx(1)


def test_neighbors_of_the_table_are_the_nearest(results):
    folder = ExploreFolder(results / "explore")
    cosine = np.array(folder.vectors) @ np.array(folder.vectors).T
    np.fill_diagonal(cosine, -np.inf)
    for row, near in enumerate(read_table(results / "explore" / "neurons.parquet")["neighbors"].to_pylist()):
        assert near["ids"][0] == int(cosine[row].argmax())
        assert near["distances"] == sorted(near["distances"])


def test_pictures_are_small_transparent_and_show_something(results):
    folder = ExploreFolder(results / "explore")
    for row in range(len(folder)):
        pictures = [folder.thumbs[row], *folder.views(row)]
        assert len(pictures) == 1 + N_VIEWS
        for data in pictures:
            with Image.open(io.BytesIO(data)) as image:
                assert image.format == "WEBP"
                alpha = np.asarray(image.convert("RGBA"))[..., 3]
            assert 0 < (alpha > 128).mean() < 0.9
    image = read_table(results / "explore" / "neurons.parquet")["image"][0].as_py()
    assert image == {"bytes": folder.thumbs[0], "path": None}


def test_views_come_from_the_shards_where_they_were_not_exported(results, tmp_path):
    shutil.copytree(results.parent, tmp_path / "work")
    copy = tmp_path / "work/results/explore"
    own = [ExploreFolder(copy).views(row) for row in range(10)]
    (copy / "views.bin").write_bytes(bytes(12))
    assert [ExploreFolder(copy).views(row) for row in range(10)] == own


def test_prompts_name_the_best_neurons_of_the_text_encoder(results):
    folder = ExploreFolder(results / "explore")
    model = axonet.load_model(results / "runs/main/stage2/best.ckpt")
    texts = [prompt["text"] for prompt in folder.meta["prompts"]]
    assert texts[0] == "a mouse with <b>bold</b> dendrites"
    assert "a mouse pyramidal neuron" in texts
    for prompt in folder.meta["prompts"]:
        cosine = folder.vectors @ model.embed_text([prompt["text"]])[0]
        assert prompt["rows"][0] == int(cosine.argmax())
        assert prompt["cosines"][0] == pytest.approx(float(cosine.max()), abs=1e-3)


def test_the_same_run_gives_the_same_bytes(results, tmp_path):
    assert (
        main([str(results), "--out", str(tmp_path / "again"), "--queries", "a mouse with <b>bold</b> dendrites"]) == 0
    )
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (results / "explore" / name).read_bytes(), name


def test_csv_has_a_row_and_a_vector_per_neuron(results, tmp_path):
    assert main([str(results), "--out", str(tmp_path / "x"), "--format", "csv"]) == 0
    rows = list(csv.DictReader((tmp_path / "x/neurons.csv").read_text().splitlines()))
    vectors = np.loadtxt(tmp_path / "x/vectors.csv", delimiter=",", skiprows=1, usecols=range(1, 17))
    folder = ExploreFolder(results / "explore")
    assert [row["neuron_id"] for row in rows] == folder.ids
    assert {row["species"] for row in rows} == {"mouse"}
    assert np.allclose(vectors, folder.vectors, atol=1e-6)
    assert rows[0]["neighbors"].split()[0] in folder.ids


def test_h5ad_is_read_back_with_its_neighbors(results, tmp_path):
    anndata = pytest.importorskip("anndata", reason="anndata is not installed")
    assert main([str(results), "--out", str(tmp_path / "x"), "--format", "h5ad"]) == 0
    data = anndata.read_h5ad(tmp_path / "x/neurons.h5ad")
    folder = ExploreFolder(results / "explore")
    assert list(data.obs_names) == folder.ids
    assert np.allclose(data.X, folder.vectors)
    assert np.allclose(data.obsm["X_map"], folder.xy)
    assert data.obs["species"].dtype == "category"
    nearest = data.obsp["distances"][0].toarray()[0]
    assert np.isclose(nearest[nearest > 0].min(), 1 - np.sort(folder.vectors[1:] @ folder.vectors[0])[-1], atol=1e-5)
    scanpy = pytest.importorskip("scanpy", reason="scanpy is not installed")
    scanpy.tl.leiden(data, flavor="igraph", n_iterations=2, directed=False)  # takes the neighbors that it finds
    assert "leiden" in data.obs


def test_without_anndata_a_line_says_what_to_install(results, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "anndata", None)
    assert main([str(results), "--out", str(tmp_path / "x"), "--format", "h5ad"]) == 2
    assert "pip install anndata" in capsys.readouterr().err


def test_graphs_hold_distances_and_both_directions():
    rows, cosines = np.array([[1], [0], [1]]), np.array([[0.9], [0.9], [0.5]], np.float32)
    distances, near = neighbor_graphs(rows, cosines)
    assert distances.toarray() == pytest.approx(np.array([[0, 0.1, 0], [0.1, 0, 0], [0, 0.5, 0]]), abs=1e-6)
    assert near.toarray() == pytest.approx(np.array([[0, 0.9, 0], [0.9, 0, 0.5], [0, 0.5, 0]]), abs=1e-6)


def test_a_neuron_is_placed_beside_its_twin():
    vectors = np.eye(30, dtype=np.float32)
    xy = scaled(np.random.default_rng(0).normal(size=(30, 2)) * 7)
    assert np.allclose(place(vectors[4:6], vectors, xy), xy[4:6], atol=1e-4)
    assert (np.abs(xy).max(axis=0) <= 1 + 1e-6).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda work: shutil.rmtree(work / "results/runs"), "no finished run"),
        (lambda work: (work / "results/splits/made/up.parquet").unlink(), "up.parquet: no such file"),
        (lambda work: shutil.rmtree(work / "results/encode"), "no such file"),
    ],
)
def test_what_is_missing_is_one_line_and_leaves_no_folder(results, tmp_path, capsys, change, words):
    shutil.copytree(results.parent, tmp_path / "work")
    shutil.rmtree(tmp_path / "work/results/explore")
    change(tmp_path / "work")
    assert main([str(tmp_path / "work/results")]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert words in errors[0]
    assert not (tmp_path / "work/results/explore").exists()


def test_a_run_of_another_command_and_an_unknown_run_are_refused(results, tmp_path, capsys):
    assert main([str(results), "--run", "other"]) == 2
    assert "choose with --run: main" in capsys.readouterr().err
    shutil.copytree(results / "runs", tmp_path / "results/runs")
    record = tmp_path / "results/runs/main/evaluate/run.json"
    write_json(record, {"settings": {**read_json(record)["settings"], "splits": None}})
    assert main([str(tmp_path / "results")]) == 2
    assert "tells no files of the workflow" in capsys.readouterr().err


def test_an_export_that_is_not_there_or_of_another_version_is_said(results, tmp_path):
    with pytest.raises(UserError, match="axonet export"):
        ExploreFolder(tmp_path / "results" / "explore")
    shutil.copytree(results / "explore", tmp_path / "explore")
    write_json(tmp_path / "explore/meta.json", {**read_json(tmp_path / "explore/meta.json"), "format": 99})
    with pytest.raises(UserError, match="another version"):
        ExploreFolder(tmp_path / "explore")


def test_vectors_of_two_models_are_refused_and_broken_ones_left_out(results, tmp_path):
    one, other = sorted((results / "encode/main.stage2").glob("*.parquet"))
    vectors = read_vectors(one)
    write_vectors(tmp_path / "foreign.parquet", replace(vectors, checkpoint="another"))
    with pytest.raises(UserError, match="encode both with one model"):
        read_neuron_vectors([other, tmp_path / "foreign.parquet"])
    names, whole, _ = read_neuron_vectors([one])
    broken = np.array(vectors.vector)
    broken[np.array(vectors.neuron_id) == names[0]] = np.nan
    write_vectors(tmp_path / "broken.parquet", replace(vectors, vector=broken))
    left, kept, _ = read_neuron_vectors([tmp_path / "broken.parquet"])
    assert left == names[1:]
    assert (kept == whole[1:]).all()
