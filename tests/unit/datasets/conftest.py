from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from axonet.datasets.shards import ViewImages
from tests.unit.datasets.view_examples import swc_text, view_row


@pytest.fixture
def swc_dir(tmp_path: Path) -> Path:
    """Three neurons of a little different shape."""
    folder = tmp_path / "swc"
    folder.mkdir()
    for number, name in enumerate(("alpha.CNG.swc", "beta.swc", "gamma.swc")):
        (folder / name).write_text(swc_text(number))
    return folder


@pytest.fixture
def make_views() -> Callable[..., list[ViewImages]]:
    """Views with random pixels."""

    def make(neuron: str, views: Sequence[int] = (0, 1), depth_bits: int = 8, zoom: bool = False) -> list[ViewImages]:
        rng = np.random.default_rng(len(neuron))
        found = []
        for view in views:
            mask = rng.integers(0, 6, (6, 9)).astype(np.uint8)
            dtype = np.uint8 if depth_bits == 8 else np.uint16
            depth = np.where(mask > 0, rng.integers(1, np.iinfo(dtype).max, (6, 9)), 0).astype(dtype)
            window = (rng.integers(0, 2, (6, 9)) * 255).astype(np.uint8) if zoom else None
            found.append(ViewImages({**view_row(neuron, view), "has_zoom": zoom}, mask, depth, window))
        return found

    return make
