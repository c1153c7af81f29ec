"""Morphometrics as inputs of a model: which ones, on what scale, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from axonet.core.errors import UserError
from axonet.core.input_spec import MorphometricInput
from axonet.morphology.morphometrics import MORPHOMETRICS, RADIUS_MEASURES

Measures = Mapping[str, Any]
FloatArray = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

LIMIT = 5.0  # deviations; a neuron beyond is a neuron in other units


def shape_morphometrics() -> tuple[str, ...]:
    """Those that tell of the shape alone: neither of the tracing nor of the types that a tracer gave to nodes."""
    return tuple(name for name, measure in MORPHOMETRICS.items() if not (measure.artefact or measure.compartment))


def check_names(names: Sequence[str]) -> None:
    """Refuse names that no morphometric has.

    Raises:
        ValueError: one line with the name and what there is.
    """
    for name in names:
        if name not in MORPHOMETRICS:
            raise ValueError(f"no morphometric {name!r}; there are {', '.join(MORPHOMETRICS)}")
    if len(set(names)) < len(names):
        raise ValueError("a morphometric is named twice")


def fit_morphometrics(rows: Sequence[Measures | None], names: Sequence[str]) -> tuple[MorphometricInput, ...]:
    """Standardize morphometrics on the training neurons.

    Args:
        rows: their measurements; None for a neuron that was not measured.
        names: which ones.

    Raises:
        UserError: none of the neurons has any of them.
    """
    logarithmic = [MORPHOMETRICS[name].log for name in names]
    values = _expressed(rows, names, logarithmic)  # (n, m)
    if not np.isfinite(values).any():
        raise UserError(
            "--morphometrics: no training neuron was measured; measure them (python -m axonet.utils.measure, "
            "--measure-dir), or name the folder of their SWC files with --swc-dir"
        )
    inputs = []
    for name, log, column in zip(names, logarithmic, values.T, strict=True):
        known = column[np.isfinite(column)]
        mean, deviation = (float(known.mean()), float(known.std())) if len(known) else (0.0, 0.0)
        constant = deviation <= 1e-9 * abs(mean) + 1e-12
        inputs.append(MorphometricInput(name=name, log=log, mean=mean, deviation=1.0 if constant else deviation))
    return tuple(inputs)


def standardized_morphometrics(rows: Sequence[Measures | None], inputs: Sequence[MorphometricInput]) -> FloatArray:
    """Morphometrics of neurons in deviations from the mean.

    Args:
        rows: their measurements; None for a neuron that was not measured.
        inputs: scales.

    Returns:
        ``(n, m)``, clamped to five deviations, NaN where missing. A thickness of a neuron whose radius is constant is
        missing: nobody measured it.
    """
    values = _expressed(rows, [item.name for item in inputs], [item.log for item in inputs])
    mean, deviation = (np.array([getattr(item, name) for item in inputs]) for name in ("mean", "deviation"))
    return np.asarray(np.clip((values - mean) / deviation, -LIMIT, LIMIT), dtype=np.float32)


def morphometric_features(rows: Sequence[Measures | None], inputs: Sequence[MorphometricInput]) -> FloatArray:
    """What a model takes of neurons.

    Args:
        rows: their measurements; None for a neuron that was not measured.
        inputs: of the model.

    Returns:
        ``(n, 2 m)``: standardized values, 0 where missing, then 1 for what is missing.
    """
    standardized = standardized_morphometrics(rows, inputs)
    missing = np.isnan(standardized)
    return np.concatenate([np.where(missing, 0.0, standardized), missing], axis=1).astype(np.float32)


def _expressed(rows: Sequence[Measures | None], names: Sequence[str], logarithmic: Sequence[bool]) -> Array:
    """``(n, m)`` values, logarithms where asked for, nan where missing."""
    found = [[_value(row or {}, name) for name in names] for row in rows]
    values = np.array(found, dtype=np.float64).reshape(len(rows), len(names))
    values[~np.isfinite(values)] = np.nan
    large = np.flatnonzero(logarithmic)
    values[:, large] = np.log1p(np.maximum(values[:, large], 0.0))
    return values


def _value(row: Measures, name: str) -> float:
    if name in RADIUS_MEASURES and "constant_radius" in (row.get("warnings") or ()):
        return math.nan
    value = row.get(name)
    return math.nan if value is None else float(value)
