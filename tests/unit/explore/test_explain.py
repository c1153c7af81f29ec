"""``axonet explain``: parts and views of a match, against pictures drawn and pooled by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from axonet import cli
from axonet.core.input_spec import InputSpec, MorphometricInput
from axonet.explore.explain import explain, explanation_text
from axonet.explore.folder import ExploreFolder
from axonet.inference.embed import EmbeddingModel, render_settings
from axonet.models.checkpoint import Checkpoint, make_checkpoint, save_checkpoint
from axonet.models.clip import ClipModel
from axonet.morphology.compartments import Compartment
from axonet.morphology.neuron import Neuron
from axonet.morphology.swc import read_swc
from axonet.rendering.render import iterate_views, render_neuron
from axonet.rendering.settings import RenderSettings
from tests.unit.inference.conftest import stage1, stage2  # noqa: F401 - fixtures

# Dendrites below in the file, an axon that crosses in front of them.
CELL = """1 1 0 0 0 6 -1
2 3 60 5 0 2 1
3 3 150 30 4 1 2
4 3 120 -60 0 1 2
5 2 -70 0 30 1 1
6 2 90 40 60 1 5
7 4 0 200 0 2 1
"""


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    (tmp_path / "cell.swc").write_text(CELL)
    return tmp_path / "cell.swc"


@pytest.fixture
def model(stage2: Checkpoint) -> EmbeddingModel:  # noqa: F811
    return EmbeddingModel(stage2)


def pooled(vectors: np.ndarray) -> np.ndarray:
    mean = vectors.astype(np.float64).mean(axis=0)
    return mean / np.linalg.norm(mean)


@pytest.mark.parametrize("hidden", [Compartment.AXON, Compartment.BASAL, Compartment.APICAL, Compartment.SOMA])
def test_a_hidden_compartment_is_gone_and_everything_else_is_where_it_was(cell: Path, hidden: Compartment) -> None:
    neuron = read_swc(cell)
    settings = RenderSettings(width=64, height=64, canonical_views=6, biased_views=0, random_views=0, zoom_um=80.0)
    uncovered = 0
    for whole, part in zip(
        render_neuron(neuron, settings), iterate_views(neuron, settings, hidden=hidden), strict=True
    ):
        assert not (part.mask == hidden).any()
        np.testing.assert_array_equal(whole.camera.basis, part.camera.basis)
        assert (whole.camera.um_per_px, whole.near_um, whole.far_um) == (
            part.camera.um_per_px,
            part.near_um,
            part.far_um,
        )
        others = (whole.mask > 0) & (whole.mask != hidden)
        assert (part.mask[others] > 0).all()
        uncovered += int((part.mask[whole.mask == hidden] > 0).sum())
        assert part.has_zoom
    assert uncovered or hidden in (Compartment.APICAL, Compartment.BASAL)  # what lay behind is seen


def test_the_figures_are_those_of_pictures_pooled_by_hand(model: EmbeddingModel, cell: Path) -> None:
    neuron = read_swc(cell)
    target = model.embed_text(["a mouse neuron"])[0]
    found = explain(model, neuron, target)
    assert found.cosine == pytest.approx(float(model.embed([neuron])[0] @ target), abs=1e-6)
    settings = render_settings(model.spec)
    assert {part.part for part in found.parts} == {"soma", "axon", "basal dendrite", "apical dendrite"}
    for part in found.parts:
        hidden = Compartment(["", "soma", "axon", "basal dendrite", "apical dendrite"].index(part.part))
        views = list(iterate_views(neuron, settings, hidden=hidden))
        assert part.cosine == pytest.approx(float(pooled(model.embed_drawn(views)) @ target), abs=1e-6)
        assert part.drop == pytest.approx(found.cosine - part.cosine, abs=1e-9)
    assert sum(part.pixel_share or 0.0 for part in found.parts) == pytest.approx(1.0)
    assert [part.drop for part in found.parts] == sorted((part.drop for part in found.parts), reverse=True)
    vectors = model.embed_drawn(render_neuron(neuron, settings))
    assert sorted(view.view for view in found.views) == [0, 1, 2]
    for view in found.views:
        assert view.cosine == pytest.approx(float(vectors[view.view] @ target), abs=1e-6)
        rest = pooled(np.delete(vectors, view.view, axis=0))
        assert view.drop == pytest.approx(found.cosine - float(rest @ target), abs=1e-6)
    assert [view.cosine for view in found.views] == sorted((view.cosine for view in found.views), reverse=True)


def test_a_neuron_matched_with_itself_loses_by_every_part_it_shows(model: EmbeddingModel, cell: Path) -> None:
    neuron = read_swc(cell)
    found = explain(model, neuron, model.embed([neuron])[0])
    assert found.cosine == pytest.approx(1.0, abs=1e-6)
    assert all(part.drop >= -1e-6 for part in found.parts)
    assert max(part.drop for part in found.parts) > 1e-5


def test_a_neuron_of_one_part_is_blank_without_it(model: EmbeddingModel) -> None:
    neuron = Neuron.from_arrays([[0, 0, 0], [50, 3, 0], [90, 30, 8]], [-1, 0, 1], 2, [2.0, 1, 1], name="axon")
    found = explain(model, neuron, model.embed_text(["an axon"])[0])
    (part,) = found.parts
    assert (part.part, part.pixel_share) == ("axon", 1.0)
    assert not any(view.mask.any() for view in found.without["axon"])
    assert np.isfinite(part.cosine)


def test_morphometrics_are_a_part_of_a_model_that_takes_them(stage2: Checkpoint, cell: Path) -> None:  # noqa: F811
    inputs = (MorphometricInput(name="cable_length", log=True, mean=5.0, deviation=1.0),)
    spec = InputSpec.model_validate(stage2["input_spec"]).model_copy(update={"morphometrics": inputs})
    clip = ClipModel(image_dim=9, text_dim=64, embed_dim=16, hidden=8, n_morphometrics=1)
    parts = {name: stage2[name] for name in ("captions", "text_encoder", "stage1")}
    model = EmbeddingModel(make_checkpoint(2, clip.architecture, clip.state_dict(), {}, spec, **parts))
    target = model.embed_text(["a mouse neuron"])[0]
    found = {part.part: part for part in explain(model, read_swc(cell), target).parts}
    alone = float(model.embed([cell], image_only=True)[0] @ target)
    assert found["morphometrics"].cosine == pytest.approx(alone, abs=1e-6)
    assert found["morphometrics"].pixel_share is None


def test_the_table_has_a_row_for_each_part_and_view(model: EmbeddingModel, cell: Path) -> None:
    found = explain(model, read_swc(cell), model.embed_text(["a neuron"])[0])
    text = explanation_text(replace(found, cosine=0.12345))
    assert text.startswith("cosine of the match: 0.123\n")
    assert all(f"\n{part.part} " in text for part in found.parts)
    assert len(text.splitlines()) == 3 + len(found.parts) + 2 + len(found.views)


def test_the_command_prints_json_and_draws_a_page(
    stage2: Checkpoint,  # noqa: F811
    cell: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save_checkpoint(tmp_path / "best.ckpt", stage2)
    out = tmp_path / "why.png"
    flags = ["--model", str(tmp_path / "best.ckpt"), "--json", "--out", str(out)]
    assert cli.main(["explain", str(cell), "a", "mouse", "neuron", *flags]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["target"], found["model"]) == ("a mouse neuron", stage2["fingerprint"])
    assert len(found["parts"]) == 4
    assert len(found["views"]) == 3
    page = np.asarray(Image.open(out).convert("RGB"))
    assert len(np.unique(page.reshape(-1, 3), axis=0)) > 50
    assert cli.main(["explain", str(cell), "--match", str(cell), *flags]) == 0
    assert json.loads(capsys.readouterr().out)["cosine"] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("flags", [[], ["a neuron", "--match", "x.swc"]])
def test_what_to_match_with_is_asked_for(flags: list[str], cell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", str(cell), *flags]) == 2
    assert "words, or --match FILE, one of them" in capsys.readouterr().err


def test_a_neuron_of_the_run_is_named_by_its_id(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ExploreFolder(results / "explore")
    where = ["--results", str(results), "--json"]
    assert cli.main(["explain", folder.ids[1], "--match", folder.ids[4], *where]) == 0
    cosine = float(folder.vectors[1] @ folder.vectors[4])
    assert json.loads(capsys.readouterr().out)["cosine"] == pytest.approx(cosine, abs=1e-4)
    assert cli.main(["explain", "nobody", "a neuron", *where]) == 2
    assert "nobody: neither a file nor the id of a neuron of" in capsys.readouterr().err
