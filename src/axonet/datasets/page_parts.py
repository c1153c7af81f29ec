"""What the pages about many neurons are made of: a document of cards with small pictures, which needs no other file."""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from axonet.datasets.quality_words import meaning
from axonet.morphology.compartments import CLASS_NAMES, N_CLASSES, PALETTE

THUMBNAIL_PX = 176

STYLE = """
:root { color-scheme: light dark; --ink: #1c1e24; --quiet: #646a76; --page: #f5f6f8; --card: #fff; --line: #e1e4e9;
  --bad: #b3261e; --bad-soft: #fbe9e7; --warn: #7a4d00; --warn-soft: #fdf1dc; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaee; --quiet: #9aa2af; --page: #14161a; --card: #1d2026;
  --line: #31353d; --bad: #ff9d94; --bad-soft: #43211f; --warn: #f0c067; --warn-soft: #3b2f18; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 56px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 6px; }
h2 { font-size: 17px; margin: 36px 0 10px; }
p { margin: 0 0 8px; max-width: 76ch; }
.quiet { color: var(--quiet); }
.figures { display: flex; flex-wrap: wrap; gap: 12px; margin: 20px 0 0; padding: 0; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 18px; }
.figures dt { color: var(--quiet); font-size: 13px; }
.figures dd { margin: 0; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 0 24px; }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line);
  font-size: 14px; }
td { padding: 4px 12px; border-top: 1px solid var(--line); vertical-align: top; }
tr:first-child td { border-top: 0; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; width: 1%; }
td.code { white-space: nowrap; width: 1%; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 350px), 1fr)); gap: 16px;
  list-style: none; padding: 0; margin: 16px 0 0; }
.cards li { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px;
  display: flex; flex-direction: column; gap: 8px; min-width: 0; }
.cards h3 { font-size: 15px; margin: 0; overflow-wrap: anywhere; }
.cards .file { font-size: 12.5px; color: var(--quiet); overflow-wrap: anywhere; }
.views { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px; }
figure { margin: 0; min-width: 0; }
figure img { display: block; width: 100%; border: 1px solid var(--line); border-radius: 6px; }
figcaption { overflow-wrap: anywhere; font-size: 11.5px; line-height: 1.3; color: var(--quiet); margin-top: 3px; }
.none { border: 1px dashed var(--line); border-radius: 6px; padding: 18px 12px; font-size: 13.5px; color: var(--quiet);
  overflow-wrap: anywhere; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; }
.chip { font-size: 12.5px; border-radius: 99px; padding: 1px 10px; background: var(--warn-soft); color: var(--warn); }
.chip.bad { background: var(--bad-soft); color: var(--bad); }
.facts { font-size: 13px; color: var(--quiet); font-variant-numeric: tabular-nums; margin: auto 0 0; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; color: var(--quiet); }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 6px; }
"""


def document(title: str, body: str, style: str = STYLE) -> str:
    """A whole page.

    Args:
        title: plain text.
        body: HTML of the page below its title.
        style: its CSS.
    """
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{body}
</main>
</body>
</html>
"""


def figures(counts: Mapping[str, int]) -> str:
    """Counts with their names, side by side."""
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{count:,}</dd></div>" for name, count in counts.items())
    return f'<dl class="figures">{items}</dl>'


def count_table(title: str, codes: Sequence[str], words: Mapping[str, str] | None = None) -> str:
    """A table of codes, the most frequent first, with what each means.

    Args:
        title: above it.
        codes: one for each time that it holds.
        words: meanings; by default those of the quality table.
    """
    counts = sorted(Counter(codes).items(), key=lambda item: (-item[1], item[0]))
    rows = "".join(
        f'<tr><td class="n">{count:,}</td><td class="code"><code>{escape(code)}</code></td>'
        f'<td class="quiet">{escape(meaning(code) if words is None else words.get(code, ""))}</td></tr>'
        for code, count in counts
    )
    return f"<section><h2>{escape(title)}</h2><table>{rows or '<tr><td>None.</td></tr>'}</table></section>"


def legend() -> str:
    """The colors of the compartments."""
    colors = ("#" + bytes(int(value) for value in PALETTE[label]).hex() for label in range(1, N_CLASSES))
    items = (
        f'<span><i style="background:{color}"></i>{name}</span>'
        for color, name in zip(colors, CLASS_NAMES[1:], strict=True)
    )
    return f'<p class="legend">{"".join(items)}</p>'


def chip(code: str, words: str, *, bad: bool) -> str:
    """A code as a label that tells its meaning when the pointer is on it."""
    return f'<span class="{"chip bad" if bad else "chip"}" title="{escape(words)}">{escape(code)}</span>'


def figure(mask: NDArray[np.uint8], label: str, below: str) -> str:
    """A small picture of a view.

    Args:
        mask: ``(h, w)`` class ids.
        label: what it is, plain text.
        below: a second line, plain text.
    """
    image = base64.b64encode(thumbnail(mask)).decode("ascii")
    return (
        f'<figure><img src="data:image/png;base64,{image}" alt="{escape(label)}">'
        f"<figcaption>{escape(label)}<br>{escape(below)}</figcaption></figure>"
    )


def length_text(um: float) -> str:
    """A length in um or mm."""
    return f"{um / 1000:.3g} mm" if um >= 1000 else f"{um:.3g} µm"


def thumbnail(mask: NDArray[np.uint8]) -> bytes:
    """A small picture of a class map in colors, transparent where there is nothing, so that any page suits it.

    Thin cable that fills a part of a reduced pixel keeps more ink than its share, so that it stays visible.

    Args:
        mask: ``(h, w)`` class ids.

    Returns:
        A PNG file.
    """
    from PIL import Image

    step = max(1, -(-max(mask.shape) // THUMBNAIL_PX))
    mask = np.pad(mask, [(0, -size % step) for size in mask.shape])
    blocks = (mask.shape[0] // step, step, mask.shape[1] // step, step)
    covered = (mask > 0).reshape(blocks).sum(axis=(1, 3))
    color = PALETTE[mask].astype(np.float64).reshape(*blocks, 3).sum(axis=(1, 3)) / np.maximum(covered, 1)[..., None]
    opacity = 255.0 * np.sqrt(covered / step**2)
    pixels = np.rint(np.dstack([color, opacity])).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", optimize=True)
    return file.getvalue()
