"""The embedding model: SWC files and sentences in one space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from axonet.core.errors import UserError
from axonet.inference.embed import EmbeddingModel, load_model, render_settings
from axonet.inference.encode import encode_images
from axonet.models.checkpoint import Checkpoint, save_checkpoint
from axonet.morphology.swc import read_swc
from axonet.rendering.render import render_neuron

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


def test_a_neuron_is_the_unit_mean_of_its_views(model: EmbeddingModel, cells: list[Path]) -> None:
    views = render_neuron(read_swc(cells[0]), render_settings(model.spec))
    assert len(views) == 3
    vectors = encode_images(
        model.encoder, np.stack([v.mask for v in views]), np.array([v.camera.um_per_px * 32 for v in views])
    )
    mean = vectors.astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(model.embed_swc(cells[:1])[0], mean / np.linalg.norm(mean), atol=1e-6)


def test_embedding_one_neuron_does_not_depend_on_the_others(model: EmbeddingModel, cells: list[Path]) -> None:
    np.testing.assert_array_equal(model.embed_swc(cells)[1], model.embed_swc(cells[1:])[0])


def test_a_cell_ten_times_as_large_is_another_cell(model: EmbeddingModel, cells: list[Path]) -> None:
    small, large = model.embed_swc(cells)
    assert not np.allclose(small, large, atol=1e-3)


def test_nothing_to_embed_is_no_error(model: EmbeddingModel) -> None:
    assert model.embed_swc([]).shape == (0, 16)
    assert model.embed_text([]).shape == (0, 16)


def test_a_single_path_or_sentence_is_one_clear_line(model: EmbeddingModel) -> None:
    with pytest.raises(UserError, match=r"embed_swc\(\['cell.swc'\]\)"):
        model.embed_swc("cell.swc")  # type: ignore[arg-type]
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
