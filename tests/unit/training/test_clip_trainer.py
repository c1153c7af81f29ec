"""The command that trains Stage 2."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from axonet.core.config import parse_command, resume_safe_names, setting_names
from axonet.core.files import read_jsonl, write_json, write_jsonl, write_table
from axonet.inference.embed import load_model
from axonet.inference.vectors import ViewVectors, read_vectors, write_vectors
from axonet.models.checkpoint import load_checkpoint, save_checkpoint
from axonet.training.clip_trainer import ClipConfig, main
from axonet.utils.encode import main as encode
from tests.unit.learning.clip_toy import TYPES, write_toy

# The example of the training guide, word for word.
GUIDE = """
    --stage1-checkpoint checkpoints/stage1/best.ckpt --data-dir data/rendered
    --manifest-train data/rendered/manifest_train.jsonl --manifest-val data/rendered/manifest_val.jsonl
    --metadata data/neuromorpho/metadata.jsonl --source neuromorpho --batch-size 64 --clip-embed-dim 512
    --temperature 0.07 --learnable-temperature --text-encoder distilbert-base-uncased --freeze-encoder
    --max-epochs 50 --lr 1e-4 --save-dir checkpoints/clip --log-dir logs/clip
"""
QUICK = "--text-encoder hash:64 --max-steps 2 --accelerator cpu --num-workers 0 --clip-embed-dim 8 --lr 1e-3"

DEFAULTS = {
    "clip_embed_dim": 512,
    "temperature": 0.07,
    "learnable_temperature": False,
    "text_encoder": "distilbert-base-uncased",
    "freeze_encoder": False,
    "encoder_lr_mult": 0.1,
    "lambda_clip": 1.0,
    "lambda_kld": 0.0,
    "max_epochs": 50,
    "batch_size": 64,
    "lr": 1e-4,
    "loss": "entail",
    "lr_scheduler": "cosine",
    "lr_warmup_steps": 0,
    "gradient_clip_val": 0,
    "gradient_accumulation_steps": 1,
    "early_stopping": False,
    "max_steps": None,
    "resume": None,
}

NEEDED = ["--stage1-checkpoint", "s", "--metadata", "m"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> Path:
    return write_toy(tmp_path_factory.mktemp("toy"))


def flags(toy: Path, out: Path, *more: str) -> list[str]:
    return [
        *("--stage1-checkpoint", f"{toy}/stage1.ckpt"),
        *("--metadata", f"{toy}/metadata.jsonl"),
        *("--source", "table"),
        *("--save-dir", str(out)),
        *("--log-dir", str(out / "logs")),
        *QUICK.split(),
        *more,
    ]


def manifests(toy: Path) -> list[str]:
    return ["--data-dir", str(toy), "--manifest-val", f"{toy}/manifest_val.jsonl"]


def test_the_guides_example_is_understood():
    config = parse_command(ClipConfig, GUIDE.split())
    assert config.learnable_temperature
    assert config.freeze_encoder
    assert config.source == "neuromorpho"
    assert config.manifest_val == Path("data/rendered/manifest_val.jsonl")


def test_defaults_are_those_of_the_guide():
    config = parse_command(ClipConfig, [*NEEDED, "--data-dir", "d"])
    assert {name: getattr(config, name) for name in DEFAULTS} == DEFAULTS


def test_paths_are_no_settings_and_a_model_cannot_change_on_resume():
    settings = setting_names(ClipConfig)
    assert not {"stage1_checkpoint", "metadata", "source", "data_dir", "encode_dir", "save_dir", "resume"} & set(
        settings
    )
    assert {"text_encoder", "loss", "clip_embed_dim", "freeze_encoder"} <= set(settings) - resume_safe_names(ClipConfig)


def test_help_needs_no_torch():
    code = (
        "import sys; from axonet.training.clip_trainer import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'torch', 'lightning', 'sklearn', 'numba', 'sentence_transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--encoder-lr-mult" in done.stdout


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "views are named by"),
        (["--data-dir", "d", "--splits", "s"], "not both"),
        (["--data-dir", "d", "--encode-dir", "e"], "give --freeze-encoder too"),
        (["--data-dir", "d", "--loss", "triplet"], "--loss"),
        (["--data-dir", "d", "--freeze-text"], "--freeze-text"),
        (["--data-dir", "d", "--freeze-encoder", "--lambda-kld", "1"], "lambda_kld"),
    ],
)
def test_a_wrong_call_is_one_line(more, message, capsys):
    assert main([*NEEDED, *more]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_training_from_a_data_directory(toy, tmp_path, capsys):
    metadata = tmp_path / "some.jsonl"
    rows = read_jsonl(toy / "metadata.jsonl")
    write_jsonl(metadata, [row for row in rows if row["id"] not in ("toy:3", "toy:13")])
    assert main(flags(toy, tmp_path / "out", *manifests(toy), "--freeze-encoder", "--metadata", str(metadata))) == 0
    log = capsys.readouterr().err
    assert "1 training and 1 validation neurons" in log
    skipped = read_jsonl(tmp_path / "out" / "skipped.jsonl")
    assert [(row["neuron_id"], row["split"]) for row in skipped] == [("cell_003", "train"), ("cell_013", "val")]
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (record["train_neurons"], record["val_neurons"], record["skipped_neurons"], record["steps"]) == (11, 5, 2, 2)
    model = load_model(tmp_path / "out" / "best.ckpt")
    assert model.embed_text([f"a {name} cell" for name in TYPES]).shape == (3, 8)
    assert model.captions["bins"]


@pytest.mark.parametrize("mode", [["--freeze-encoder"], ["--views-per-neuron", "3"]])
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_damaged_image_is_one_clear_line(toy, tmp_path, capsys, mode, workers):
    data = tmp_path / "data"
    shutil.copytree(toy, data)
    image = data / "images" / "cell_002" / "view_01_mask.png"
    image.write_bytes(b"no image")
    assert main(flags(data, tmp_path / "out", *manifests(data), *mode, "--num-workers", workers)) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1].startswith(f"error: {data}/manifest_train.jsonl, row 8: {image}: ")
    assert not any("Traceback" in line for line in lines)


def test_a_missing_image_is_one_clear_line_before_anything_is_written(toy, tmp_path, capsys):
    shutil.copytree(toy, tmp_path / "data")
    image = tmp_path / "data" / "images" / "cell_013" / "view_00_mask.png"
    image.unlink()
    assert main(flags(tmp_path / "data", tmp_path / "out", *manifests(tmp_path / "data"), "--freeze-encoder")) == 2
    error = capsys.readouterr().err
    assert f"manifest_val.jsonl: {image} does not exist" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_empty_manifest_is_named(toy, tmp_path, capsys):
    (tmp_path / "none.jsonl").write_text("")
    assert main(flags(toy, tmp_path / "out", "--data-dir", str(toy), "--manifest-train", f"{tmp_path}/none.jsonl")) == 2
    assert f"error: {tmp_path}/none.jsonl: names no views" in capsys.readouterr().err


def test_fine_tuning_reads_images(toy, tmp_path):
    assert main(flags(toy, tmp_path, *manifests(toy), "--lambda-kld", "0.1", "--batch-size", "4")) == 0
    assert "train/kld" in (tmp_path / "history.csv").read_text().splitlines()[0]
    assert not (tmp_path / ".cache").exists()


def test_the_same_seed_gives_the_same_model(toy, tmp_path):
    for name in ("one", "two"):
        assert main(flags(toy, tmp_path / name, *manifests(toy), "--freeze-encoder")) == 0
    one, two = (load_checkpoint(tmp_path / name / "best.ckpt") for name in ("one", "two"))
    assert one["fingerprint"] == two["fingerprint"]
    assert (tmp_path / "one" / "history.csv").read_bytes() == (tmp_path / "two" / "history.csv").read_bytes()


def test_vectors_made_beforehand_train_the_same_model(toy, tmp_path, capsys):
    """With vectors of both splits at hand no image is read, and what is learned is the same."""
    for split in ("train", "val"):
        command = ["--checkpoint", f"{toy}/stage1.ckpt", "--data-dir", str(toy), "--accelerator", "cpu"]
        manifest = ["--manifest", f"{toy}/manifest_{split}.jsonl", "--batch-size", "64"]
        assert encode([*command, *manifest, "--out", str(tmp_path / "vectors" / f"{split}.parquet")]) == 0
    assert main(flags(toy, tmp_path / "images", *manifests(toy), "--freeze-encoder")) == 0
    given = ["--encode-dir", str(tmp_path / "vectors")]
    assert main(flags(toy, tmp_path / "given", *manifests(toy), "--freeze-encoder", *given)) == 0
    one, two = (load_checkpoint(tmp_path / name / "best.ckpt") for name in ("images", "given"))
    assert one["fingerprint"] == two["fingerprint"]
    (tmp_path / "vectors" / "val.parquet").unlink()
    capsys.readouterr()
    assert main(flags(toy, tmp_path / "given", *manifests(toy), "--freeze-encoder", *given)) == 2
    assert "no vector of 18 views" in capsys.readouterr().err


def workflow_folder(toy: Path, folder: Path) -> list[str]:
    """What the workflow hands over: shards' vectors and measurements by id, a split file, a catalog."""

    def renamed(name: str) -> str:
        return f"toy:{int(name[-3:])}"

    stage1 = load_checkpoint(toy / "stage1.ckpt")
    vectors = []
    for split in ("train", "val"):
        out = folder / f"{split}.parquet"
        command = ["--checkpoint", f"{toy}/stage1.ckpt", "--data-dir", str(toy), "--accelerator", "cpu"]
        assert encode([*command, "--manifest", f"{toy}/manifest_{split}.jsonl", "--out", str(out)]) == 0
        vectors.append(read_vectors(out))
        assert vectors[-1].checkpoint == stage1["fingerprint"]
    ids = [renamed(name) for part in vectors for name in part.neuron_id]
    merged = ViewVectors(
        ids,
        np.concatenate([part.view for part in vectors]),
        np.concatenate([part.vector for part in vectors]),
        stage1["fingerprint"],
        1,
        vectors[0].spec,
    )
    write_vectors(folder / "encode" / "0-abc.parquet", merged)
    measures = pq.read_table(toy / "measure.parquet").to_pylist()
    rows = [{**row, "neuron_id": renamed(row["neuron_id"])} for row in measures]
    write_table(folder / "measure" / "0-abc.parquet", pa.Table.from_pylist(rows))
    write_json(folder / "index.json", {"format": 1, "shards": [{"shard": "0", "n": 18, "digest": "abc"}]})
    splits = [
        {"neuron_id": f"toy:{n}", "group": f"g{n}", "split": "train" if n < 12 else "val", "reason": ""}
        for n in range(18)
    ]
    write_table(folder / "splits.parquet", pa.Table.from_pylist(splits))
    return [
        *("--splits", f"{folder}/splits.parquet"),
        *("--shards", f"{folder}/index.json"),
        *("--measure-dir", f"{folder}/measure"),
        *("--render-dir", f"{folder}/there-are-no-images"),
        *("--encode-dir", f"{folder}/encode"),
        "--freeze-encoder",
    ]


