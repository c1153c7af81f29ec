"""``axonet render``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from axonet import cli

SWC = "1 1 0 0 0 5 -1\n2 3 20 0 0 1 1\n3 3 60 30 0 1 2\n4 3 60 -30 9 1 2\n5 2 -40 5 0 0.5 1\n"


@pytest.fixture
def swc(tmp_path: Path) -> Path:
    path = tmp_path / "cell.swc"
    path.write_text(SWC)
    return path


def test_a_neuron_becomes_a_page_of_its_views(swc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "made" / "views.png"
    assert cli.main(["render", str(swc), "-o", str(out), "--width", "96", "--height", "96"]) == 0
    page = np.asarray(Image.open(out))
    assert page.shape[2] == 3
    assert len(np.unique(page.reshape(-1, 3), axis=0)) > 20
    assert f"{out}: 24 views of cell" in capsys.readouterr().err
    before = out.read_bytes()
    assert cli.main(["render", str(swc), "--out", str(out), "--width", "96", "--height", "96"]) == 0
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "SWC"),
        (["none.swc"], "none.swc"),
        (["{swc}", "-o", "views.jpg"], "ends in .png"),
        (["{swc}", "--width", "0"], "--width"),
        (["{swc}", "--backend", "vulkan"], "--backend"),
        (["{swc}", "{swc}"], "unknown argument"),
    ],
)
def test_wrong_calls_are_one_line(
    arguments: list[str],
    message: str,
    swc: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["render", *[argument.format(swc=swc) for argument in arguments]]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert list(tmp_path.glob("*.png")) == []


def test_settings_that_change_nothing_here_say_so(
    swc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["-o", str(tmp_path / "v.png"), "--width", "32", "--height", "32"]
    assert cli.main(["render", str(swc), *out, "--no-cache", "--depth-bits", "16"]) == 0
    error = capsys.readouterr().err
    assert "--no-cache: there is no mesh cache to switch off" in error
    assert "--depth-bits: a page of views stores no depth" in error
