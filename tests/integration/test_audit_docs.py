"""The page about the audit: its commands run, and it names every kind of finding."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from axonet.cli import main
from axonet.explore.audit import TITLES
from axonet.explore.audit_table import COLUMNS
from axonet.models.checkpoint import Checkpoint, save_checkpoint
from tests.fakes.neurons import made_up_swc
from tests.unit.inference.conftest import stage1, stage2  # noqa: F401 - fixtures

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "audit.md").read_text(encoding="utf-8")


def test_the_page_names_every_kind_and_column() -> None:
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE) == list(TITLES)
    assert all(f"`{column}`" in TEXT for column in COLUMNS)


def test_the_commands_run(stage2: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.chdir(tmp_path)
    save_checkpoint("best.ckpt", stage2)
    Path("cells").mkdir()
    lines = ["file,species,cell_type"]
    for number in range(24):
        Path(f"cells/{number}.swc").write_bytes(made_up_swc(number % 22))  # two of them twice
        lines.append(f"{number}.swc,mouse,pyramidal")
    Path("neurons.csv").write_text("\n".join(lines) + "\n")
    for block in re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL):
        for line in block.strip().splitlines():
            assert main(shlex.split(line)[1:]) == 0
    page = Path("audit/audit.html").read_text(encoding="utf-8")
    assert "20 neighbors each: cell type of 24, region of 0, species of 24." in page
    assert Path("audit/audit.csv").read_text().count(",copies,wrong,same_file,") == 4
