"""Pictures against golden images, see :mod:`tests.unit.rendering.golden` for how those are made.

The CPU backend must match them to the bit: its arithmetic is additions, products, quotients and roots in a fixed order,
which every processor rounds alike. Versions of Mesa compile shaders to other orders of operations, so on llvmpipe a few
pixels on edges may differ, and depth by a step of its 255; a wrong class or a moved shape changes far more.
"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from axonet.datasets.png import encode_gray

from . import golden
from .synthetic import needs_gl

KINDS = ["mask", "depth"]
FEW_PIXELS = 4
"""On llvmpipe, of the 450 to 1,100 that a neuron covers."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", golden.CASES)
def test_the_cpu_draws_the_golden_image(case, kind, tmp_path):
    edges, inside, path = golden.compare(case, kind, "cpu", tmp_path)
    assert edges == inside == 0, f"golden, drawn and difference side by side: {path}"


@needs_gl
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", golden.CASES)
def test_llvmpipe_draws_the_golden_image_but_for_a_few_pixels(case, kind, tmp_path):
    from axonet.rendering.gl_context import open_context

    if "llvmpipe" not in open_context().renderer:
        pytest.skip(f"the golden images are those of llvmpipe, this is {open_context().renderer}")
    edges, inside, path = golden.compare(case, kind, "gl", tmp_path, step=1 if kind == "depth" else 0)
    assert edges <= FEW_PIXELS, f"another silhouette; golden, drawn and difference side by side: {path}"
    assert inside <= FEW_PIXELS, f"another {kind}; golden, drawn and difference side by side: {path}"


def test_a_difference_is_shown_in_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(golden, "FOLDER", tmp_path)
    (tmp_path / "cpu").mkdir()
    other = golden.picture("made-front", "cpu")["mask"].copy()
    assert other[5, 7] == 0
    other[5, 7] = 3
    golden.golden_file("made-front", "mask", "cpu").write_bytes(encode_gray(other))
    edges, inside, path = golden.compare("made-front", "mask", "cpu", tmp_path)
    assert (edges, inside) == (1, 0)
    shown = np.asarray(Image.open(path))
    assert shown.shape == (128, 3 * 128)
    assert np.argwhere(shown[:, 256:]).tolist() == [[5, 7]]
