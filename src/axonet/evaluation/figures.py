"""The pictures: maps colored by a label, and the confusion matrix. Colors and shapes work for color-blind readers."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from axonet.core.files import atomic_path
from axonet.evaluation.data import Array
from axonet.evaluation.maps import Map

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Ten colors that stay apart for all common kinds of color blindness when shapes change with them.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#332288", "#44AA99", "#882255", "#999933")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # 10 colors and 7 shapes: 70 different marks
UNKNOWN_COLOR, INK, PALE = "#BBBBBB", "#222222", "#777777"
MOST_CLASSES = 30
UNKNOWN, OTHERS = "not said", "others"
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": PALE,
    "axes.labelcolor": INK,
    "svg.hashsalt": "axonet",
}


def draw_map(path: Path, layout: Map, labels: Sequence[str | None], judged: npt.NDArray[np.bool_], title: str) -> None:
    """Write a map of the embedding, marks by label.

    Args:
        path: PNG file.
        layout: positions.
        labels: of every item on the map, None where the metadata does not say.
        judged: ``(k,)`` which items are judged; the others (learned on) are drawn hollow.
        title: first line above the picture.
    """
    names = np.array([UNKNOWN if label is None else label for label in labels], dtype=object)
    counts = Counter(label for label in labels if label is not None)
    order = [name for name, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    names[np.isin(names, order[MOST_CLASSES:])] = OTHERS
    shown = order[:MOST_CLASSES] + [extra for extra in (OTHERS, UNKNOWN) if (names == extra).any()]
    n_columns = 1 if len(shown) <= 18 else 2
    figure, axes = _canvas(7.0, 7.0)
    size = float(np.clip(1500 / max(len(names), 1) ** 0.75, 10, 90))
    for index, name in enumerate(shown):
        _scatter(axes, layout.xy, names == name, judged, name, index, size)
    _dress(axes, layout, title, judged)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.015, 1.0),
        frameon=False,
        fontsize=9,
        ncols=n_columns,
        labelspacing=0.55,
        handletextpad=0.4,
        borderaxespad=0.0,
        markerscale=1.0,
    )
    _save(figure, path)


def _scatter(
    axes: Axes,
    xy: Array,
    member: npt.NDArray[np.bool_],
    judged: npt.NDArray[np.bool_],
    name: str,
    index: int,
    size: float,
) -> None:
    """One class: judged items filled, the others hollow; the legend counts both."""
    known = name not in (UNKNOWN, OTHERS)
    color = COLORS[index % len(COLORS)] if known else UNKNOWN_COLOR
    marker = MARKERS[index % len(MARKERS)] if known else ("." if name == UNKNOWN else "*")
    filled, hollow = member & judged, member & ~judged
    axes.scatter(
        xy[hollow, 0],
        xy[hollow, 1],
        s=size,
        marker=marker,
        facecolors="none",
        edgecolors=color,
        linewidths=1.0,
        alpha=0.7,
    )
    axes.scatter(
        xy[filled, 0], xy[filled, 1], s=size, marker=marker, color=color, edgecolors="white", linewidths=0.5, zorder=3
    )
    number = f"{filled.sum():,}" if judged.all() else f"{filled.sum():,} + {hollow.sum():,}"
    words = textwrap.fill(name, 30)
    axes.scatter(
        [], [], s=46, marker=marker, color=color, edgecolors="white", linewidths=0.5, label=f"{words}  ({number})"
    )


def _dress(axes: Axes, layout: Map, title: str, judged: npt.NDArray[np.bool_]) -> None:
    """Title, and a line below on how the map was made and how far it can be trusted."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.margins(0.06)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_box_aspect(1)
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", pad=10)
    trust = (
        ""
        if layout.trustworthiness is None
        else (
            f"; trustworthiness {layout.trustworthiness:.2f} at {layout.n_neighbors} neighbors "
            f"(shuffled map {layout.random:.2f})"
        )
    )
    hollow = "" if judged.all() else "Filled: judged; hollow: learned on (legend: judged + learned on). "
    note = f"{hollow}{layout.method}{trust}. Distances between groups mean nothing."
    axes.text(0.0, -0.02, textwrap.fill(note, 100), transform=axes.transAxes, va="top", fontsize=8.5, color=PALE)


def draw_confusion(path: Path, counts: Array, classes: Sequence[str], title: str, note: str) -> None:
    """Write a confusion matrix: counts in the cells, shade by share of the true class.

    Args:
        path: PNG file.
        counts: ``(c, c)`` rows true, columns answered.
        classes: their names.
        title: first line above the picture.
        note: second line.
    """
    n_classes = len(classes)
    side = float(np.clip(2.6 + 0.62 * n_classes, 4.5, 15.0))
    figure, axes = _canvas(side + 3.0, side + 1.4)
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.15)
    text_size = float(np.clip(13 - 0.25 * n_classes, 6, 12))
    for row, column in np.argwhere(counts > 0):
        color = "white" if share[row, column] > 0.6 else INK
        weight = "bold" if row == column else "normal"
        axes.text(
            column,
            row,
            f"{counts[row, column]:.0f}",
            ha="center",
            va="center",
            color=color,
            fontsize=text_size,
            fontweight=weight,
        )
    label_size = float(np.clip(11 - 0.12 * n_classes, 7.5, 10.5))
    rows = [f"{textwrap.shorten(name, 34)}  ({int(n)})" for name, n in zip(classes, total[:, 0], strict=True)]
    axes.set_yticks(range(n_classes), rows, fontsize=label_size)
    columns = [textwrap.shorten(name, 34) for name in classes]
    axes.set_xticks(range(n_classes), columns, rotation=40, ha="right", rotation_mode="anchor", fontsize=label_size)
    _recall_column(axes, share, n_classes, label_size)
    axes.set_xticks(np.arange(1, n_classes) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, n_classes) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("answered", fontsize=11)
    axes.set_ylabel("true (number of items)", fontsize=11)
    _titles(axes, title, note)
    _save(figure, path)


def _recall_column(axes: Axes, share: Array, n_classes: int, size: float) -> None:
    """The diagonal's shares to the right of the matrix."""
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    look: dict[str, Any] = {"fontsize": size, "color": PALE, "ha": "left"}
    axes.annotate("recall", (1, -0.5), (10, 6), va="bottom", **place, **look)
    for row in range(n_classes):
        axes.annotate(f"{share[row, row]:.0%}", (1, row), (10, 0), va="center", **place, **look)


def _titles(axes: Axes, title: str, note: str) -> None:
    lines = textwrap.fill(note, 78)
    axes.annotate(
        lines,
        (0, 1),
        (0, 24),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8.5,
        color=PALE,
        va="bottom",
    )
    height = 30 + 12 * (1 + lines.count("\n"))
    axes.annotate(
        title,
        (0, 1),
        (0, height),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=13,
        fontweight="bold",
        va="bottom",
    )


def draw_nothing(path: Path, title: str, reason: str) -> None:
    """Write a picture that says why there is none."""
    figure, axes = _canvas(8.0, 3.2)
    axes.set_axis_off()
    axes.text(0.0, 0.75, title, transform=axes.transAxes, fontsize=13, fontweight="bold", va="center")
    axes.text(0.0, 0.45, textwrap.fill(reason, 90), transform=axes.transAxes, fontsize=10.5, va="center", color=PALE)
    _save(figure, path)


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure that no window system knows of."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    mpl.rcParams.update(STYLE)  # type: ignore[arg-type]
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _save(figure: Figure, path: Path) -> None:
    """Write a PNG without times or versions in it."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150, bbox_inches="tight", pad_inches=0.25, metadata={"Software": None})
