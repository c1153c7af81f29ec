"""A training without noise, as a program: Lightning starts it again for every further process.

python -m tests.unit.learning.ddp_run FOLDER SETTINGS(JSON)
"""

import json
import sys
from pathlib import Path

from axonet.models import seg_vae

from .stage1_runs import train

# Nothing random is left: what differs between runs is only how batches are divided.
NO_NOISE = {"flips": False, "scale_dropout": 0.0, "skip_dropout": 0.0}


def posterior_mean(posterior, *, sample: bool):
    return posterior.mean


def train_without_noise(folder: Path, **changed) -> None:
    seg_vae.draw = posterior_mean
    train(folder, **NO_NOISE, **changed)


if __name__ == "__main__":
    train_without_noise(Path(sys.argv[1]), **json.loads(sys.argv[2]))
