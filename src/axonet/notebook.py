"""How a neuron shows itself in a notebook: its picture beside what is known of it.

The top package puts this on ``Neuron`` when it opens one of its names: the rooms below know nothing of pages.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from axonet.morphology.neuron import Neuron

_CELL = "text-align:left;padding:1px 14px 1px 0;background:none"


def register() -> None:
    """Let neurons show themselves with :func:`neuron_html`."""
    from axonet.morphology.neuron import Neuron

    setattr(Neuron, "_repr_html_", neuron_html)  # noqa: B010 - mypy knows no such method, and need not


def neuron_html(neuron: Neuron) -> str:
    """Picture, name, sizes, compartments and warnings with their meaning, as HTML."""
    from axonet.datasets.quality_words import meaning
    from axonet.morphology.compartments import CLASS_NAMES, N_CLASSES, PALETTE
    from axonet.morphology.drawing import to_svg

    values = neuron.morphometrics()
    facts = {
        "nodes": f"{neuron.n_nodes:,}",
        "cable": f"{values['cable_length']:,.0f} µm",
        "branch points": f"{values['n_branch_points']:,.0f}",
        "tips": f"{values['n_tips']:,.0f}",
        "extent": " × ".join(f"{side:,.0f}" for side in neuron.extent) + " µm",
    }
    rows = "".join(f'<tr><td style="{_CELL}">{name}</td><td style="{_CELL}">{v}</td></tr>' for name, v in facts.items())
    present = [label for label in range(1, N_CLASSES) if (neuron.compartment == label).any()]
    colors = {label: "#" + bytes(np.asarray(PALETTE[label], dtype=np.uint8)).hex() for label in present}
    legend = " ".join(f'<span style="color:{colors[k]}">■</span> {CLASS_NAMES[k]}&ensp;' for k in present)
    remarks = "".join(f"<li><code>{escape(code)}</code> {escape(meaning(code))}</li>" for code in neuron.warnings)
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:24px;align-items:flex-start">'
        f'<div style="background:#fff">{to_svg(neuron, 240)}</div>'
        f"<div><b>{escape(neuron.name) or 'Neuron'}</b>"
        f'<table style="margin:6px 0;color:inherit;font:inherit">{rows}</table>'
        f"<div>{legend}</div>{f'<ul style=margin:6px>{remarks}</ul>' if remarks else ''}</div></div>"
    )
