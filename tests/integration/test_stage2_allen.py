"""configs/stage2_allen_clip.yaml: planned as it stands, and run for a few steps on cells of the Allen replica."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from axonet.core.files import read_json, read_table
from tests.fakes.allen import Allen
from tests.fakes.server import Replica
from tests.integration.project import REPOSITORY, Project

CONFIG = REPOSITORY / "configs" / "stage2_allen_clip.yaml"
# Small pictures, few steps, and a text encoder without weights; everything else is the configuration's own.
QUICK = {
    "acquire": {"shard_bits": 1},
    "render": {"width": 32, "height": 32, "canonical_views": 2, "biased_views": 1, "random_views": 1},
    "stage2": {
        "text_encoder": "hash:64",
        "clip_embed_dim": 16,
        "max_epochs": 2,
        "batch_size": 4,
        "morphometrics": True,
    },
    "evaluate": {"bootstrap": 20},
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder with cells that were downloaded from the replica and an untrained Stage 1 encoder."""
    from axonet.utils.allen_bulk import main as download

    site = Allen.made_up(n_database=16, n_mouse=6, n_human=2)
    with Replica(site) as replica:
        for name in ("AXONET_ALLEN_URL", "AXONET_BIL_URL"):
            monkeypatch.setenv(name, replica.url)
        monkeypatch.setenv("NO_PROXY", "*")
        monkeypatch.setenv("AXONET_CACHE", str(site.write_package(tmp_path / "cache")))
        folder = tmp_path / "project"
        assert download(["--out", str(folder / "data" / "allen"), "--rate", "0", "--include-metadata"]) == 0
    shutil.copy(REPOSITORY / "config.yaml", folder / "config.yaml")
    (folder / "quick.yaml").write_text(yaml.safe_dump(QUICK))
    return Project(folder)


def save_stage1(folder: Path) -> None:
    from axonet.core.input_spec import InputSpec
    from axonet.models.checkpoint import save_checkpoint, stage1_checkpoint
    from axonet.models.seg_vae import SegVAE2D

    render = {**yaml.safe_load(CONFIG.read_text())["render"], **QUICK["render"]}
    spec = InputSpec.model_validate({**render, "log_fov_mean": 5.0, "log_fov_std": 1.0})
    network = SegVAE2D(levels=2, base_channels=4, latent_channels=8)
    save_checkpoint(folder / "checkpoints" / "stage1" / "best.ckpt", stage1_checkpoint(network, {}, spec))


def test_it_is_planned_as_it_stands(project: Project) -> None:
    save_stage1(project.folder)
    done = project.call("--dry-run", "--configfile", str(CONFIG))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "acquire" in done.stdout + done.stderr


def test_without_its_stage_1_checkpoint_one_line_says_so(project: Project) -> None:
    done = project.call("--dry-run", "--configfile", str(CONFIG))
    assert done.returncode != 0
    assert "stage1.checkpoint: no such file 'checkpoints/stage1/best.ckpt'" in done.stdout + done.stderr


@pytest.mark.slow
def test_it_runs(project: Project) -> None:
    """Nothing of Stage 1 is trained, and both embeddings are judged."""
    save_stage1(project.folder)
    done = project.call("--configfile", str(CONFIG), str(project.folder / "quick.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    results = project.folder / "results"
    assert not (results / "runs" / "main" / "stage1").exists()
    vectors = sorted((results / "encode" / "main.stage2").glob("*.parquet"))
    assert vectors
    assert all("joined" in read_table(path).column_names for path in vectors)
    metrics = read_json(results / "runs" / "main" / "evaluate" / "metrics.json")
    models = {row["model"] for row in metrics["retrieval"]}
    assert models == {"image", "image+morphometrics"}
