"""The commands for neurons of one's own, as README and pages give them: they run, and no flag is forgotten."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from axonet.cli import main
from axonet.core.config import CommandSettings
from axonet.utils.explain import ExplainConfig
from axonet.utils.search import SearchConfig
from tests.fakes.neurons import made_up_swc
from tests.unit.explore.conftest import results  # noqa: F401 - fixture

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOW_TO = ROOT / "docs" / "how-to"


@pytest.fixture
def folder(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    """A working directory with everything that the pages speak of."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(results, "results")
    shutil.copytree(results.parent / "swc", "swc")
    shutil.copy("results/runs/main/stage2/best.ckpt", "best.ckpt")
    Path("my_cell.swc").write_bytes(made_up_swc(77))
    for number in range(3):
        Path("cells").mkdir(exist_ok=True)
        Path(f"cells/{number}.swc").write_bytes(made_up_swc(number))
    return tmp_path


def commands(text: str) -> list[list[str]]:
    lines = [line for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("axonet ")]


def test_the_readme_shows_neurons_of_ones_own_the_way(folder: Path) -> None:
    found = commands(README[README.index("## With neurons of your own") : README.index("## What it does not prove")])
    assert [arguments[0] for arguments in found][:4] == ["doctor", "audit", "embed", "export"]
    for arguments in found:
        offline = ["--offline"] if arguments[0] == "doctor" else []
        assert main([*arguments, *offline]) == 0, arguments
    for made in ("audit/audit.html", "vectors.parquet", "results/explore/meta.json", "why.png"):
        assert (folder / made).is_file()


@pytest.mark.parametrize(("page", "model"), [("search", SearchConfig), ("explain", ExplainConfig)])
def test_the_commands_of_a_page_run_and_its_words_name_every_flag(
    page: str, model: type[CommandSettings], folder: Path
) -> None:
    text = (HOW_TO / f"{page}.md").read_text(encoding="utf-8")
    assert commands(text)
    for arguments in commands(text):
        assert main(arguments) == 0, arguments
    for name in model.model_fields.keys() - {"words", "neuron", "k", "as_json"}:
        assert f"--{name}" in text, name
    assert "--json" in text
