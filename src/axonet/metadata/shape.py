"""What the measurements of a neuron allow captions to say: numbers that hold, and adjectives by quantile."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from axonet.core.errors import UserError

# Names of morphometrics that captions use.
CABLE, BRANCH_POINTS, STEMS, TIPS = "cable_length", "n_branch_points", "n_stems", "n_tips"
REACH = "max_path_distance"
AXON, BASAL, APICAL, OTHER = "axon_cable_length", "basal_cable_length", "apical_cable_length", "other_cable_length"
SOMA_RADIUS = "soma_radius"
IN_MICROMETERS = frozenset((CABLE, REACH, AXON, BASAL, APICAL, OTHER, SOMA_RADIUS))

# With these warnings nothing in um is said: the file's units may be others, or a single edge makes up the length.
DOUBTFUL_UNITS = frozenset(("suspicious_units", "long_edge"))

# An apical dendrite is spoken of from this length on, and if it is at least this share of all dendrites.
LEAST_APICAL_LENGTH = 150.0  # um
LEAST_APICAL_SHARE = 0.1

LOW_QUANTILE, HIGH_QUANTILE = 0.25, 0.75
LEAST_NEURONS = 8  # fewer training neurons give no bins: a quartile of seven says nothing

Measures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """The measurements of one neuron, as far as they can be relied on.

    Attributes:
        values: by name of the morphometric.
        traced: the parts that the picture shows, of soma, axon and dendrites; None where nodes are not typed.
    """

    values: Mapping[str, float]
    traced: frozenset[str] | None = None

    @classmethod
    def of(cls, measures: Measures | None) -> Shape:
        """Keep what is finite and known to be in um; nothing of a neuron that could not be measured."""
        if measures is None or measures.get("status", "ok") != "ok":
            return cls({})
        warnings = measures.get("warnings")
        doubtful = warnings is not None and not DOUBTFUL_UNITS.isdisjoint(warnings)
        values = {n: float(v) for n, v in measures.items() if _is_number(v) and math.isfinite(v)}
        if SOMA_RADIUS in measures and SOMA_RADIUS not in values:
            values.pop(STEMS, None)  # without a soma nothing leaves it: what is counted then are loose pieces
        # Nothing is nothing in all units.
        kept = {n: v for n, v in values.items() if not (doubtful and v and n in IN_MICROMETERS)}
        return cls(kept, _traced(values))

    def get(self, name: str) -> float | None:
        """A measurement, or None where it is missing."""
        return self.values.get(name)

    @property
    def branch_density(self) -> float | None:
        """Branch points per mm of cable."""
        points, cable = self.get(BRANCH_POINTS), self.get(CABLE)
        return None if points is None or not cable else 1000 * points / cable

    @property
    def apical_length(self) -> float | None:
        """Length of the apical dendrite in um where there is enough of it to speak of, else None."""
        apical, basal = self.get(APICAL), self.get(BASAL) or 0.0
        if apical is None or apical < LEAST_APICAL_LENGTH or apical < LEAST_APICAL_SHARE * (apical + basal):
            return None
        return apical


def _is_number(value: object) -> bool:
    return isinstance(value, (float, int)) or isinstance(value, Real)  # noqa: SIM101 - an abstract class asks slowly


def _traced(values: Mapping[str, float]) -> frozenset[str] | None:
    dendrites = [values[name] for name in (BASAL, APICAL) if name in values]
    if AXON not in values or not dendrites or values.get(OTHER, 0.0) > 0.0:
        return None
    parts = {"axon": values[AXON] > 0, "dendrites": sum(dendrites) > 0, "soma": SOMA_RADIUS in values}
    return frozenset(part for part, there in parts.items() if there)


@dataclass(frozen=True, slots=True)
class Scale:
    """Words for the low and the high end of a measurement.

    Attributes:
        name: of the claim.
        low: word below the low quantile.
        high: word above the high quantile.
        middle: value of the claim in between; never spoken.
    """

    name: str
    low: str
    high: str
    middle: str = "medium"


SIZE = Scale("size", "small", "large")
BRANCHING = Scale("branching", "sparsely branched", "densely branched")
PROCESSES = Scale("processes", "few", "many")
EXTENT = Scale("reach", "short", "long")
APICAL_EXTENT = Scale("apical_extent", "short", "extensive")
SCALES: tuple[Scale, ...] = (SIZE, BRANCHING, PROCESSES, EXTENT, APICAL_EXTENT)


def scaled_value(scale: Scale, shape: Shape) -> float | None:
    """The measurement behind a scale."""
    if scale is BRANCHING:
        return shape.branch_density
    if scale is APICAL_EXTENT:
        return shape.apical_length
    return shape.get({SIZE.name: CABLE, PROCESSES.name: STEMS, EXTENT.name: REACH}[scale.name])


@dataclass(frozen=True, slots=True)
class Bins:
    """Where the words of the scales begin: two quantiles each, fitted on training neurons."""

    edges: Mapping[str, tuple[float, float]]

    @classmethod
    def fit(cls, measures: Iterable[Measures]) -> Bins:
        """Quartiles of every scale; a scale that too few neurons have, or whose quartiles coincide, has no words."""
        import numpy as np

        shapes = [Shape.of(row) for row in measures]
        edges = {}
        for scale in SCALES:
            values = [value for value in (scaled_value(scale, shape) for shape in shapes) if value is not None]
            if len(values) < LEAST_NEURONS:
                continue
            low, high = (float(edge) for edge in np.quantile(values, (LOW_QUANTILE, HIGH_QUANTILE)))
            if low < high:
                edges[scale.name] = (low, high)
        return cls(edges)

    def word(self, scale: Scale, shape: Shape) -> str | None:
        """The word of a scale for a neuron, the middle included; None where it cannot be told."""
        value = scaled_value(scale, shape)
        if value is None or scale.name not in self.edges:
            return None
        low, high = self.edges[scale.name]
        return scale.low if value < low else scale.high if value > high else scale.middle

    def to_json(self) -> dict[str, list[float]]:
        """Plain values."""
        return {name: list(edges) for name, edges in sorted(self.edges.items())}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Bins:
        """Bins from plain values.

        Raises:
            UserError: a scale is unknown or is not two ascending numbers.
        """
        known = {scale.name for scale in SCALES}
        edges = {}
        for name, pair in state.items():
            if name not in known or len(pair) != 2 or not pair[0] < pair[1]:
                raise UserError(f"caption bins: {name}: {pair!r} is not a pair of ascending numbers of a known scale")
            edges[name] = (float(pair[0]), float(pair[1]))
        return cls(edges)
