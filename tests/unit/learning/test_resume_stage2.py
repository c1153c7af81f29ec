"""Stage 2 stopped and taken up again."""

import shutil
from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pytest
import torch
from lightning.pytorch import Callback

from axonet.core.errors import UserError
from axonet.learning import clip_fit
from axonet.models.checkpoint import load_checkpoint

from .clip_runs import FROZEN, train
from .clip_toy import toy_data


class StopAt(Callback):
    """An interrupt after some steps."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer, *_) -> None:
        if trainer.global_step == self.step:
            raise KeyboardInterrupt


def test_a_resumed_run_ends_where_an_unbroken_one_does(tmp_path):
    halves = FROZEN.model_copy(update={"lr_scheduler": "constant"})
    train(tmp_path / "whole", halves.model_copy(update={"max_epochs": 4}))
    train(tmp_path / "part", halves.model_copy(update={"max_epochs": 2}))
    last = str(tmp_path / "part" / "last.ckpt")
    train(tmp_path / "part", halves.model_copy(update={"max_epochs": 4}), resume=last)
    one, two = (load_checkpoint(tmp_path / name / "last.ckpt")["state"] for name in ("whole", "part"))
    for name in one:
        torch.testing.assert_close(one[name], two[name])
    with pytest.raises(UserError, match="clip-embed-dim 16 -> 8"):
        train(tmp_path / "part", halves.model_copy(update={"clip_embed_dim": 8}), resume=last)
    with pytest.raises(UserError, match="train data"):
        train(tmp_path / "part", halves, data=toy_data(n_train=12), resume=last)


def test_a_changed_loss_does_not_compete_with_values_of_the_former_one(tmp_path, capsys):
    """Without validation; the rank by which validation chooses depends on nothing that may change."""
    alone, resume = toy_data(n_val=0), {"resume": str(tmp_path / "alone" / "last.ckpt")}
    train(tmp_path / "alone", FROZEN.model_copy(update={"max_epochs": 2}), data=alone)
    changed = {"max_epochs": 3, "lambda_clip": 100.0}
    result = train(tmp_path / "alone", FROZEN.model_copy(update=changed), data=alone, **resume)
    assert result.best_epoch == 2
    assert "by train/loss: lambda-clip 1.0 -> 100.0" in capsys.readouterr().err
    train(tmp_path / "both", FROZEN.model_copy(update={"max_epochs": 2}))
    resume = {"resume": str(tmp_path / "both" / "last.ckpt")}
    train(tmp_path / "both", FROZEN.model_copy(update=changed), **resume)
    assert "chosen anew" not in capsys.readouterr().err


@pytest.mark.parametrize("what", ["rows", "vectors"])
def test_other_content_of_the_same_views_is_refused_on_resume(tmp_path, what):
    before, now = toy_data(), toy_data()
    if what == "rows":
        store = now.train_views.store
        place = store.rows.schema.get_field_index("far_um")
        store.rows = store.rows.set_column(place, store.rows.schema.field(place), pc.add(store.rows["far_um"], 1.0))
    else:
        generator = np.random.default_rng(0)
        vectors = generator.normal(size=(18 * 3, 17)).astype(np.float32)
        before, now = (
            replace(data, train_views=replace(data.train_views, store=None, vectors=vectors + shift))
            for data, shift in ((before, np.float32(0)), (now, np.float32(1)))
        )
    train(tmp_path / "run", FROZEN.model_copy(update={"max_epochs": 1}), data=before)
    last = str(tmp_path / "run" / "last.ckpt")
    with pytest.raises(UserError, match="train data"):
        train(tmp_path / "other", FROZEN.model_copy(update={"max_epochs": 2}), data=now, resume=last)
    assert not (tmp_path / "other" / "skipped.jsonl").exists()


def test_auto_takes_up_the_very_run_that_was_stopped(tmp_path, monkeypatch, capsys):
    few = FROZEN.model_copy(update={"max_epochs": 3})
    train(tmp_path / "whole", few)
    real = clip_fit.fit

    def stopping(*arguments, **named):
        return real(*arguments, **named, callbacks=[StopAt(5)])

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(clip_fit, "fit", stopping)
        train(tmp_path / "part", few)
    shutil.copytree(tmp_path / "part", tmp_path / "changed")
    train(tmp_path / "part", few, resume="auto")
    assert "resuming from" in capsys.readouterr().err
    one, two = (load_checkpoint(tmp_path / name / "best.ckpt")["fingerprint"] for name in ("whole", "part"))
    assert one == two
    train(tmp_path / "changed", few.model_copy(update={"batch_size": 5}), resume="auto")
    assert "trained otherwise: batch-size 6 -> 5" in capsys.readouterr().err
