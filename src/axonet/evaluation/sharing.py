"""What judged neurons have in common with those learned on: found from the records, not taken on trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from axonet.datasets.groups import connected_groups, group_keys
from axonet.evaluation.lineage import Lineage
from axonet.metadata.record import NeuronRecord


@dataclass(frozen=True)
class Sharing:
    """How far judged neurons are apart from the others.

    Attributes:
        held_out: the widest of ``lab``, ``donor``, ``neuron`` that no judged neuron shares with the others; ``nothing``
            when the model learned on judged neurons, ``unknown`` when it is not known whose words it learned.
        groups: for each neuron the group that the bootstrap resamples: donor, else publication, else archive.
        with_donor: judged neurons that share donor, else publication, else archive (or their shape) with others.
        with_lab: judged neurons that share donor, publication or archive (or their shape) with others.
        copies: judged neurons that have the shape of another one, and the first such neuron of each.
    """

    held_out: str
    groups: tuple[str, ...]
    with_donor: tuple[str, ...] = ()
    with_lab: tuple[str, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)

    @property
    def same_donor(self) -> int:
        """Judged neurons that share donor, else publication, else archive (or their shape) with others."""
        return len(self.with_donor)

    @property
    def same_lab(self) -> int:
        """Judged neurons that share donor, publication or archive (or their shape) with others."""
        return len(self.with_lab)


def find_sharing(
    ids: Sequence[str],
    records: Sequence[NeuronRecord | None],
    measures: Sequence[Mapping[str, Any] | None],
    n_judged: int,
    lineage: Lineage,
) -> Sharing:
    """Compare the judged neurons with the others.

    Args:
        ids: judged neurons first; then those that probes learn on, that trained the model or chose its epoch.
        records: of each, None where there is none.
        measures: of each; tells equal shapes.
        n_judged: how many are judged.
        lineage: which neurons made the model.
    """
    shapes = [None if row is None else row.get("fingerprint") for row in measures]
    names = {scheme: connected_groups(ids, group_keys(records, scheme, shapes)) for scheme in ("donor", "lab")}
    others = {scheme: set(groups[n_judged:]) for scheme, groups in names.items()}
    judged = ids[:n_judged]
    shared = {
        scheme: tuple(own for own, group in zip(judged, groups, strict=False) if group in others[scheme])
        for scheme, groups in names.items()
    }
    first = {shape: other for other, shape in zip(reversed(ids[n_judged:]), reversed(shapes[n_judged:]), strict=True)}
    copies = {own: first[shape] for own, shape in zip(judged, shapes, strict=False) if shape and shape in first}
    # A neuron of which nothing is known cannot be said to be of another laboratory.
    silent = any(record is None or not (record.publication or record.archive) for record in records[:n_judged])
    held_out = "neuron"
    if not lineage.known:
        held_out = "unknown"
    elif lineage.trained.intersection(judged):
        held_out = "nothing"
    elif not shared["donor"] and not silent:
        held_out = "donor" if shared["lab"] else "lab"
    return Sharing(held_out, tuple(names["donor"]), shared["donor"], shared["lab"], copies)
