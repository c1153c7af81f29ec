"""A results folder and its export, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from axonet.utils.export import main as export
from tests.fakes.results import make_results


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with an export. Not to be changed."""
    folder = make_results(tmp_path_factory.mktemp("explore") / "work")
    assert export([str(folder), "--queries", "a mouse with <b>bold</b> dendrites"]) == 0
    return folder
