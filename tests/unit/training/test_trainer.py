import json
import subprocess
import sys
from pathlib import Path

import pytest

from axonet.core.config import parse_command, resume_safe_names, setting_names
from axonet.models.checkpoint import load_checkpoint
from axonet.training.trainer import Stage1Config, main

from ..learning.synthetic import write_dataset

# The example of the training guide, word for word.
GUIDE_TEXT = """
    --data-dir data/rendered --manifest-train data/rendered/manifest_train.jsonl
    --manifest-val data/rendered/manifest_val.jsonl --batch-size 8 --lr 1e-4 --max-epochs 100 --kld-weight 0.1
    --skip-mode variational --base-channels 64 --latent-channels 128 --num-classes 6 --lambda-seg 1.0
    --lambda-depth 1.0 --save-dir checkpoints/stage1 --log-dir logs/stage1 --early-stopping
"""
GUIDE = GUIDE_TEXT.split()

DEFAULTS = {
    "base_channels": 64,
    "latent_channels": 128,
    "num_classes": 6,
    "skip_mode": "variational",
    "kld_weight": 0.1,
    "free_nats": 0.0,
    "beta": 1.0,
    "lambda_seg": 1.0,
    "lambda_depth": 1.0,
    "max_epochs": 100,
    "max_steps": None,
    "lr": 1e-4,
    "lr_scheduler": "cosine",
    "lr_warmup_steps": 0,
    "gradient_clip_val": 0,
    "early_stopping": False,
    "resume": None,
}


def parse(*arguments: str) -> Stage1Config:
    return parse_command(Stage1Config, arguments)


def test_the_guide_s_command_is_understood():
    config = parse(*GUIDE)
    assert config.early_stopping
    assert config.manifest_val == Path("data/rendered/manifest_val.jsonl")


def test_the_guide_s_defaults_hold():
    config = parse("--data-dir", "x")
    assert {name: getattr(config, name) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    "advice",
    [
        ["--batch-size", "4"],
        ["--width", "256", "--height", "256"],
        ["--gradient-accumulation-steps", "4"],
        ["--free-nats", "0.1"],
        ["--kld-weight", "0.01"],
        ["--beta", "0.0"],
        ["--max-steps", "10"],
        ["--resume", "last.ckpt"],
        ["--skip-mode", "deterministic"],
        ["--lr-scheduler", "step", "--lr-warmup-steps", "5"],
    ],
)
def test_the_guide_s_advice_is_accepted(advice):
    parse("--data-dir", "x", *advice)


def test_what_the_guide_advises_to_change_by_hand_may_change_on_resume():
    by_hand = {"beta", "kld_weight", "free_nats", "lr", "batch_size", "gradient_accumulation_steps", "max_epochs"}
    safe = resume_safe_names(Stage1Config)
    assert by_hand <= safe
    assert not {"base_channels", "latent_channels", "levels", "skip_mode", "num_classes", "width", "seed"} & safe


def test_paths_are_no_settings():
    paths = {"data_dir", "manifest_train", "manifest_val", "splits", "shards", "render_dir", "save_dir", "log_dir"}
    assert set(setting_names(Stage1Config, io=True)) == paths | {"measure_dir", "resume"}


def error_line(capsys, *arguments: str) -> str:
    assert main(arguments) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def test_another_number_of_classes_is_one_clear_line(capsys):
    assert "--num-classes" in (line := error_line(capsys, "--data-dir", "x", "--num-classes", "4"))
    assert "only 6 is possible" in line


def test_views_are_named_one_way(capsys):
    assert "--data-dir" in error_line(capsys)
    assert "--splits" in error_line(capsys, "--splits", "a", "--shards", "b")
    assert "not both" in error_line(capsys, "--data-dir", "x", "--splits", "a", "--shards", "b", "--render-dir", "c")


def test_a_missing_manifest_is_one_clear_line(capsys, tmp_path):
    write_dataset(tmp_path, "val", 1, 1)
    assert "manifest_train.jsonl: no such file" in error_line(capsys, "--data-dir", str(tmp_path))


def small_run(data: Path, folder: Path, *more: str) -> list[str]:
    where = ["--data-dir", str(data), "--save-dir", str(folder / "s"), "--log-dir", str(folder / "l")]
    small = ["--base-channels", "4", "--latent-channels", "4", "--max-steps", "3", "--accelerator", "cpu"]
    return [*where, *small, *more]


def test_a_missing_image_is_one_clear_line_before_anything_is_written(capsys, tmp_path):
    manifest = write_dataset(tmp_path / "rendered", "train", 2, 2)
    image = tmp_path / "rendered" / "images" / "cell_01" / "view_01_depth.png"
    image.unlink()
    line = error_line(capsys, *small_run(tmp_path / "rendered", tmp_path))
    assert line.startswith(f"error: {manifest}: {image} does not exist (1 of 8 image files are missing)")
    assert {path.name for path in tmp_path.iterdir()} == {"rendered"}


@pytest.mark.parametrize("workers", [["--num-workers", "2"], ["--num-workers", "0"], []])
def test_a_damaged_image_is_one_clear_line_whichever_process_reads_it(capsys, tmp_path, workers):
    manifest = write_dataset(tmp_path / "rendered", "train", 2, 2)
    image = tmp_path / "rendered" / "images" / "cell_01" / "view_00_mask.png"  # none of those that are pictured
    image.write_bytes(image.read_bytes()[:40])
    assert main(small_run(tmp_path / "rendered", tmp_path, *workers)) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert [line for line in lines if "error" in line.lower() or "Traceback" in line] == [lines[-1]]
    assert lines[-1].startswith(f"error: {manifest}, row 3: {image}: ")
    assert not (tmp_path / "s" / "best.ckpt").exists()


