"""A loss that is no number stops the run and names the images."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from axonet.core.errors import UserError
from axonet.inference.view_batch import ViewBatch
from axonet.learning.finite import LossWatch, NotFiniteError
from axonet.learning.stage1 import train_stage1
from axonet.learning.stage1_inputs import Stage1Inputs, stage1_inputs
from axonet.learning.stage1_module import Stage1Module
from axonet.models.checkpoint import load_checkpoint

from .stage1_runs import settings, train
from .synthetic import drawn_store

ROWS = torch.tensor([7, 3, 5])
FINE, NAN = torch.tensor(1.0), torch.tensor(torch.nan)


def test_the_unsound_images_are_named_and_the_others_are_not():
    watch = LossWatch()
    watch.name_row = {7: "a view 1", 3: "b view 2", 5: "c view 0"}.__getitem__
    watch.look(FINE, torch.tensor([True, True, True]), ROWS, "epoch 1, batch 1")
    with pytest.raises(NotFiniteError, match=r"in epoch 1, batch 2, because of b view 2; c view 0: look at"):
        watch.look(NAN, torch.tensor([True, False, False]), ROWS, "epoch 1, batch 2")


@pytest.mark.parametrize("sound", [True, False])
def test_when_no_image_stands_out_the_learning_rate_is_to_blame(sound):
    with pytest.raises(NotFiniteError, match=r"diverged in epoch 2, batch 1: .*row 7; row 3; row 5.*lower --lr"):
        LossWatch().look(torch.tensor(torch.inf), torch.full((3,), sound), ROWS, "epoch 2, batch 1")


def test_of_many_images_some_are_named_and_the_others_are_counted():
    with pytest.raises(NotFiniteError, match=r"row 0; row 1; row 2; row 3 and 6 more images"):
        LossWatch().look(NAN, torch.ones(10, dtype=torch.bool), torch.arange(10), "epoch 1, batch 1")


def test_a_loss_that_is_still_on_its_way_is_judged_later(monkeypatch):
    arrived: list[bool] = []
    monkeypatch.setattr("axonet.learning.finite._HostCopy.has_arrived", lambda copied: bool(arrived))
    watch, sound = LossWatch(), torch.ones(3, dtype=torch.bool)
    watch.look(NAN, sound, ROWS, "epoch 1, batch 1")
    watch.look(FINE, sound, ROWS, "epoch 1, batch 2")
    arrived.append(True)
    with pytest.raises(NotFiniteError, match="epoch 1, batch 1"):
        watch.look(FINE, sound, ROWS, "epoch 1, batch 3")
    arrived.clear()
    watch.look(NAN, sound, ROWS, "epoch 1, batch 4")
    with pytest.raises(NotFiniteError, match="epoch 1, batch 4"):
        watch.finish()


@pytest.fixture
def broken_view(monkeypatch) -> Callable[[int], None]:
    """Makes the depth of one view something that is no number, on the device."""

    def break_row(row: int) -> None:
        def read(batch: ViewBatch, *others) -> Stage1Inputs:
            inputs = stage1_inputs(batch, *others)
            here = (batch.row == row)[:, None, None, None]
            return replace(inputs, depth=inputs.depth.masked_fill(here & inputs.has_depth, torch.nan))

        monkeypatch.setattr("axonet.learning.stage1_module.stage1_inputs", read)

    return break_row


def test_a_batch_with_a_broken_view_names_neuron_and_view_and_harms_nothing(tmp_path, broken_view):
    train(tmp_path, max_epochs=1)
    state = load_checkpoint(tmp_path / "last.ckpt")["fingerprint"]
    broken_view(5)
    with pytest.raises(UserError, match=r"not a number in epoch 2, batch \d, because of cell_02, view 1: look at"):
        train(tmp_path, max_epochs=2, resume=str(tmp_path / "last.ckpt"))
    assert load_checkpoint(tmp_path / ".training" / "last.ckpt")["fingerprint"] == state


def test_weights_that_are_lost_are_not_saved(tmp_path, monkeypatch):
    real = Stage1Module.training_step

    def poisoned(module: Stage1Module, batch, batch_idx: int):
        if module.global_step == 4:
            with torch.no_grad():
                next(module.model.parameters()).fill_(torch.nan)
        return real(module, batch, batch_idx)

    monkeypatch.setattr(Stage1Module, "training_step", poisoned)
    with pytest.raises(UserError, match=r"diverged in epoch 2, batch 2: .*view .*lower --lr"):
        train(tmp_path)
    state = load_checkpoint(tmp_path / "last.ckpt")["state"]
    assert all(value.isfinite().all() for value in state.values())


def test_a_single_training_view_is_enough(tmp_path):
    train_stage1(settings(max_steps=1), drawn_store(1, 1), None, save_dir=tmp_path, log_dir=tmp_path / "logs")
    assert (tmp_path / "best.ckpt").is_file()
