"""Small trainings of Stage 1, and what they leave."""

import csv
from pathlib import Path

from axonet.learning.settings import Stage1Settings
from axonet.learning.stage1 import train_stage1

from .synthetic import drawn_store

TINY = {
    "base_channels": 4,
    "latent_channels": 4,
    "batch_size": 4,
    "lr": 3e-3,
    "max_epochs": 3,
    "levels": 3,
    "num_workers": 0,
    "accelerator": "cpu",
    "lr_scheduler": "constant",
}
WARM = {"lr_warmup_steps": 2, "kl_warmup_steps": 6}


def settings(**changed) -> Stage1Settings:
    return Stage1Settings(**(TINY | changed))


def train(folder: Path, resume=None, val=True, n_neurons=6, windows=False, measures=None, **changed):
    stores = drawn_store(n_neurons, 2, zoom=windows), drawn_store(2, 2, first=20, zoom=windows) if val else None
    where = {"save_dir": folder, "log_dir": folder / "logs"}
    return train_stage1(settings(**changed), *stores, **where, resume=resume, measures=measures)


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))