def test_an_empty_manifest_is_named(capsys, tmp_path):
    write_dataset(tmp_path, "train", 2, 2)
    empty = tmp_path / "none.jsonl"
    empty.write_text("")
    for flag in ("--manifest-train", "--manifest-val"):
        assert f"error: {empty}: names no views" in error_line(capsys, *small_run(tmp_path, tmp_path, flag, str(empty)))


def test_a_gpu_that_is_not_there_is_one_clear_line(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    write_dataset(tmp_path / "rendered", "train", 2, 2)
    line = error_line(capsys, *small_run(tmp_path / "rendered", tmp_path, "--accelerator", "gpu"))
    assert line == "error: --accelerator gpu: this machine has none that torch can use; try auto"
    assert not (tmp_path / "s").exists()


def test_help_does_not_import_torch():
    code = """
import sys
from axonet.training.trainer import main
try:
    main(["--help"])
except SystemExit as stopped:
    assert stopped.code == 0
heavy = {"torch", "lightning", "numba", "pandas", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--kl-warmup-steps" in done.stdout


def test_the_command_trains_on_a_data_directory(tmp_path, capsys):
    data = tmp_path / "rendered"
    train = write_dataset(data, "train", 4, 2)
    val = write_dataset(data, "val", 1, 2, first=4)
    where = ["--data-dir", data, "--manifest-train", train, "--manifest-val", val, "--save-dir", tmp_path / "s"]
    small = ["--base-channels", 4, "--latent-channels", 4, "--max-steps", 3, "--num-workers", 0, "--accelerator", "cpu"]
    assert main([str(word) for word in [*where, "--log-dir", tmp_path / "l", *small]]) == 0
    assert {path.name for path in (tmp_path / "s").iterdir()} == {"best.ckpt", "last.ckpt", "history.csv", "run.json"}
    record = json.loads((tmp_path / "s" / "run.json").read_text())
    assert record["steps"] == 3
    assert record["device"] == "cpu"
    assert str(train) in record["inputs"]
    assert "save_dir" not in load_checkpoint(tmp_path / "s" / "best.ckpt", 1)["config"]
    assert "val/loss" in capsys.readouterr().err


def test_a_manifest_without_depth_is_one_clear_line(capsys, tmp_path):
    manifest = write_dataset(tmp_path / "rendered", "train", 2, 2)
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    for row in rows[1:]:
        del row["depth"]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    line = error_line(capsys, *small_run(tmp_path / "rendered", tmp_path))
    assert "3 of 4 rows name no depth image, such as that of cell_00 view 1" in line
    assert not (tmp_path / "s").exists()


def test_images_of_several_sizes_are_one_clear_line_before_any_is_read(capsys, tmp_path):
    manifest = write_dataset(tmp_path / "rendered", "train", 2, 2)
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    rows[3] |= {"width": 64}
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    line = error_line(capsys, *small_run(tmp_path / "rendered", tmp_path))
    assert "1 of 4 images are not of 32 x 32 pixels, such as that of cell_01 view 1 (64 x 32)" in line
    assert not (tmp_path / "s").exists()


def test_a_range_of_magnification_is_given_as_json(capsys):
    assert parse("--data-dir", "x", "--magnification", "[0.95, 1.2]").magnification == (0.95, 1.2)
    assert "--magnification" in error_line(capsys, "--data-dir", "x", "--magnification", "[1.2, 0.9]")


def test_neurons_are_measured_from_the_files_that_the_manifest_names(capsys, tmp_path):
    """Views that something else made: nothing but images, a manifest and, beside them, the SWC files."""
    data = tmp_path / "rendered"
    manifest = write_dataset(data, "train", 4, 2)
    (tmp_path / "swc").mkdir()
    for number in range(4):
        nodes = ["1 1 0 0 0 5 -1", f"2 3 {100 * (number + 1)} 0 0 1 1", "3 3 140 50 3 1 2", "4 3 150 -60 2 1 2"]
        (tmp_path / "swc" / f"cell_{number:02d}.swc").write_text("\n".join(nodes) + "\n")
    assert main([*small_run(data, tmp_path), "--manifest-val", str(manifest)]) == 0
    assert "measuring 4 neurons" in capsys.readouterr().err
    assert (data / "measure.parquet").is_file()
    head, *_ = (tmp_path / "s" / "history.csv").read_text().splitlines()
    assert "val/r2_cable_length" in head.split(",")
    assert main([*small_run(data, tmp_path), "--lambda-morphometrics", "0"]) == 0
    assert "morphometrics" not in (tmp_path / "s" / "history.csv").read_text()


def test_a_folder_of_measurements_that_has_none_is_one_clear_line(capsys, tmp_path):
    write_dataset(tmp_path / "rendered", "train", 2, 2)
    line = error_line(capsys, *small_run(tmp_path / "rendered", tmp_path, "--measure-dir", str(tmp_path)))
    assert f"{tmp_path / 'measure.parquet'}: no such file" in line
