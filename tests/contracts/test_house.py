"""The house as a whole: light imports, files that agree with each other, words that stay out."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from axonet.cli import COMMANDS, main
from axonet.core.resources import project_file
from axonet.pipeline.code_epochs import ENTRY
from axonet.version import __version__

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "lightning", "sklearn", "sentence_transformers", "matplotlib", "numba", "scipy", "pandas"}


def modules_after(code: str) -> set[str]:
    """Top-level names of what a fresh interpreter has imported after the code."""
    script = f"{code}\nimport sys; print('\\n'.join({{name.split('.')[0] for name in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize("module", sorted({*ENTRY.values(), *(module for module, _ in COMMANDS.values())}))
def test_help_imports_nothing_heavy(module):
    code = f"import contextlib, io\nfrom {module} import main\n"
    code += "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n    main(['--help'])"
    assert not modules_after(code) & HEAVY


def test_what_the_snakefile_imports_is_light():
    code = (
        "import axonet.pipeline.plan, axonet.pipeline.root_config, axonet.pipeline.code_epochs, axonet.datasets.splits"
    )
    assert not modules_after(code) & HEAVY


def test_importing_axonet_imports_nothing_heavy():
    assert not modules_after("import axonet") & (HEAVY | {"numpy", "pyarrow", "pydantic"})


@pytest.mark.parametrize("name", [*COMMANDS, ""])
def test_every_subcommand_has_help(name, capsys):
    with contextlib.suppress(SystemExit):
        assert main([name, "--help"] if name else []) == 0
    assert "usage: axonet" in capsys.readouterr().out


def test_the_version_is_told_and_an_unknown_command_refused(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"axonet {__version__}\n"
    assert main(["explode"]) == 2
    assert "demo" in capsys.readouterr().err


def test_version_and_licence_are_the_same_everywhere():
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert citation["version"] == __version__
    assert f"## {__version__}" in (REPOSITORY / "CHANGELOG.md").read_text()
    assert citation["license"] == project["license"] == "MIT"


def test_the_conda_environment_installs_extras_that_exist():
    environment = yaml.safe_load((REPOSITORY / "envs/axonet.yaml").read_text())
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (requirement,) = environment["dependencies"][-1]["pip"]
    assert set(re.fullmatch(r"axonet\[(.*)\]", requirement)[1].split(",")) <= extras.keys()


def test_every_link_of_the_readme_leads_somewhere():
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        *(str(p.relative_to(REPOSITORY)) for p in (REPOSITORY / "docs").rglob("*.md")),
    ):
        file = REPOSITORY / name
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text()):
            assert (file.parent / target).exists(), f"{name}: {target}"


def test_the_entry_of_the_workflow_is_short():
    assert len((REPOSITORY / "Snakefile").read_text().splitlines()) <= 40
    assert len((REPOSITORY / "CONTRIBUTING.md").read_text().splitlines()) <= 60


def test_rules_call_commands_that_exist():
    for file in (REPOSITORY / "workflow/rules").glob("*.smk"):
        for module in re.findall(r"python -m (axonet[\w.]+)", file.read_text()):
            assert module in ENTRY.values()


def test_a_missing_file_of_the_installation_is_said():
    assert project_file("data/demo/neurons.csv").is_file()
    with pytest.raises(Exception, match="reinstall"):
        project_file("data/demo/absent.csv")
