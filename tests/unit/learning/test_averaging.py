"""The running average of the weights, against one that is kept by hand."""

import numpy as np
import torch
from lightning.pytorch import Callback

from axonet.learning.averaging import average_decay, update_average
from axonet.models.checkpoint import load_checkpoint

from .stage1_runs import history, train


def test_the_average_starts_quickly_and_ends_at_its_decay():
    assert average_decay(0, 0.999) == 0.1
    assert average_decay(89, 0.999) == 90 / 99
    assert average_decay(10**6, 0.999) == 0.999
    assert average_decay(0, 0.05) == 0.05


def test_one_update_moves_a_tenth_of_the_way():
    average, model = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    expected = {name: 0.9 * value + 0.1 * model.state_dict()[name] for name, value in average.state_dict().items()}
    update_average(average, model, 0.9)
    torch.testing.assert_close(average.state_dict(), expected)


class Recorder(Callback):
    """Keeps the weights after every step."""

    def __init__(self) -> None:
        self.states: list[dict[str, np.ndarray]] = []

    def on_train_start(self, trainer, pl_module) -> None:
        self.on_train_batch_end(trainer, pl_module)

    def on_train_batch_end(self, trainer, pl_module, *_) -> None:
        state = pl_module.model.state_dict()
        if len(self.states) <= trainer.global_step:
            self.states.append({name: value.double().numpy().copy() for name, value in state.items()})


def test_checkpoints_hold_the_average_over_all_steps(tmp_path, with_callback):
    recorder = Recorder()
    with_callback(recorder)
    train(tmp_path, ema_decay=0.7, max_epochs=3, gradient_accumulation_steps=2)
    assert len(recorder.states) == 1 + 3 * 2  # three batches of an epoch make two steps
    average = recorder.states[0]
    for step, state in enumerate(recorder.states[1:]):
        kept = min(0.7, (1 + step) / (10 + step))
        average = {name: kept * average[name] + (1 - kept) * value for name, value in state.items()}
    saved = load_checkpoint(tmp_path / "last.ckpt")["state"]
    for name, value in average.items():
        np.testing.assert_allclose(saved[name].numpy(), value, rtol=1e-4, atol=1e-6)
    difference = max(np.abs(saved[name].numpy() - recorder.states[-1][name]).max() for name in average)
    assert difference > 1e-3


def test_the_average_is_what_is_validated(tmp_path):
    train(tmp_path / "average", ema_decay=0.999999, max_steps=1, lr=0.1)
    train(tmp_path / "plain", max_steps=1, lr=0.1)
    averaged, plain = (history(tmp_path / name)[0] for name in ("average", "plain"))
    assert averaged["train/loss"] == plain["train/loss"]
    assert averaged["val/loss"] != plain["val/loss"]
