"""Golden images: pictures that were looked at once and must not change unnoticed.

``python -m tests.unit.rendering.golden`` makes them anew (``--backend cpu`` or ``gl`` for one backend). Then look at
what git shows as changed, and say in the commit why.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from axonet.core.files import write_bytes
from axonet.datasets.png import decode_png, encode_classes, encode_gray
from axonet.morphology.compartments import PALETTE
from axonet.morphology.swc import read_swc
from axonet.rendering import RenderSettings
from axonet.rendering.backends import drawing
from axonet.rendering.camera import camera_basis
from axonet.rendering.framing import frame_view
from axonet.rendering.geometry import build_geometry
from axonet.rendering.view import View

TESTS = Path(__file__).resolve().parents[2]
FOLDER = TESTS / "golden"
SIZE = 128
# File, look direction, and settings. The direction is in the world, not along principal axes: libraries for linear
# algebra differ in the last bit from processor to processor, and nothing else here does.
CASES = {
    "made-front": (FOLDER / "made.swc", (0.0, 0.0, 1.0), {"margin": 0.06}),
    "made-oblique-perspective": (FOLDER / "made.swc", (0.6, -0.3, 0.7), {"projection": "perspective"}),
    "three-point-soma": (TESTS / "data/swc-edge-cases/05_soma_3point_neuromorpho.swc", (0.2, 0.1, -1.0), {}),
    "types-midbranch-perspective": (
        TESTS / "data/swc-edge-cases/32_type_change_midbranch.swc",
        (-0.3, 0.5, 0.8),
        {"projection": "perspective", "margin": 0.0, "supersample_factor": 1},
    ),
}


def picture(case, backend):
    """Mask of classes and depth (8 bits) of a case, by kind."""
    path, direction, changed = CASES[case]
    settings = RenderSettings(**{"width": SIZE, "height": SIZE, "supersample_factor": 2, "backend": backend, **changed})
    geometry = build_geometry(read_swc(path))
    camera = frame_view(geometry.spheres, camera_basis(np.array(direction), np.eye(3)), settings)
    with drawing(geometry, settings) as draw:
        mask, depth_um, near_um, far_um = draw(camera)
    return {"mask": mask, "depth": View(0, "golden", mask, depth_um, camera, 1.0, near_um, far_um).depth_image(8)}


def golden_file(case, kind, backend):
    """Where a golden image lies."""
    return FOLDER / {"cpu": "cpu", "gl": "llvmpipe"}[backend] / f"{case}_{kind}.png"


def compare(case, kind, backend, folder, step=0):
    """Compare what a backend draws with the golden image; what differs is saved.

    Returns:
        Number of pixels that are covered in one of the two only; of those that differ by more than ``step`` otherwise;
        a file with golden, drawn and difference side by side, ``None`` where nothing differs.
    """
    golden = decode_png(golden_file(case, kind, backend).read_bytes()).astype(int)
    drawn = picture(case, backend)[kind].astype(int)
    edges, difference = (golden > 0) != (drawn > 0), np.abs(golden - drawn)
    if not difference.any():
        return 0, 0, None
    bright = 50 if kind == "mask" else 1
    shown = np.concatenate([golden * bright, drawn * bright, np.where(difference > 0, 255, 0)], axis=1)
    path = Path(folder) / f"{case}_{kind}_{backend}_difference.png"
    write_bytes(path, encode_gray(shown.astype(np.uint8)))
    return int(edges.sum()), int((~edges & (difference > step)).sum()), path


def main():
    """Make golden images anew."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--backend", choices=["cpu", "gl"], action="append", help="both by default")
    for backend in parser.parse_args().backend or ["cpu", "gl"]:
        for case in CASES:
            images = picture(case, backend)
            write_bytes(golden_file(case, "mask", backend), encode_classes(images["mask"], PALETTE)[1])
            write_bytes(golden_file(case, "depth", backend), encode_gray(images["depth"]))


if __name__ == "__main__":
    main()
