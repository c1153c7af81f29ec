"""The page about embedding a folder: its command and its Python run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from axonet.cli import main
from axonet.core.files import read_table
from axonet.models.checkpoint import Checkpoint, save_checkpoint
from tests.fakes.neurons import made_up_swc
from tests.unit.inference.conftest import stage1, stage2  # noqa: F401 - fixtures

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "embed.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)[0]


def test_the_page_runs(stage2: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.chdir(tmp_path)
    save_checkpoint("best.ckpt", stage2)
    Path("cells").mkdir()
    for number, name in enumerate("ab"):
        Path(f"cells/{name}.swc").write_bytes(made_up_swc(number))
    program, *arguments = shlex.split(block("bash"))
    assert program == "axonet"
    assert main([*arguments, "--accelerator", "cpu"]) == 0
    named = re.findall(r"^\| `(vectors\.\S+)` \|", TEXT, re.MULTILINE)
    assert len(named) == 3
    assert all(Path(name).is_file() for name in named)
    *lines, last = block("python").strip().splitlines()
    names: dict[str, object] = {}
    exec("\n".join(lines[:-1]), names)
    vectors = eval(lines[-1], names)
    assert (vectors.shape, eval(last, names).shape) == ((2, 16), (1, 16))
    np.testing.assert_allclose(vectors, read_table("vectors.neurons.parquet")["vector"].to_pylist(), atol=1e-6)
