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
    from axonet.rendering.settings import RenderSettings
    from axonet.rendering.view import View

QC_FIELDS = ("neuron_id", "neuron", "swc", "view", "status", "detail", "warnings")


@dataclass
class RenderedNeuron:
    """What came of a neuron.

    Attributes:
        views: pictures and rows; empty when it could not be rendered.
        qc: rows of the quality table, see ``QC_FIELDS``; the first one is about the neuron.
        measure: its row of the table of measurements.
    """

    views: list[ViewImages] = field(default_factory=list)
    qc: list[dict[str, Any]] = field(default_factory=list)
    measure: dict[str, Any] = field(default_factory=dict)


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
    from axonet.rendering import RenderError, render_neuron

    result = RenderedNeuron()
    try:
        neuron = load_entry(entry)
    except SWCError as error:
        result.measure = unmeasured(entry, error.code)
        result.qc.append(_qc_row(entry, error.code, str(error), []))
        return result
    warnings = list(neuron.warnings)
    result.measure = measure_neuron(entry, neuron)
    try:
        views = render_neuron(neuron, settings, entry.neuron_id)
    except RenderError as error:
        result.qc.append(_qc_row(entry, error.code, str(error), warnings))
        return result
    except (UserError, KeyboardInterrupt):
        raise
    except Exception as error:
        # One neuron that nobody foresaw must not end a run over a hundred thousand; the row tells what happened.
        if os.environ.get("AXONET_DEBUG") == "1":
            raise
        result.qc.append(_qc_row(entry, "render_failed", f"{type(error).__name__}: {error}", warnings))
        return result
    result.views = [_stored(entry, view, settings) for view in views]
    result.qc.append(_qc_row(entry, OK, None, warnings))
    return result


def _qc_row(entry: CatalogEntry, status: str, detail: str | None, warnings: list[str]) -> dict[str, Any]:
    values = (entry.neuron_id, entry.name, entry.swc, None, status, detail, warnings)
    return dict(zip(QC_FIELDS, values, strict=True))


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
