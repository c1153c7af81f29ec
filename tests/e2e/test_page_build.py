"""The page's program is what its sources give: byte for byte, with types checked."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
STATIC = REPOSITORY / "src" / "axonet" / "explore" / "static"

pytestmark = [pytest.mark.network, pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")]


def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    web = tmp_path / "web"
    shutil.copytree(REPOSITORY / "web", web, ignore=shutil.ignore_patterns("node_modules"))
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    result = subprocess.run(install, cwd=web, capture_output=True, text=True, timeout=300, check=False)
    if result.returncode:
        pytest.skip(f"the packages cannot be installed here: {result.stderr.strip()[-300:]}")
    for command in (["npm", "run", "--silent", "check"], ["node", "build.mjs", str(tmp_path / "built")]):
        subprocess.run(command, cwd=web, check=True, timeout=300)
    for file in sorted(STATIC.iterdir()):
        assert (tmp_path / "built" / file.name).read_bytes() == file.read_bytes(), f"{file.name}: run `make page`"
