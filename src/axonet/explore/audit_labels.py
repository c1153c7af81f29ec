"""Labels that a neuron's nearest neighbors contradict: suspects for a wrong label, or for an odd neuron."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from axonet.explore.audit import Finding
from axonet.explore.neighbors import nearest

if TYPE_CHECKING:
    from axonet.metadata.record import NeuronRecord

Floats = npt.NDArray[np.float32]

N_NEIGHBORS = 20
FEWEST_OF_LABEL = 6  # a label that hardly anyone has cannot have neighbors that agree
TIMES_CHANCE = 2.0


def label_fields() -> dict[str, Callable[[NeuronRecord], str | None]]:
    """Labels that are checked, by name."""
    from axonet.evaluation.labels import FIELDS

    return {field.name: field.of for field in FIELDS if field.name != "layer"}


def contradicted_labels(
    ids: Sequence[str], vectors: Floats, labels: Sequence[str | None], copies: Sequence[str], field: str
) -> list[Finding]:
    """Neurons whose label the nearest labelled neurons contradict.

    A label is contradicted when, among the 20 nearest that have a label, another label holds at least half and at
    least twice its share of the whole collection, while the neuron's own label holds less than its share. Copies of a
    cell have one voice, and none about each other. Labels of fewer than six different cells are not judged.

    Args:
        ids: neuron ids.
        vectors: ``(n, d)`` unit vectors.
        labels: of each neuron, None where not known.
        copies: of each neuron, what its copies share; a neuron without copies has a word of its own.
        field: name of the label.

    Returns:
        Findings without files, those with the fewest neighbors of their own label first.
    """
    known = [row for row, label in enumerate(labels) if label is not None]
    first_of = {copies[row]: row for row in reversed(known)}
    voters = np.array(sorted(first_of.values()), dtype=np.int64)
    if len(voters) <= N_NEIGHBORS:
        return []
    n_of = Counter(labels[row] for row in voters)
    near, _ = nearest(vectors, vectors[known], N_NEIGHBORS + 1, allowed=voters)
    found = []
    for row, neighbors in zip(known, near.tolist(), strict=True):
        own, others = labels[row], [other for other in neighbors if copies[other] != copies[row]][:N_NEIGHBORS]
        counts = Counter(labels[other] for other in others)
        other = max((label for label in counts if label != own), key=lambda label: counts[label], default=None)
        if other is None or n_of[own] < FEWEST_OF_LABEL:
            continue
        share, other_share = n_of[own] / len(voters), n_of[other] / len(voters)
        is_clear = counts[other] >= N_NEIGHBORS * max(0.5, TIMES_CHANCE * other_share)
        if counts[own] >= N_NEIGHBORS * share or not is_clear:
            continue
        detail = (
            f"{field} {own}: {counts[own]} of its {N_NEIGHBORS} nearest neighbors, {counts[other]} are {other} "
            f"({100 * share:.0f} % and {100 * other_share:.0f} % of all)"
        )
        witnesses = tuple(ids[k] for k in others if labels[k] == other)[:3]
        found.append((counts[own], Finding(ids[row], "", "labels", "unlike_neighbors", detail, witnesses)))
    return [finding for _, finding in sorted(found, key=lambda item: (item[0], item[1].neuron_id))]


def copy_words(ids: Sequence[str], findings: Sequence[Finding]) -> list[str]:
    """What the copies of each neuron share: the first id among them; the own id of a neuron without copies."""
    first: Mapping[str, str] = {
        finding.neuron_id: min(finding.neuron_id, *finding.others) for finding in findings if finding.kind == "copies"
    }
    return [first.get(name, name) for name in ids]
