"""Stage 1 trained for real, on a handful of drawn neurons."""

import copy
import math

import pytest
import torch

from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.inference.encode import build_view_encoder
from axonet.learning.stage1 import train_stage1
from axonet.models.checkpoint import build_seg_vae, load_checkpoint

from .stage1_runs import WARM, history, settings, train
from .synthetic import drawn_store


def test_a_run_leaves_checkpoints_history_logs_and_pictures(whole_run):
    assert {path.name for path in whole_run.iterdir()} == {"best.ckpt", "last.ckpt", "history.csv", "logs"}
    assert list((whole_run / "logs").glob("events.*"))
    assert len(list((whole_run / "logs" / "validation").glob("epoch_*.png"))) == 3
    rows = history(whole_run)
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    documented = {"train/loss", "val/loss", "train/seg_loss", "train/depth_loss", "train/kld"}
    ours = {"val/dice_soma", "val/dice_basal_dendrite", "val/depth_mae_um", "val/kl_latent", "val/active_units"}
    assert documented | ours <= rows[0].keys()
    assert "val/dice_other" not in rows[0]  # absent from the data


def test_the_best_checkpoint_is_that_of_the_lowest_validation_loss(whole_run):
    best = min(history(whole_run), key=lambda row: float(row["val/loss"]))
    values = {float(row["val/loss"]) for row in history(whole_run)}
    assert len(values) == 3
    assert load_checkpoint(whole_run / "best.ckpt", 1)["fingerprint"]
    if best["epoch"] == "2":
        fingerprints = {load_checkpoint(whole_run / name)["fingerprint"] for name in ("best.ckpt", "last.ckpt")}
        assert len(fingerprints) == 1


def test_the_checkpoint_tells_everything_about_its_inputs(whole_run):
    checkpoint = load_checkpoint(whole_run / "best.ckpt", 1)
    spec = InputSpec.model_validate(checkpoint["input_spec"])
    assert spec.log_fov_mean is not None
    assert checkpoint["config"]["lr"] == 3e-3
    assert build_seg_vae(checkpoint).encode(torch.zeros(1, 1, 32, 32)).shape == (1, 2 * (4 + 8 + 16) + 1)


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path, whole_run):
    train(tmp_path / "same", **WARM, num_workers=1)
    train(tmp_path / "other", **WARM, seed=1)
    assert (tmp_path / "same" / "history.csv").read_text() == (whole_run / "history.csv").read_text()
    assert (tmp_path / "other" / "history.csv").read_text() != (whole_run / "history.csv").read_text()


def test_without_validation_the_training_loss_selects_and_a_line_says_so(tmp_path, capsys):
    train(tmp_path, val=False, max_epochs=1)
    assert "chosen by train/loss" in capsys.readouterr().err
    assert (tmp_path / "best.ckpt").is_file()


def test_so_few_validation_neurons_that_chance_chooses_are_said(tmp_path, capsys):
    train(tmp_path, max_steps=1)
    assert "2 validation neurons: too few to tell one epoch from another" in capsys.readouterr().err


def test_a_warm_up_of_the_kl_weight_does_not_change_the_logged_loss(tmp_path):
    train(tmp_path / "warm", max_steps=1, kl_warmup_steps=100)
    train(tmp_path / "full", max_steps=1)
    first = [history(tmp_path / run)[0]["train/loss"] for run in ("warm", "full")]
    assert first[0] == first[1]


def test_early_stopping_ends_a_run_that_does_not_improve(tmp_path):
    train(tmp_path, max_epochs=20, early_stopping=True, patience=2, lr=1e-30)
    assert len(history(tmp_path)) == 3


def test_a_loss_that_is_no_number_is_one_clear_line(tmp_path):
    with pytest.raises(UserError, match="diverged in epoch 1"):
        train(tmp_path, lr=1e30, max_epochs=5)
    assert not (tmp_path / "best.ckpt").exists()


def test_accumulated_batches_make_one_step(tmp_path):
    train(tmp_path, max_epochs=2, gradient_accumulation_steps=2)
    assert [row["step"] for row in history(tmp_path)] == ["2", "4"]


