"""What an installed wheel can do without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from axonet.core.files import write_text
from tests.integration.project import REPOSITORY

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*command, str(REPOSITORY)], check=True)
    (wheel,) = folder.glob("axonet-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def call(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "axonet.cli", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_carries_the_workflow_and_the_table_of_the_demo(installed: Path) -> None:
    for name in (
        "Snakefile",
        "config.yaml",
        "workflow/rules/render.smk",
        "profiles/default/config.yaml",
        "envs/axonet.yaml",
    ):
        assert (installed / "axonet/project" / name).read_bytes() == (REPOSITORY / name).read_bytes()
    assert (installed / "axonet/project/data/demo/neurons.csv").is_file()


def test_the_demo_starts_from_an_installed_wheel_and_leaves_a_config_to_edit(installed: Path, tmp_path: Path) -> None:
    result = call(installed, tmp_path, "demo", "--dry-run", "--out", "here")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "acquire" in result.stdout
    where = "from axonet.core.resources import project_root; print(project_root())"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    root = subprocess.run([sys.executable, "-c", where], env=environment, capture_output=True, text=True, check=True)
    assert Path(root.stdout.strip()) == installed / "axonet/project"  # the Snakefile of the wheel, not of the checkout
    assert (tmp_path / "here/config.yaml").read_text() == (REPOSITORY / "config.yaml").read_text()


def test_a_wrong_value_in_the_config_is_one_line_and_exit_code_2(installed: Path, tmp_path: Path) -> None:
    write_text(tmp_path / "here/config.yaml", "stage1: {learning_rate: 1}\n")
    result = call(installed, tmp_path, "demo", "--dry-run", "--out", "here")
    assert result.returncode == 2
    assert "error: config.yaml: unknown key 'stage1.learning_rate'" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
