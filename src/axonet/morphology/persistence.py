"""The topological morphology descriptor: at what distances from the soma branches begin and end.

Source: Kanari et al. 2018, "A Topological Representation of Branching Neuronal Morphologies", Neuroinformatics 16:3-13.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.neuron import Neuron

FloatArray = NDArray[np.float64]

SIDE = 16
WIDTH = 0.05  # standard deviation of a bar's spot, as a fraction of the largest distance
N_NUMBERS = SIDE * SIDE + 2
PRECISION = "<f2"


def bars(neuron: Neuron) -> FloatArray:
    """One bar for every tip: from its distance to where its branch is swallowed by a longer one.

    Going from the tips to the root, a branch carries the distance of its farthest tip. Where branches meet, the
    farthest goes on and each of the others ends there; what arrives at the soma or root ends there. Distances are
    straight ones from the middle of the soma, without a soma from the root of the largest tree.

    Returns:
        ``(k, 2)`` um: distance of the tip, distance where the bar ends; ``k`` is the number of tips.
    """
    tree = neuron.topology
    sections, distance = tree.sections, tree.radial_distance
    farthest: dict[int, float] = {}  # per branch point: distance of the farthest tip so far
    found: list[tuple[float, float]] = []
    starts, ends, above = sections.start.tolist(), sections.end.tolist(), sections.parent.tolist()
    for start, end, parent in zip(reversed(starts), reversed(ends), reversed(above), strict=True):
        value = farthest.pop(end, None)
        value = float(distance[end]) if value is None else value
        if parent < 0:
            found.append((value, float(distance[start])))
        elif start not in farthest:
            farthest[start] = value
        else:
            other = farthest[start]
            found.append((min(value, other), float(distance[start])))
            farthest[start] = max(value, other)
    return np.array(sorted(found), dtype=np.float64).reshape(-1, 2)


def persistence_numbers(neuron: Neuron) -> FloatArray | None:
    """A neuron's bars as numbers of a fixed length.

    Returns:
        ``(258,)``: a 16 x 16 picture of the bars (rows: distance of the tip, columns: where the bar ends, both as
        fractions of the largest distance; every bar a Gaussian spot, their sum divided by their number), then the
        natural logarithms of the largest distance in um and of the number of bars. None without a bar of finite size.
    """
    own = bars(neuron)
    largest = float(own.max(initial=0.0))
    if not len(own) or not 0 < largest < np.inf:
        return None
    place = (np.arange(SIDE) + 0.5) / SIDE
    begin, end = ((own[:, i, None] / largest - place) / WIDTH for i in (0, 1))  # (k, 16)
    picture = np.exp(-0.5 * begin**2).T @ np.exp(-0.5 * end**2) / len(own)
    return np.concatenate([picture.reshape(-1), np.log([largest, len(own)])])


def packed_numbers(neuron: Neuron) -> str | None:
    """`persistence_numbers` as text: half precision in base64, 688 characters, which any table and journal can hold."""
    numbers = persistence_numbers(neuron)
    return None if numbers is None else base64.b64encode(numbers.astype(PRECISION).tobytes()).decode("ascii")


def unpacked_numbers(texts: Sequence[str | None]) -> FloatArray:
    """``(n, 258)`` numbers of packed texts, nan where there is none."""
    blank = np.full(N_NUMBERS, np.nan, dtype=PRECISION).tobytes()
    data = b"".join(blank if text is None else base64.b64decode(text) for text in texts)
    return np.frombuffer(data, dtype=PRECISION).reshape(len(texts), N_NUMBERS).astype(np.float64)
