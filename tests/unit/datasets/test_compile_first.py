"""Several workers find compiled loops: somebody compiled them before they were started."""

from __future__ import annotations

from pathlib import Path

import pytest

from axonet.datasets import build_shard, png_jobs, shard_jobs
from axonet.datasets.compile_first import compile_first
from axonet.rendering import RenderSettings
from axonet.rendering.kernel import cache_folder
from axonet.training.dataset_generator import main

SAID = "compiling the loops that draw"
FLAGS = ["--width", "16", "--height", "16", "--canonical-views", "2", "--biased-views", "0", "--random-views", "0"]


@pytest.mark.parametrize("projection", ["ortho", "perspective"])
def test_it_is_done_once_for_several_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], projection: str
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    settings = RenderSettings(backend="cpu", projection=projection)
    compile_first(settings, 1, png=True)
    assert capsys.readouterr().err == ""
    compile_first(settings, 2, png=True)
    assert SAID in capsys.readouterr().err
    compile_first(settings, 2, png=True)
    assert capsys.readouterr().err == ""
    compile_first(settings, 2, png=False)
    assert SAID in capsys.readouterr().err


def test_without_a_cache_there_is_nothing_to_prepare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert cache_folder(str(tmp_path / "file")) is None
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    compile_first(RenderSettings(backend="cpu"), 2, png=True)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("layout", "module"), [("png", png_jobs), ("shards", shard_jobs)])
def test_both_layouts_do_it_before_workers_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, module: object
) -> None:
    (tmp_path / "swc").mkdir()
    for name in ("a", "b"):
        (tmp_path / "swc" / f"{name}.swc").write_text("1 1 0 0 0 5 -1\n2 3 20 0 0 1 1\n3 3 40 9 3 0.8 2\n")
    calls: list[object] = []
    monkeypatch.setattr(module, "compile_first", lambda _, jobs, png: calls.append((jobs, png)))
    started = build_shard.map_ordered

    def noted(function: object, items: object, jobs: int) -> object:
        calls.append("workers")
        return started(function, items, 1)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "map_ordered", noted)
    out = tmp_path / "data"
    assert main(["--swc-dir", str(tmp_path / "swc"), "--out", str(out), "--layout", layout, "-j", "8", *FLAGS]) == 0
    assert calls == [(2, layout == "png"), "workers"]
