"""The command that encodes views."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from axonet.core.input_spec import InputSpec
from axonet.datasets.shards import ViewImages, neuron_batch, shard_schema, shard_writer
from axonet.datasets.view_store import ViewStore
from axonet.inference.encode import build_view_encoder, encode_views
from axonet.inference.vectors import read_vectors
from axonet.models.checkpoint import Checkpoint, save_checkpoint
from axonet.utils.encode import main


@pytest.fixture
def shard(tmp_path: Path, store: ViewStore) -> Path:
    path = tmp_path / "0a-0123456789ab.arrow"
    schema = shard_schema(InputSpec.model_validate(store.spec.model_dump()), 8, {})
    rows = store.rows.to_pylist()
    with shard_writer(path, schema) as writer:
        for name in ("a", "b", "c"):
            views = [ViewImages(row, *store.read(i)[:2]) for i, row in enumerate(rows) if row["neuron_id"] == name]
            writer.add(neuron_batch(views, schema))
    return path


@pytest.mark.parametrize("stage", [1, 2])
def test_a_shard_becomes_a_vector_per_view(
    stage: int, stage1: Checkpoint, stage2: Checkpoint, shard: Path, store: ViewStore, tmp_path: Path
) -> None:
    checkpoint = (stage1, stage2)[stage - 1]
    save_checkpoint(tmp_path / "model.ckpt", checkpoint)
    out = tmp_path / "encode" / "0a.parquet"
    arguments = [
        "--checkpoint",
        f"{tmp_path}/model.ckpt",
        "--shard",
        str(shard),
        "--out",
        str(out),
        "--accelerator",
        "cpu",
    ]
    assert main(arguments) == 0
    found = read_vectors(out)
    assert (found.stage, found.checkpoint) == (stage, checkpoint["fingerprint"])
    assert found.neuron_id == store.neuron_ids
    np.testing.assert_allclose(found.vector, encode_views(build_view_encoder(checkpoint), store), atol=1e-6)


def test_the_same_call_gives_the_same_bytes(stage2: Checkpoint, shard: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "model.ckpt", stage2)
    for name in ("one", "two"):
        arguments = ["--checkpoint", f"{tmp_path}/model.ckpt", "--shard", str(shard), "--accelerator", "cpu"]
        assert main([*arguments, "--out", f"{tmp_path}/{name}"]) == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--out", "o"], "--data-dir and --manifest, or by --shard"),
        (["--out", "o", "--data-dir", "d"], "--data-dir and --manifest, or by --shard"),
        (["--out", "o", "--shard", "s", "--manifest", "m"], "--data-dir and --manifest, or by --shard"),
        (["--out", "o", "--shard", "s"], "missing.ckpt: no such file"),
        (["--shard", "s"], "--out is required"),
    ],
)
def test_a_wrong_call_is_one_line(more: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--checkpoint", "missing.ckpt", *more]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; from axonet.utils.encode import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--shard" in done.stdout
