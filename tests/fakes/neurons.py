"""Made-up neurons for the replicas: small trees that every reader takes."""

from __future__ import annotations

import random

HEADER = "# made up for tests\n"


def made_up_swc(number: int, n_rows: int = 40) -> bytes:
    """A neuron with a soma, dendrites and an axon; another one for every number."""
    draw = random.Random(number)
    rows = [f"1 1 0 0 0 {4 + number % 5}.5 -1"]
    places = {1: (0.0, 0.0, 0.0)}
    for node in range(2, n_rows + 1):
        parent = draw.randint(max(1, node - 6), node - 1)
        kind = 3 if node < 2 * n_rows // 3 else 2
        x, y, z = (at + draw.uniform(-9, 9) for at in places[parent])
        places[node] = (x, y, z)
        rows.append(f"{node} {kind} {x:.3f} {y:.3f} {z:.3f} {draw.uniform(0.2, 1.5):.3f} {parent}")
    return (HEADER + "\n".join(rows) + "\n").encode()


class SwcTexts:
    """Reconstructions that differ in one number: thousands of files without making thousands of trees."""

    def __init__(self, n_rows: int = 40) -> None:
        self._head, self._tail = made_up_swc(1, n_rows).split(b"1 1 0 0 0 5.5 -1")

    def swc(self, number: int) -> bytes:
        return self._head + b"1 1 0 0 0 %d.%06d -1" % (4 + number % 5, number) + self._tail
