"""``--sdm conda`` and ``--sdm apptainer``, with stand-ins for the commands of conda and Apptainer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.corpus import write_corpus
from tests.integration.project import CONFIG, Project

pytestmark = pytest.mark.workflow

CONDA = """\
case "$*" in
  "info --json") echo '{"conda_prefix": "/opt/conda", "platform": "linux-64"}' ;;
  *channel_priority*) echo '{"get": {"channel_priority": "strict"}}' ;;
  *) echo 'conda 24.11.0' ;;
esac
"""
# Says which image it was given, then runs the command here.
APPTAINER = """\
[ "$1" = --version ] && { echo 'apptainer version 1.3.4'; exit; }
for image; do case "$image" in *axonet.sif) echo "$image" >> images.txt ;; esac; done
while [ "$1" != -c ]; do shell="$1"; shift; done
exec "$shell" -c "$2"
"""


@pytest.fixture
def with_command(tmp_path: Path):
    """A new project, and a command that is not installed."""
    project = Project(tmp_path / "project")
    write_corpus(project.folder)
    project.configure(**CONFIG)

    def put(name: str, script: str) -> Project:
        file = tmp_path / "bin" / name
        file.parent.mkdir()
        file.write_text(f"#!/bin/sh\n{script}")
        file.chmod(0o755)
        project.variables = {"PATH": f"{file.parent}:{os.environ['PATH']}"}
        return project

    return put


def test_conda_makes_one_environment_for_all_rules(with_command):
    project = with_command("conda", CONDA)
    said = project.say("--dry-run", "--forceall", "--sdm", "conda")
    assert said.count("will be created") == 1, said
    assert "envs/axonet.yaml will be created" in said


def test_apptainer_runs_the_rules_in_the_image(with_command):
    project = with_command("apptainer", APPTAINER)
    refused = project.call("--sdm", "apptainer")
    assert refused.returncode == 2
    errors = [line for line in refused.stderr.splitlines() if line.startswith("error:")]
    assert errors == ["error: axonet.sif: no such image; build it, or name one in AXONET_IMAGE (docs/how-to/docker.md)"]

    (project.folder / "axonet.sif").touch()
    assert project.run("--until", "acquire", "--sdm", "apptainer") == {"acquire": 1}
    assert (project.folder / "images.txt").read_text().count("axonet.sif") == 1


def test_an_image_of_a_registry_would_be_pulled(with_command):
    project = with_command("apptainer", APPTAINER)
    project.variables["AXONET_IMAGE"] = "docker://axonet:train"
    said = project.say("--dry-run", "--forceall", "--sdm", "apptainer")
    assert "docker://axonet:train will be pulled" in said
