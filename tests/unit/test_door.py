"""The Python door: few names, and nothing heavy before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

import axonet

HEAVY = {
    "torch",
    "lightning",
    "numpy",
    "pandas",
    "sklearn",
    "numba",
    "pyarrow",
    "matplotlib",
    "sentence_transformers",
    "pydantic",
}


def test_importing_axonet_imports_nothing_heavy() -> None:
    code = "import sys, axonet; dir(axonet); print(axonet.__version__); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    version, modules = done.stdout.splitlines()
    assert version == axonet.__version__
    assert not HEAVY & set(modules.split())


def test_reading_and_rendering_need_no_torch() -> None:
    code = "import sys, axonet; axonet.read_swc; axonet.render_views; axonet.View; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "lightning", "sentence_transformers"} & set(done.stdout.split())


@pytest.mark.parametrize("name", sorted(axonet.__all__))
def test_every_name_opens(name: str) -> None:
    assert getattr(axonet, name) is getattr(axonet, name)
    assert name in dir(axonet)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = axonet.no_such_name
