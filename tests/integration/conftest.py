"""One real run of the whole workflow on the tiny corpus; every scenario starts from a copy of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.corpus import write_corpus
from tests.integration.project import CONFIG, Project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose first run is done. Not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "project"
    write_corpus(folder)
    project = Project(folder)
    project.configure(**CONFIG)
    project.first = project.run()
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project, to be changed at will."""
    return finished.copy_to(tmp_path / "project")
