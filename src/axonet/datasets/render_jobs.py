"""One neuron from its file to the pictures and rows that are stored; what every worker process does."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.datasets.measures import OK, load_entry, measure_neuron, unmeasured
from axonet.datasets.shards import ViewImages
from axonet.sources.catalog import CatalogEntry

if TYPE_CHECKING:
    import pyarrow as pa

    from axonet.rendering.settings import RenderSettings
    from axonet.rendering.view import View

QC_FIELDS = ("neuron_id", "neuron", "swc", "view", "status", "detail", "warnings", "n_nodes", "qc", "drawn_px")
"""Columns of the quality table: ``view`` is the one that a reason is about, ``qc`` the smallest fraction of the cable
that a view shows, ``drawn_px`` the fewest pixels that a view draws."""


@dataclass
class RenderedNeuron:
    """What came of a neuron.

    Attributes:
        views: pictures and rows; empty when it could not be rendered.
        qc: rows of the quality table, see ``QC_FIELDS``.
        measure: its row of the table of measurements.
    """

    views: list[ViewImages] = field(default_factory=list)
    qc: list[dict[str, Any]] = field(default_factory=list)
    measure: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PackedNeuron:
    """A neuron as it travels back from a worker process: compressed views (None without any), quality, measurements."""

    batch: pa.RecordBatch | None
    qc: list[dict[str, Any]]
    measure: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run over many neurons remembers of each; images and rows are on disk by then."""

    neuron_id: str
    n_views: int
    qc: list[dict[str, Any]]
    measure: dict[str, Any]


def input_spec(settings: RenderSettings) -> InputSpec:
    """What images made with these settings are."""
    shared = InputSpec.model_fields.keys() & type(settings).model_fields.keys()
    return InputSpec(**{name: getattr(settings, name) for name in shared}, view_seed=settings.seed)


def render_entry(entry: CatalogEntry, settings: RenderSettings) -> RenderedNeuron:
    """Read, measure and render a neuron; whatever is wrong with it becomes a row with a reason.

    Raises:
        UserError: a catalog's file is missing or was changed since the catalog was made.
    """
    from axonet.morphology.swc import SWCError
    from axonet.rendering import RenderError, iterate_views

    result = RenderedNeuron()
    try:
        neuron = load_entry(entry)
    except SWCError as error:
        result.measure = unmeasured(entry, error.code)
        result.qc.append(_qc_row(entry, error.code, detail=str(error)))
        return result
    known = {"warnings": list(neuron.warnings), "n_nodes": neuron.n_nodes}
    result.measure = measure_neuron(entry, neuron)
    try:
        # Each view is made small before the next is drawn: depths as drawn are four bytes a pixel.
        views = [_stored(entry, view, settings) for view in iterate_views(neuron, settings, entry.neuron_id)]
    except RenderError as error:
        result.qc.append(_qc_row(entry, error.code, detail=str(error), view=error.view, **known))
        return result
    except (UserError, KeyboardInterrupt):
        raise
    except Exception as error:
        # One neuron that nobody foresaw must not end a run over a hundred thousand; the row tells what happened.
        if os.environ.get("AXONET_DEBUG") == "1":
            raise
        result.qc.append(_qc_row(entry, "render_failed", detail=f"{type(error).__name__}: {error}", **known))
        return result
    result.views = views
    fewest = min(int(np.count_nonzero(view.mask)) for view in views)
    result.qc.append(_qc_row(entry, OK, qc=min(float(view.row["qc"]) for view in views), drawn_px=fewest, **known))
    return result


def _qc_row(entry: CatalogEntry, status: str, **facts: Any) -> dict[str, Any]:
    row = {"neuron_id": entry.neuron_id, "neuron": entry.name, "swc": entry.swc, "status": status, "warnings": []}
    return {name: {**row, **facts}.get(name) for name in QC_FIELDS}


def _stored(entry: CatalogEntry, view: View, settings: RenderSettings) -> ViewImages:
    camera = view.camera
    row = {
        "swc": entry.swc,
        "neuron": entry.name,
        "neuron_id": entry.neuron_id,
        "view": view.index,
        "tier": view.tier,
        "direction": _numbers(view.direction),
        "qc": float(view.qc),
        "um_per_px": float(camera.um_per_px),
        "near_um": float(view.near_um),
        "far_um": float(view.far_um),
        "basis": _numbers(camera.basis),
        "center": _numbers(camera.center),
        "class_fractions": _numbers(view.class_fractions()),
        "width": int(view.mask.shape[1]),
        "height": int(view.mask.shape[0]),
        "has_zoom": bool(view.has_zoom),
    }
    return ViewImages(row, view.mask, view.depth_image(settings.depth_bits), view.zoom_bw)


def _numbers(values: Any) -> list[float]:
    return [float(value) for value in np.asarray(values, dtype=np.float64).ravel()]
