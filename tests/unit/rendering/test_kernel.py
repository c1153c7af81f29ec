from __future__ import annotations

from pathlib import Path

import pytest

from axonet.rendering.kernel import cache_folder


def test_kernels_are_kept_where_the_user_chose(tmp_path):
    folder = cache_folder(str(tmp_path))
    assert folder is not None
    assert folder.parent == tmp_path
    assert folder.is_dir()


@pytest.mark.parametrize("file", ["rendering/raster.py", "datasets/deflate_tokens.py"])
def test_the_folder_belongs_to_the_state_of_the_sources(file, tmp_path, monkeypatch):
    import axonet.rendering.kernel as module

    for folder in ("rendering", "datasets"):
        (tmp_path / folder).mkdir()
    (tmp_path / file).write_text("a = 1\n")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "rendering" / "kernel.py"))
    before = cache_folder(str(tmp_path / "one"))
    (tmp_path / file).write_text("a = 2\n")
    after = cache_folder(str(tmp_path / "two"))
    assert Path(before).name != Path(after).name


def test_without_a_place_to_write_kernels_are_compiled_in_memory(tmp_path):
    (tmp_path / "file").write_text("")
    assert cache_folder(str(tmp_path / "file")) is None
