"""configs/stage1_neuromorpho.yaml: planned as it stands, and Stage 1 run for a few steps on made-up neurons."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from axonet.core.files import write_jsonl
from axonet.models.checkpoint import load_checkpoint
from tests.integration.corpus import KINDS, write_neuron
from tests.integration.project import REPOSITORY, Project

pytestmark = pytest.mark.workflow

CONFIG = REPOSITORY / "configs" / "stage1_neuromorpho.yaml"
# Small pictures, a small network, few steps; everything else is the configuration's own.
QUICK = {
    "acquire": {"shard_bits": 1},
    "render": {"width": 32, "height": 32, "canonical_views": 2, "biased_views": 1, "random_views": 1},
    "stage1": {"base_channels": 4, "max_channels": 16, "latent_channels": 8, "max_steps": 3, "batch_size": 4},
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A folder of files and metadata as NeuroMorpho.Org gives them, each neuron from a lab of its own."""
    data, rows = tmp_path / "data" / "neuromorpho", []
    for number in range(12):
        kind = sorted(KINDS)[number % 3]
        name = f"{kind}_{number:02d}"
        write_neuron(data / "swc" / f"{name}.CNG.swc", kind, number)
        rows.append(
            {
                "neuron_id": number + 1,
                "neuron_name": name,
                "archive": f"Lab {number}",
                "species": "mouse",
                "brain_region": [KINDS[kind][1]],
                "cell_type": [KINDS[kind][0], "principal cell"],
                "swc": f"swc/{name}.CNG.swc",
            }
        )
    write_jsonl(data / "metadata.jsonl", rows)
    shutil.copy(REPOSITORY / "config.yaml", tmp_path / "config.yaml")
    (tmp_path / "quick.yaml").write_text(yaml.safe_dump(QUICK))
    return Project(tmp_path)


def test_it_is_planned_as_it_stands(project: Project) -> None:
    done = project.call("--dry-run", "--configfile", str(CONFIG))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "acquire" in done.stdout + done.stderr


def test_its_stage_1_trains(project: Project) -> None:
    checkpoint = "results/runs/main/stage1/best.ckpt"
    done = project.call(checkpoint, "--configfile", str(CONFIG), str(project.folder / "quick.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    written = yaml.safe_load(CONFIG.read_text())["stage1"] | QUICK["stage1"]
    config = load_checkpoint(project.folder / checkpoint, 1)["config"]
    given = {name: value for name, value in written.items() if name != "checkpoint"}
    assert {name: config[name] for name in given} == given | {"lr": 2e-4}
    log = (project.folder / "results" / "logs" / "main" / "stage1.log").read_text()
    assert "step 3 of 3: train/loss" in log
    assert "val/loss" in log
