"""The embedding model: SWC files and sentences in one space."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.datasets.render_jobs import render_entry
from axonet.inference.embed import EmbeddingModel, batch_of_views, load_model, render_settings
from axonet.inference.encode import build_view_encoder, encode_batches
from axonet.inference.view_batch import ViewBatch
from axonet.models.checkpoint import Checkpoint, save_checkpoint
from axonet.morphology.swc import read_swc
from axonet.rendering.render import render_neuron
from axonet.sources.catalog import CatalogEntry

# A soma with an axon to the right and a forked dendrite upwards.
CELL = """1 1 0 0 0 5 -1
2 2 40 0 0 1 1
3 2 120 8 3 1 2
4 3 0 30 2 1 1
5 3 20 70 5 1 4
6 3 -25 60 -9 1 4
"""
BIG = "\n".join(
    " ".join([a, b, *(str(10 * float(v)) for v in xyz), r, p]) for a, b, *xyz, r, p in map(str.split, CELL.splitlines())
)


@pytest.fixture
def model(stage2: Checkpoint, tmp_path: Path) -> EmbeddingModel:
    save_checkpoint(tmp_path / "best.ckpt", stage2)
    return load_model(tmp_path / "best.ckpt")


@pytest.fixture
def cells(tmp_path: Path) -> list[Path]:
    for name, text in (("cell", CELL), ("big", BIG)):
        (tmp_path / f"{name}.swc").write_text(text)
    return [tmp_path / "cell.swc", tmp_path / "big.swc"]


def test_neurons_and_sentences_are_unit_vectors_of_one_length(model: EmbeddingModel, cells: list[Path]) -> None:
    for vectors in (model.embed_swc(cells), model.embed_text(["a mouse neuron", "a rat neuron"])):
        assert vectors.shape == (2, model.dim)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)


def test_a_neuron_is_the_unit_mean_of_its_views(
    model: EmbeddingModel, cells: list[Path], make_batch: Callable[..., ViewBatch]
) -> None:
    views = render_neuron(read_swc(cells[0]), render_settings(model.spec))
    assert len(views) == 3
    fov_um = [view.camera.um_per_px * 32 for view in views]
    vectors = encode_batches(model.encoder, [make_batch(np.stack([view.mask for view in views]), fov_um)])
    mean = vectors.astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(model.embed_swc(cells[:1])[0], mean / np.linalg.norm(mean), atol=1e-6)


def test_embedding_one_neuron_does_not_depend_on_the_others(model: EmbeddingModel, cells: list[Path]) -> None:
    np.testing.assert_array_equal(model.embed_swc(cells)[1], model.embed_swc(cells[1:])[0])


def test_a_cell_ten_times_as_large_is_another_cell(model: EmbeddingModel, cells: list[Path]) -> None:
    small, large = model.embed_swc(cells)
    assert not np.allclose(small, large, atol=1e-3)


def test_neurons_and_files_are_embedded_alike(model: EmbeddingModel, cells: list[Path]) -> None:
    np.testing.assert_array_equal(model.embed([read_swc(cells[0]), str(cells[1])]), model.embed_swc(cells))


def test_a_model_in_the_package_has_its_name(
    stage2: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axonet.inference.shipped.FOLDER", tmp_path / "shipped")
    save_checkpoint(tmp_path / "shipped" / "tiny.ckpt", stage2)
    monkeypatch.chdir(tmp_path)
    assert load_model("tiny").fingerprint == stage2["fingerprint"]
    with pytest.raises(UserError, match="model 'small': no such file, and there are tiny; give the path"):
        load_model("small")


def test_nothing_to_embed_is_no_error(model: EmbeddingModel) -> None:
    assert model.embed_swc([]).shape == (0, 16)
    assert model.embed_text([]).shape == (0, 16)


def test_a_single_path_or_sentence_is_one_clear_line(model: EmbeddingModel, cells: list[Path]) -> None:
    with pytest.raises(UserError, match=r"embed_swc\(\['cell.swc'\]\)"):
        model.embed_swc("cell.swc")  # type: ignore[arg-type]
    for one in ("cell.swc", cells[0], read_swc(cells[0])):
        with pytest.raises(UserError, match=r"embed takes a list of neurons or of SWC files, not one alone: .*cell"):
            model.embed(one)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="list of sentences"):
        model.embed_text("a mouse neuron")  # type: ignore[arg-type]


def test_another_text_encoder_than_the_trained_one_is_refused(stage2: Checkpoint) -> None:
    model = EmbeddingModel(stage2, text_encoder="hash:128")
    with pytest.raises(UserError, match="'hash:128' has digest"):
        model.embed_text(["a neuron"])


def test_no_model_is_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no shipped model is part of this version"):
        load_model("small")


def test_a_stage_1_checkpoint_is_not_enough(stage1: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "stage1.ckpt", stage1)
    with pytest.raises(UserError, match="Stage 2"):
        load_model(tmp_path / "stage1.ckpt")


def test_a_model_that_looks_at_the_window_around_the_soma_has_it_drawn(
    zoom_stage1: Checkpoint, cells: list[Path]
) -> None:
    spec = InputSpec.model_validate(zoom_stage1["input_spec"])
    views = render_neuron(read_swc(cells[0]), render_settings(spec))
    batch = batch_of_views(views)
    assert batch.zoom is not None
    np.testing.assert_array_equal(batch.zoom, np.stack([view.zoom_bw for view in views]))
    encoder = build_view_encoder(zoom_stage1)
    blank = batch._replace(zoom=torch.zeros_like(batch.zoom))
    with_window, without = (encode_batches(encoder, [one]) for one in (batch, blank))
    assert not np.allclose(with_window, without)
    others = render_settings(spec.model_copy(update={"zoom": False}))
    assert others.zoom_um is None  # nobody looks at it, so it is not drawn


def test_views_in_memory_are_what_would_be_read_again(stage1: Checkpoint, cells: list[Path]) -> None:
    settings = render_settings(InputSpec.model_validate(stage1["input_spec"]))
    views = render_neuron(read_swc(cells[0]), settings)
    entry = CatalogEntry("cell", "cell", "cell.swc", str(cells[0]))
    stored = render_entry(entry, settings).views
    batch = batch_of_views(views, settings.depth_bits)
    for i, view in enumerate(stored):
        np.testing.assert_array_equal(batch.depth[i], view.depth)
        np.testing.assert_allclose(batch.far_um[i], view.row["far_um"], rtol=1e-6)
        np.testing.assert_allclose(batch.fov_um[i], view.row["um_per_px"] * 32, rtol=1e-6)