def test_views_can_be_resized_and_the_levels_follow(tmp_path):
    train(tmp_path, max_steps=1, width=16, levels=None)
    checkpoint = load_checkpoint(tmp_path / "best.ckpt")
    assert checkpoint["input_spec"]["image_size"] == [16, 16]
    assert checkpoint["architecture"]["levels"] == 3  # down to 2 x 2 units


def test_validation_views_of_another_kind_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"rendered otherwise.*width 64 instead of 32"):
        train_stage1(settings(), drawn_store(2, 1), drawn_store(2, 1, size=64), save_dir=tmp_path, log_dir=tmp_path)


def test_a_model_that_looks_at_the_window_around_the_soma_says_so(tmp_path):
    train(tmp_path, max_steps=1, windows=True, zoom=True)
    checkpoint = load_checkpoint(tmp_path / "best.ckpt")
    assert checkpoint["input_spec"]["zoom"] is True
    assert (checkpoint["architecture"]["in_channels"], checkpoint["architecture"]["zoom"]) == (2, True)


def test_views_without_the_window_around_the_soma_are_refused_when_it_is_to_be_seen(tmp_path):
    with pytest.raises(UserError, match=r"--zoom: .*render them with --zoom-um"):
        train(tmp_path / "none", zoom=True)
    assert not (tmp_path / "none").exists()
    with pytest.raises(UserError, match=r"zoom_um None instead of 160"):
        train_stage1(
            settings(zoom=True), drawn_store(2, 1, zoom=True), drawn_store(2, 1), save_dir=tmp_path, log_dir=tmp_path
        )


def test_an_empty_split_is_refused(tmp_path):
    with pytest.raises(UserError, match="no training views"):
        train_stage1(settings(), drawn_store(2, 1).subset([]), None, save_dir=tmp_path, log_dir=tmp_path)


@pytest.mark.parametrize(("skip_mode", "seg_loss"), [("variational", "ce"), ("deterministic", "focal")])
def test_four_views_are_learned_by_heart(tmp_path, skip_mode, seg_loss):
    views = drawn_store(4, 1)
    often = views.subset([0, 1, 2, 3] * 30)  # an epoch of many steps costs less than many epochs
    alone = {"kld_weight": 1e-4, "lambda_contrast": 0, "flips": False}
    chosen = settings(max_epochs=2, base_channels=8, lr=1e-2, skip_mode=skip_mode, seg_loss=seg_loss, **alone)
    train_stage1(chosen, often, views, save_dir=tmp_path, log_dir=tmp_path / "logs")
    last = history(tmp_path)[-1]
    for compartment in ("soma", "axon", "basal_dendrite", "apical_dendrite"):
        assert float(last[f"val/dice_{compartment}"]) > 0.95


def test_the_same_run_leaves_the_same_bytes(tmp_path, whole_run):
    train(tmp_path, **WARM)
    for name in ("best.ckpt", "last.ckpt", "history.csv"):
        assert (tmp_path / name).read_bytes() == (whole_run / name).read_bytes(), name


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"accelerator": "gpu"}, "--accelerator gpu"),
        ({"precision": "16"}, "--precision 16"),
    ],
)
def test_what_the_machine_cannot_do_is_refused_before_anything_is_written(tmp_path, changed, named):
    with pytest.raises(UserError, match=named):
        train(tmp_path / "run", **changed)
    assert not (tmp_path / "run").exists()


MEASURED = {
    f"cell_{number:02d}": {"cable_length": 100.0 * (number + 1), "warnings": [], "n_stems": 3.0 + number % 3}
    for number in range(30)
}


def test_the_vector_predicts_measurements_and_compares_views(tmp_path):
    train(tmp_path, max_epochs=2, measures=MEASURED)
    rows = history(tmp_path)
    for name in ("train/morphometrics_loss", "val/morphometrics_loss", "train/contrast_loss", "val/r2_cable_length"):
        assert all(math.isfinite(float(row[name])) for row in rows), name
    assert "val/contrast_loss" not in rows[0]  # validation views come neuron by neuron
    checkpoint = load_checkpoint(tmp_path / "best.ckpt")
    assert checkpoint["state"].keys() == build_seg_vae(checkpoint).state_dict().keys()  # heads are left behind
    assert build_seg_vae(checkpoint).generalized_mean.exponent.item() != 3.0


