"""Draw the picture of the README: ``python docs/images/draw_views.py FOLDER_OF_DEMO_NEURONS``.

The folder is ``results/acquire/demo`` after ``make demo``. Neurons and terms: data/demo/README.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import axonet
from axonet.morphology.compartments import CLASS_NAMES, PALETTE

NEURONS = {
    "Mouse-CA2-Mc-Pyramidal-Cell": "CA2 pyramidal neuron",
    "SCA6_P13_C7": "Purkinje cell",
    "MTC251001A-IDB": "fast-spiking interneuron",
}
SIZE, GAP, TEXT = 300, 12, 26
FONT = ImageFont.load_default(15)


def colored(view: axonet.View) -> np.ndarray:
    """Compartments in color on white."""
    colors = PALETTE.copy()
    colors[0] = 255
    return colors[view.mask]


def depth(view: axonet.View) -> np.ndarray:
    """Near is dark, far is light, the background white."""
    image = view.depth_image(8).astype(float)
    shade = 20 + 200 * (image - 1) / 254
    return np.repeat(np.where(image > 0, shade, 255).astype(np.uint8)[..., None], 3, axis=2)


def panel(name: str, folder: Path) -> list[np.ndarray]:
    """Along PC3, PC2 and PC1, and the depth along PC3."""
    (file,) = folder.glob(f"{name}*.swc")
    views = axonet.render_views(
        axonet.read_swc(file), size=SIZE, canonical_views=6, biased_views=0, random_views=0, adaptive_framing=True,
        margin=0.08, supersample_factor=4,
    )  # fmt: skip
    return [colored(views[4]), depth(views[4]), colored(views[2]), colored(views[0])]


def main(folder: Path) -> None:
    """Compose and write the picture."""
    columns = ["along PC3", "depth", "along PC2", "along PC1"]
    left = 30
    width = left + len(columns) * (SIZE + GAP)
    canvas = Image.new("RGB", (width, TEXT + len(NEURONS) * (SIZE + GAP) + TEXT + 8), "white")
    draw = ImageDraw.Draw(canvas)
    for column, title in enumerate(columns):
        draw.text((left + column * (SIZE + GAP) + SIZE / 2, 5), title, fill="black", font=FONT, anchor="ma")
    for row, (name, title) in enumerate(NEURONS.items()):
        top = TEXT + row * (SIZE + GAP)
        label = Image.new("RGB", (SIZE, TEXT), "white")
        ImageDraw.Draw(label).text((SIZE / 2, 4), title, fill="black", font=FONT, anchor="ma")
        canvas.paste(label.rotate(90, expand=True), (0, top))
        for column, image in enumerate(panel(name, folder)):
            canvas.paste(Image.fromarray(image), (left + column * (SIZE + GAP), top))
    x = left
    for color, title in zip(PALETTE[1:5], CLASS_NAMES[1:5], strict=True):
        y = canvas.height - TEXT
        draw.rectangle((x, y + 4, x + 12, y + 16), fill=tuple(int(c) for c in color))
        draw.text((x + 18, y + 2), title, fill="black", font=FONT)
        x += 18 + int(draw.textlength(title, font=FONT)) + 24
    canvas.quantize(64).save(Path(__file__).with_name("views.png"), optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
