"""Which neurons must stay in one split: connected components over donors, publications, archives and equal shapes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from axonet.core.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa


class GroupFacts(Protocol):
    """What grouping needs to know of a neuron; a neuron record has it all."""

    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def donor(self) -> str | None: ...  # noqa: D102
    @property
    def publication(self) -> str | None: ...  # noqa: D102
    @property
    def archive(self) -> str | None: ...  # noqa: D102


class TableFacts(NamedTuple):
    """Grouping facts read from a table's columns."""

    source: str
    donor: str | None
    publication: str | None
    archive: str | None


def table_facts(table: pa.Table) -> list[TableFacts]:
    """The grouping facts of every row of a catalog."""
    return [TableFacts(*row) for row in zip(*(table.column(f).to_pylist() for f in TableFacts._fields), strict=True)]


def group_keys(
    records: Sequence[GroupFacts | None], scheme: str, fingerprints: Sequence[str | None] | None = None
) -> list[tuple[str, ...]]:
    """What ties each neuron to others; two neurons with a key in common belong together.

    ``neuron``: nothing. ``donor``: the donor; where a source tells none, its publication stands in, without one its
    archive. ``lab``: donor, publication and archive. Both also tie equal shapes.

    Args:
        records: what is known of each neuron, or None.
        scheme: ``neuron``, ``donor`` or ``lab``.
        fingerprints: of each neuron's shape, where known.

    Returns:
        For each neuron its keys; a neuron without any is a group of its own.
    """
    shapes = fingerprints if fingerprints is not None else [None] * len(records)
    if scheme == "neuron":
        return [()] * len(records)
    if scheme not in ("donor", "lab"):
        raise UserError(f"unknown split scheme {scheme!r}; known: neuron, donor, lab")
    keys = []
    for record, shape in zip(records, shapes, strict=True):
        found = [] if record is None else _record_keys(record, every=scheme == "lab")
        keys.append((*found, f"shape:{shape}") if shape else tuple(found))
    return keys


def _record_keys(record: GroupFacts, *, every: bool) -> list[str]:
    # Donor names are only unique within an archive: mouse "1" of two labs is two mice.
    home = record.archive or record.source
    candidates = [
        f"donor:{home}:{record.donor}" if record.donor else None,
        f"publication:{record.publication}" if record.publication else None,
        f"archive:{record.archive}" if record.archive else None,
    ]
    known = [key.casefold() for key in candidates if key is not None]
    return known if every else known[:1]


def connected_groups(
    ids: Sequence[str], keys: Sequence[Iterable[str]], former: Iterable[tuple[str, str]] = ()
) -> list[str]:
    """Name the group of each neuron: the smallest neuron id among all that hang together.

    Args:
        ids: neuron ids.
        keys: the keys of each neuron.
        former: ``(neuron id, group)`` of a split file: what was one group stays one, also when the neuron that tied
            it together is gone.

    Returns:
        Group names in the order of ``ids``.
    """
    # Union-find over neurons and keys; a key's node is a tuple, so that it cannot be mistaken for a neuron id.
    parent: dict[str | tuple[str, str], str | tuple[str, str]] = {}

    def root(node: str | tuple[str, str]) -> str | tuple[str, str]:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for neuron, group in former:
        if neuron != group:  # a group bears the id of one of its neurons
            parent[root(neuron)] = root(group)
    for neuron, own in zip(ids, keys, strict=True):
        for key in own:
            parent[root(neuron)] = root(("key", key))
    smallest: dict[str | tuple[str, str], str] = {}
    for neuron in [*ids, *(node for node in list(parent) if isinstance(node, str))]:
        top = root(neuron)
        if top not in smallest or neuron < smallest[top]:
            smallest[top] = neuron
    return [smallest[root(neuron)] for neuron in ids]