def test_without_heads_the_pooling_keeps_its_exponent(tmp_path):
    train(tmp_path, max_steps=2, lambda_morphometrics=0, lambda_contrast=0, measures=MEASURED)
    assert {"train/morphometrics_loss", "train/contrast_loss"}.isdisjoint(history(tmp_path)[0])
    assert build_seg_vae(load_checkpoint(tmp_path / "best.ckpt")).generalized_mean.exponent.item() == 3.0


def test_the_loss_is_the_weighted_sum_of_what_is_logged(tmp_path):
    weights = {"lambda_seg": 0.7, "lambda_depth": 0.3, "lambda_morphometrics": 2.0, "lambda_contrast": 0.4}
    train(tmp_path, max_steps=1, measures=MEASURED, kld_weight=0.2, **weights)
    row = {name: float(value) for name, value in history(tmp_path)[0].items() if "/" in name}
    parts = {
        "lambda_seg": "seg_loss",
        "lambda_depth": "depth_loss",
        "lambda_morphometrics": "morphometrics_loss",
        "lambda_contrast": "contrast_loss",
    }
    for split in ("train", "val"):
        expected = sum(weights[weight] * row.get(f"{split}/{part}", 0.0) for weight, part in parts.items())
        assert row[f"{split}/loss"] == pytest.approx(expected + 0.2 * row[f"{split}/kld"], rel=1e-4)


@pytest.mark.parametrize("windows", [False, True])
def test_a_model_of_shapes_learns_without_a_decoder(tmp_path, windows):
    train(tmp_path, max_epochs=1, inputs="shape", windows=windows, zoom=windows, measures=MEASURED)
    checkpoint = load_checkpoint(tmp_path / "best.ckpt")
    assert checkpoint["input_spec"]["inputs"] == "shape"
    assert checkpoint["architecture"]["decoder"] is False
    assert not [name for name in checkpoint["state"] if name.startswith("decoder")]
    row = history(tmp_path)[0]
    assert {"train/seg_loss", "val/dice", "val/depth_mae_um"}.isdisjoint(row)
    assert not (tmp_path / "logs" / "validation").exists()


def test_a_model_of_shapes_needs_something_to_learn(tmp_path):
    with pytest.raises(ValueError, match="nothing to learn"):
        settings(inputs="shape", lambda_morphometrics=0, lambda_contrast=0)
    with pytest.raises(UserError, match="nothing to learn"):
        train(tmp_path, n_neurons=1, val=False, inputs="shape")


def test_decoding_some_images_leaves_the_rest_to_the_vector(tmp_path):
    train(tmp_path, max_epochs=1, decode_every=4, measures=MEASURED)
    row = history(tmp_path)[0]
    assert float(row["train/seg_loss"]) > 0
    assert float(row["val/dice"]) >= 0  # validation decodes every image


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"n_neurons": 1}, "there is one training neuron"),
        ({"views_per_neuron": 1}, "--views-per-neuron is 1"),
        ({"batch_size": 3}, "--batch-size 3 is below 4"),
    ],
)
def test_where_there_is_nothing_to_compare_a_line_says_so(tmp_path, capsys, changed, why):
    train(tmp_path, val=False, max_steps=1, **changed)
    assert f"views are not compared (--lambda-contrast is without effect): {why}" in capsys.readouterr().err
    assert float(history(tmp_path)[0]["train/contrast_loss"]) == pytest.approx(0, abs=1e-6)


def test_a_batch_larger_than_the_data_is_one_step_per_epoch(tmp_path):
    train(tmp_path, max_epochs=2, batch_size=500)
    assert [row["step"] for row in history(tmp_path)] == ["1", "2"]


def test_a_checkpoint_from_before_these_options_encodes_as_it_did(whole_run):
    checkpoint = load_checkpoint(whole_run / "best.ckpt")
    x = torch.rand(2, 1, 32, 32).round()
    expected = build_seg_vae(checkpoint).encode(x)
    older = copy.deepcopy(checkpoint)
    for name in ("zoom", "decoder"):
        del older["architecture"][name]
    for name in ("inputs", "zoom", "merge_dendrites", "fov_um_range"):
        del older["input_spec"][name]
    assert torch.equal(build_view_encoder(older).seg_vae.encode(x), expected)
