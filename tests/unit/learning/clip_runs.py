"""Small trainings of Stage 2."""

import csv
from pathlib import Path

from axonet.learning.clip_fit import train_clip
from axonet.learning.clip_settings import ClipSettings

from .clip_toy import toy_data, toy_stage1

QUICK = {
    "text_encoder": "hash:64",
    "accelerator": "cpu",
    "num_workers": 0,
    "batch_size": 6,
    "clip_embed_dim": 16,
    "hidden_dim": 32,
}
FROZEN = ClipSettings(**QUICK, freeze_encoder=True, lr=5e-3, max_epochs=12, views_per_neuron=2)
TUNED = ClipSettings(**QUICK, lr=5e-3, max_epochs=2, views_per_neuron=1, lambda_kld=0.1)


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


def train(folder: Path, settings: ClipSettings, data=None, **named):
    data = toy_data() if data is None else data
    return train_clip(settings, toy_stage1(), data, save_dir=folder, log_dir=folder / "logs", **named)
