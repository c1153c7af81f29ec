"""A training that several tests look at, and a way to look into one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from lightning.pytorch import Callback

from axonet.learning import stage1

from .stage1_runs import WARM, train


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    train(folder, **WARM)
    return folder


@pytest.fixture
def with_callback(monkeypatch) -> Callable[[Callback], None]:
    """Adds a callback to the trainings of a test."""

    def add(callback: Callback) -> None:
        real_fit = stage1.fit
        monkeypatch.setattr(
            stage1, "fit", lambda *a, callbacks=(), **named: real_fit(*a, callbacks=[*callbacks, callback], **named)
        )

    return add
