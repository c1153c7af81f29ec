"""What the Stage 2 command takes beside pictures, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from axonet.core.files import read_jsonl, read_table, write_jsonl
from axonet.inference.embed import load_model
from axonet.models.checkpoint import load_checkpoint, save_checkpoint
from axonet.training.clip_trainer import main
from axonet.utils.encode import main as encode
from tests.fakes.neurons import made_up_swc
from tests.unit.learning.clip_toy import write_toy

from .test_clip_trainer import flags, manifests


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> Path:
    return write_toy(tmp_path_factory.mktemp("toy"))


@pytest.fixture
def unmeasured(tmp_path) -> Path:
    """A data directory without measurements, and the SWC files that its manifests name."""
    folder = write_toy(tmp_path / "data")
    (folder / "measure.parquet").unlink()
    for number in range(18):
        path = tmp_path / "reconstructions" / f"cell_{number:03d}.swc"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(made_up_swc(number))
    return folder


def test_measurements_are_made_from_the_swc_files_that_the_manifest_names(unmeasured, tmp_path):
    given = ["--morphometrics", "--swc-dir", str(tmp_path / "reconstructions")]
    out = tmp_path / "out"
    assert main(flags(unmeasured, out, *manifests(unmeasured), "--freeze-encoder", *given)) == 0
    model = load_model(out / "best.ckpt")
    assert len(model.spec.morphometrics) == 20
    swc = tmp_path / "reconstructions" / "cell_000.swc"
    assert abs(model.embed_swc([swc]) - model.embed_swc([swc], image_only=True)).max() > 1e-4


def test_what_was_measured_once_is_kept_beside_the_views(unmeasured, tmp_path):
    (tmp_path / "reconstructions").rename(tmp_path / "swc")  # beside the data directory: found without a flag
    assert main(flags(unmeasured, tmp_path / "out", *manifests(unmeasured), "--freeze-encoder")) == 0
    assert set(read_table(unmeasured / "measure.parquet")["status"].to_pylist()) == {"ok"}


def test_rows_of_the_metadata_without_a_neuron_are_listed(tmp_path, capsys):
    """Rows of neurons of another split are none of them."""
    toy, out = write_toy(tmp_path / "data"), tmp_path / "out"
    (toy / "manifest_val.jsonl").rename(toy / "manifest_test.jsonl")
    (toy / "manifest_val.parquet").rename(toy / "manifest_test.parquet")
    stray = {"id": "z", "swc": "nobody.swc", "species": "mouse"}
    write_jsonl(toy / "metadata.jsonl", [*read_jsonl(toy / "metadata.jsonl"), stray])
    assert main(flags(toy, out, "--data-dir", str(toy), "--freeze-encoder")) == 0
    assert "1 of 19 rows match no SWC file (nobody.swc" in capsys.readouterr().err
    assert list(read_jsonl(out / "unmatched.jsonl")) == [{"id": "z", "swc": "nobody.swc", "reason": "no_swc_file"}]


def test_levels_of_captions_can_be_left_out(toy, tmp_path, capsys):
    some = ["--caption-levels", '["broad", "standard"]']
    assert main(flags(toy, tmp_path / "out", *manifests(toy), "--freeze-encoder", *some)) == 0
    assert main(flags(toy, tmp_path / "none", *manifests(toy), "--caption-levels", "[]")) == 2
    assert "caption-levels" in capsys.readouterr().err.strip().splitlines()[-1]


def test_without_measurements_and_files_one_line_says_what_to_do(unmeasured, tmp_path, capsys):
    ways = [*manifests(unmeasured), "--freeze-encoder", "--morphometrics"]
    assert main(flags(unmeasured, tmp_path / "out", *ways)) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "no training neuron was measured" in error
    assert "--swc-dir" in error


def test_encoding_writes_joined_vectors_where_measurements_are(toy, tmp_path, capsys):
    names = ["--morphometrics", "--morphometric-names", '["cable_length"]']
    assert main(flags(toy, tmp_path / "out", *manifests(toy), "--freeze-encoder", *names)) == 0
    command = ["--checkpoint", f"{tmp_path}/out/best.ckpt", "--data-dir", str(toy), "--accelerator", "cpu"]
    command += ["--manifest", f"{toy}/manifest_val.jsonl", "--out", str(tmp_path / "v.parquet")]
    assert encode(command) == 0
    assert "joined" in read_table(tmp_path / "v.parquet").column_names


def test_a_checkpoint_of_other_mask_classes_is_refused(toy, tmp_path, capsys):
    content = load_checkpoint(toy / "stage1.ckpt")
    save_checkpoint(tmp_path / "other.ckpt", content | {"class_names": ["background", "neuron"]})
    ways = [*manifests(toy), "--freeze-encoder", "--stage1-checkpoint", f"{tmp_path}/other.ckpt"]
    assert main(flags(toy, tmp_path / "out", *ways)) == 2
    error = capsys.readouterr().err
    assert "trained with other mask classes (background, neuron)" in error
    assert error.count("\n") == 1


def test_a_batch_larger_than_its_different_captions_is_explained(toy, tmp_path, capsys):
    assert main(flags(toy, tmp_path / "out", *manifests(toy), "--freeze-encoder", "--loss", "infonce")) == 0
    log = capsys.readouterr().err
    assert "different captions in an epoch for batches of 64: infonce counts an equal caption" in log


def test_a_trained_text_encoder_is_carried_and_needs_nothing_else(toy, tmp_path, monkeypatch):
    more = ["--text-encoder", "minilm", "--train-text-encoder", "--text-lr-mult", "1.0"]
    assert main(flags(toy, tmp_path / "out", *manifests(toy), "--freeze-encoder", *more)) == 0
    stored = load_checkpoint(tmp_path / "out" / "best.ckpt")["text_encoder"]
    assert stored["files"]
    monkeypatch.setattr("axonet.models.text.MINILM_PACKAGE", "not_installed")
    assert load_model(tmp_path / "out" / "best.ckpt").embed_text(["a mouse neuron"]).shape == (1, 8)


def test_words_without_weights_cannot_be_trained(toy, tmp_path, capsys):
    assert main(flags(toy, tmp_path / "out", *manifests(toy), "--freeze-encoder", "--train-text-encoder")) == 2
    assert "'hash:64' has no weights to train" in capsys.readouterr().err