def test_the_workflow_trains_on_vectors_without_images(toy, tmp_path, capsys):
    ways = workflow_folder(toy, tmp_path)
    assert main(flags(toy, tmp_path / "out", *ways)) == 0
    assert "12 training neurons with 36 views, 6 for validation" in capsys.readouterr().err
    assert load_model(tmp_path / "out" / "best.ckpt").captions["bins"]


def test_vectors_of_another_checkpoint_are_refused(toy, tmp_path, capsys):
    ways = workflow_folder(toy, tmp_path)
    content = load_checkpoint(toy / "stage1.ckpt")
    save_checkpoint(tmp_path / "other.ckpt", content | {"fingerprint": "another"})
    assert main(flags(toy, tmp_path / "out", *ways, "--stage1-checkpoint", f"{tmp_path}/other.ckpt")) == 2
    assert "but --stage1-checkpoint is another" in capsys.readouterr().err


def test_metadata_of_other_neurons_is_one_line(toy, tmp_path, capsys):
    write_jsonl(tmp_path / "m.jsonl", [{"id": "1", "swc": "other.swc", "species": "mouse"}])
    ways = [*manifests(toy), "--freeze-encoder", "--metadata", f"{tmp_path}/m.jsonl"]
    assert main(flags(toy, tmp_path / "out", *ways)) == 2
    error = capsys.readouterr().err
    assert "is this the metadata of these neurons?" in error
    assert error.count("\n") == 1


def test_an_unknown_dialect_is_refused(toy, tmp_path, capsys):
    assert main(flags(toy, tmp_path / "out", *manifests(toy), "--source", "unheard")) == 2
    assert "unknown metadata source 'unheard'" in capsys.readouterr().err
