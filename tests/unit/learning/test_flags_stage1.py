"""Every setting of Stage 1 changes what it says, and nothing before it."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from axonet.learning.settings import Stage1Settings
from axonet.models.checkpoint import load_checkpoint

from .stage1_runs import history, train

MEASURED = {f"cell_{n:02d}": {"cable_length": 100.0 * (n + 1), "n_stems": 3.0 + n % 3} for n in range(6)}
# All twelve views in one batch: an epoch is a step, and its row tells of that step alone.
BASE = {"batch_size": 12, "max_epochs": 2, "zoom": True, "lr": 1e-3, "gradient_clip_val": 0.0}
SHAPES = {"inputs": "shape"}

WEIGHTS_OF_LOSSES = {
    "kld_weight": 0.5,
    "beta": 3.0,
    "free_nats": 5.0,
    "lambda_seg": 2.0,
    "lambda_depth": 2.0,
    "lambda_morphometrics": 2.0,
    "lambda_contrast": 1.0,
}
STEPS = {
    "lr": 1e-2,
    "weight_decay": 0.9,
    "lr_scheduler": "cosine",
    "lr_warmup_steps": 2,
    "gradient_clip_val": 0.01,
    "kl_warmup_steps": 10,
    "ema_decay": 0.9,
}
DATA_AND_NOISE = {
    "seed": 1,
    "batch_size": 4,
    "views_per_neuron": 1,
    "width": 24,
    "height": 24,
    "flips": False,
    "rotation": 90.0,
    "magnification": (0.5, 0.6),
    "scale_dropout": 0.9,
    "zoom_dropout": 0.9,
    "skip_dropout": 0.9,
    "seg_loss": "focal",
    "decode_every": 4,
    "contrast_temperature": 0.9,
}
ARCHITECTURE = {
    "base_channels": 8,
    "max_channels": 8,
    "levels": 2,
    "patch": 2,
    "pool_levels": 0,
    "latent_channels": 6,
    "skip_mode": "deterministic",
    "skip_channels": 3,
    "inputs": "shape",
    "zoom": False,
}
OF_SHAPES = {"merge_dendrites": 1.0, "drop_types": 1.0}
LENGTH = {"max_epochs": 3, "max_steps": 1, "gradient_accumulation_steps": 2}
# The machine decides, or they are tested where something goes wrong: nothing of an undisturbed run depends on them.
ELSEWHERE = {
    *("accelerator", "devices", "precision", "compile", "num_workers", "save_minutes"),
    *("early_stopping", "patience", "num_classes"),
}


@cache
def trained(**changed) -> tuple[list[dict[str, str]], dict, str]:
    """History, architecture and fingerprint of a small run."""
    with TemporaryDirectory() as folder:
        train(Path(folder), val=False, windows=True, measures=MEASURED, **(BASE | changed))
        checkpoint = load_checkpoint(Path(folder) / "last.ckpt")
        return history(Path(folder)), checkpoint["architecture"], checkpoint["fingerprint"]


def losses(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if name.startswith("train/")}


def test_every_setting_is_tested():
    tables = (WEIGHTS_OF_LOSSES, STEPS, DATA_AND_NOISE, ARCHITECTURE, OF_SHAPES, LENGTH, ELSEWHERE)
    assert {name for table in tables for name in table} == set(Stage1Settings.model_fields)


@pytest.mark.parametrize("name", WEIGHTS_OF_LOSSES)
def test_weights_change_the_loss_and_not_its_parts(name):
    base, _, fingerprint = trained()
    changed, _, other = trained(**{name: WEIGHTS_OF_LOSSES[name]})
    first, other_first = losses(base[0]), losses(changed[0])
    assert {key for key in first if first[key] != other_first[key]} == {"train/loss"}
    assert fingerprint != other


@pytest.mark.parametrize("name", STEPS)
def test_what_steers_the_steps_changes_the_weights_and_not_the_first_loss(name):
    base, _, fingerprint = trained()
    changed, _, other = trained(**{name: STEPS[name]})
    assert losses(base[0]) == losses(changed[0])
    assert fingerprint != other


@pytest.mark.parametrize("name", DATA_AND_NOISE)
def test_what_steers_data_and_noise_changes_the_first_loss(name):
    base, architecture, _ = trained()
    changed, same_architecture, _ = trained(**{name: DATA_AND_NOISE[name]})
    assert losses(base[0]) != losses(changed[0])
    assert architecture | {"skip_dropout": None} == same_architecture | {"skip_dropout": None}


@pytest.mark.parametrize("name", ARCHITECTURE)
def test_what_steers_the_network_changes_it(name):
    assert trained()[1] != trained(**{name: ARCHITECTURE[name]})[1]


@pytest.mark.parametrize("name", OF_SHAPES)
def test_hidden_types_change_what_a_model_of_shapes_sees(name):
    shown = {"merge_dendrites": 0.0, "drop_types": 0.0} | SHAPES
    assert losses(trained(**shown)[0][0]) != losses(trained(**(shown | {name: OF_SHAPES[name]}))[0][0])


@pytest.mark.parametrize(
    ("changed", "steps"),
    [
        ({}, ["1", "2"]),
        ({"max_epochs": 3}, ["1", "2", "3"]),
        ({"max_steps": 1}, ["1"]),
        ({"batch_size": 4}, ["3", "6"]),
        ({"batch_size": 4, "gradient_accumulation_steps": 2}, ["2", "4"]),
        ({"batch_size": 4, "views_per_neuron": 1}, ["2", "4"]),
    ],
)
def test_how_many_steps_there_are(changed, steps):
    assert [row["step"] for row in trained(**changed)[0]] == steps


@pytest.mark.parametrize(
    ("changed", "rates"),
    [
        ({"lr_scheduler": "constant"}, [1, 1, 1, 1]),
        ({"lr_scheduler": "step"}, [1, 0.1, 0.01, 0.01]),
        ({"lr_scheduler": "cosine"}, [0.853553, 0.5, 0.146447, 0]),
        ({"lr_scheduler": "constant", "lr_warmup_steps": 4}, [0.5, 0.75, 1, 1]),
    ],
)
def test_the_learning_rate_follows_the_schedule(changed, rates):
    found = [float(row["lr"]) / 1e-3 for row in trained(max_epochs=4, **changed)[0]]
    assert found == pytest.approx(rates, abs=1e-5)
