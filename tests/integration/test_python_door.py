"""The Python door as its page tells it: every public name, every example, both notebooks."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

import axonet
from axonet.models.checkpoint import Checkpoint, save_checkpoint
from tests.fakes.neurons import made_up_swc
from tests.unit.inference.conftest import stage1, stage2  # noqa: F401 - fixtures

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))


@pytest.fixture
def folder(stage2: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    monkeypatch.chdir(tmp_path)
    save_checkpoint("best.ckpt", stage2)
    Path("cell.swc").write_bytes(made_up_swc(4))
    Path("page.swc").write_text("<html>not found</html>")
    for number in range(3):
        (tmp_path / "cells" / f"{number}.swc").parent.mkdir(exist_ok=True)
        (tmp_path / "cells" / f"{number}.swc").write_bytes(made_up_swc(number))
    return tmp_path


def test_the_page_lists_the_public_names_and_no_other() -> None:
    assert set(re.findall(r"^\| `(\w+)", PAGE, re.MULTILINE)) == set(axonet.__all__)


def test_every_public_name_has_a_docstring() -> None:
    for name in set(axonet.__all__) - {"__version__"}:
        assert getattr(axonet, name).__doc__, name


def test_the_examples_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        for statement in ast.parse(block).body:
            exec(compile(ast.Module([statement], []), "python.md", "exec"), names)
    assert capsys.readouterr().out.startswith("html_page page.swc")
    assert eval("(words @ vectors.T).shape, abs(vectors[0] - vectors[1]).max() < 1e-6", names) == ((2, 2), True)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_pictures(notebook: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("AXONET_CHECKPOINT", "best.ckpt")
    monkeypatch.setenv("AXONET_SWC_DIR", "cells")
    monkeypatch.setenv("JUPYTER_PATH", str(write_kernel(folder)))
    content = nbformat.read(notebook, as_version=4)
    assert not any(cell.get("outputs") for cell in content.cells), "stored without outputs"
    client = NotebookClient(content, timeout=300, kernel_name="this-python", resources={"metadata": {"path": folder}})
    done = client.execute()
    shown = [output.data for cell in done.cells for output in cell.get("outputs", ()) if "data" in output]
    kinds = {kind for data in shown for kind in data}
    assert "text/html" in kinds
    assert any("<svg" in data.get("text/html", "") for data in shown)
    assert ("image/png" in kinds) == (notebook.stem == "look-at-a-neuron")


def write_kernel(folder: Path) -> Path:
    """A kernel that is this very interpreter, whatever kernels the machine has."""
    import json

    place = folder / "jupyter" / "kernels" / "this-python"
    place.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    place.joinpath("kernel.json").write_text(json.dumps({"argv": command, "display_name": "p", "language": "python"}))
    return folder / "jupyter"
