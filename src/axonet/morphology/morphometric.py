"""What a morphometric is: a function of a neuron that knows its name, unit and definition."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.neuron import Neuron


@dataclass(frozen=True)
class Morphometric:
    """One measure of a neuron.

    Attributes:
        name: as in tables and in :meth:`axonet.morphology.neuron.Neuron.morphometrics`.
        unit: "um", "um2", "um3", "degrees", or "" for counts and ratios.
        description: the definition.
        artefact: it tells about the tracing (thickness, sampling, loose pieces) at least as much as about the cell.
        compartment: it reads the types of the nodes, which a tracer assigned.
        log: models should see its logarithm (of 1 + value).
        function: computes it; NaN where it is undefined.
    """

    name: str
    unit: str
    description: str
    artefact: bool
    compartment: bool
    log: bool
    function: Callable[[Neuron], float]

    def __call__(self, neuron: Neuron) -> float:
        """Its value for a neuron; NaN where it is undefined."""
        return float(self.function(neuron))


def morphometric(
    unit: str = "", *, log: bool = False, artefact: bool = False, compartment: bool = False
) -> Callable[[Callable[[Neuron], float]], Morphometric]:
    """Make a morphometric of a function: its name is the name, its docstring the definition."""

    def make(function: Callable[[Neuron], float]) -> Morphometric:
        description = " ".join(inspect.getdoc(function).split()) if function.__doc__ else ""  # type: ignore[union-attr]
        return Morphometric(function.__name__, unit, description, artefact, compartment, log, function)

    return make


def mean(values: NDArray[np.float64]) -> float:
    """Mean of the finite values, NaN if there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def ratio(numerator: float, denominator: float) -> float:
    """Quotient, NaN where the denominator is 0."""
    return float(numerator / denominator) if denominator else float("nan")
