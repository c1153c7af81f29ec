"""A training without noise, as a program: Lightning starts it again for every further process.

python -m tests.unit.learning.ddp_run FOLDER SETTINGS(JSON) [SIGNAL RANK STEP]

With a signal, the process of that rank sends it to itself before a step.
"""

import json
import os
import signal
import sys
from pathlib import Path

from lightning.pytorch import Callback

from axonet.learning import stage1
from axonet.models import seg_vae

from .stage1_runs import train

# Nothing random is left: what differs between runs is only how batches are divided.
NO_NOISE = {"flips": False, "scale_dropout": 0.0, "skip_dropout": 0.0}


class Interruption(Callback):
    """Sends a signal to the process of a rank."""

    def __init__(self, name: str, rank: int, step: int) -> None:
        self.number, self.rank, self.step = signal.Signals[name], rank, step

    def on_before_backward(self, trainer, *_) -> None:
        if (trainer.global_rank, trainer.global_step) == (self.rank, self.step):
            os.kill(os.getpid(), self.number)


def posterior_mean(posterior, *, sample: bool):
    return posterior.mean


def train_without_noise(folder: Path, **changed) -> None:
    seg_vae.draw = posterior_mean
    train(folder, **NO_NOISE, **changed)


def main(folder: str, changed: str, *interruption: str) -> None:
    if interruption:
        name, rank, step = interruption
        real_fit, heard = stage1.fit, Interruption(name, int(rank), int(step))
        stage1.fit = lambda *a, callbacks=(), **named: real_fit(*a, callbacks=[*callbacks, heard], **named)
    train_without_noise(Path(folder), **json.loads(changed))


if __name__ == "__main__":
    main(*sys.argv[1:])
