"""The commands of the documentation, and those of the specification, run as they are written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from tests.fakes.allen import Allen
from tests.fakes.folders import rows
from tests.fakes.neuromorpho import NeuroMorpho
from tests.fakes.server import Replica

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "download.md"
# As users were given them, from the start.
SPECIFIED = [
    """python -m axonet.utils.neuromorpho_bulk \\
    --query 'species:mouse' \\
    --out data/neuromorpho \\
    --fetch-morphometry \\
    --find \\
    --insecure
""",
    """python -m axonet.utils.neuromorpho_bulk \\
    --filters '{"domain": ["Dendrites, Soma, Axon"], "attributes": ["Diameter, 3D, Angles"], "species": ["mouse"]}' \\
    --out data/neuromorpho \\
    --fetch-morphometry \\
    --find \\
    --insecure
""",
    """python -m axonet.utils.allen_bulk \\
    --out data/allen \\
    --include-metadata
""",
]


class Shell:
    """Runs commands in an empty folder, with replicas in the place of the servers."""

    def __init__(self, folder: Path, site: Replica, allen: Replica, cache: Path) -> None:
        self.folder = folder
        self._environment = {
            **os.environ,
            "AXONET_NEUROMORPHO_URL": site.url,
            "AXONET_ALLEN_URL": allen.url,
            "AXONET_BIL_URL": allen.url,
            "AXONET_CACHE": str(cache),
            "NO_PROXY": "*",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def run(self, commands: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-euo", "pipefail", "-c", commands]
        return subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    allen_site = Allen.made_up(2, 2, 1)
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "intermediate.pem").write_bytes(Path(certifi.where()).read_bytes())
    with Replica(NeuroMorpho.made_up(4)) as site, Replica(allen_site) as allen:
        yield Shell(folder, site, allen, allen_site.write_package(tmp_path / "cache"))


def test_the_commands_of_the_how_to_run_in_their_order(shell: Shell) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 8
    for block in blocks:
        result = shell.run(block)
        assert result.returncode == 0, f"{block}\n{result.stderr}"
    assert len(rows(shell.folder / "data" / "neuromorpho" / "metadata.jsonl")) == 4
    assert len(rows(shell.folder / "data" / "neuromorpho" / "morphometry.jsonl")) == 4
    assert len(rows(shell.folder / "data" / "trial" / "metadata.jsonl")) == 4
    assert len(rows(shell.folder / "data" / "allen" / "metadata.jsonl")) == 5


@pytest.mark.parametrize("command", SPECIFIED, ids=["query", "filters", "allen"])
def test_the_specified_commands_run_as_written(command: str, shell: Shell) -> None:
    result = shell.run(command)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("warning: --insecure") == command.count("--insecure")
    out = shell.folder / "data" / ("allen" if "allen" in command else "neuromorpho")
    metadata = rows(out / "metadata.jsonl")
    assert all((out / row["swc"]).is_file() for row in metadata)
    assert len(list((out / "swc").iterdir())) == len(metadata) == (5 if "allen" in command else 4)
    if "morphometry" in command:
        assert len(rows(out / "morphometry.jsonl")) == 4


@pytest.mark.parametrize("module", ["neuromorpho_bulk", "allen_bulk"])
def test_help_names_every_flag_and_imports_nothing_heavy(module: str, shell: Shell) -> None:
    code = (
        f"import sys; from axonet.utils.{module} import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'pandas', 'numba', 'pyarrow', 'httpx', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'heavy: {heavy}' if heavy else 0)"
    )
    result = shell.run(f'python -c "{code}"')
    assert result.returncode == 0, result.stderr
    for flag in (
        "--out",
        "--rate",
        "--jobs",
        "-j",
        "--contact",
        "--insecure",
        "--tls-legacy",
        "--tls-ca-file",
        "--refresh",
    ):
        assert flag in result.stdout
