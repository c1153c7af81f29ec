"""A training that several tests look at."""

from pathlib import Path

import pytest

from .stage1_runs import WARM, train


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    train(folder, **WARM)
    return folder
