"""The rules by which rows of an SWC file become a neuron; each step says what it had to repair.

The rules are those of the edge-case collection (``tests/data/swc-edge-cases/README.md``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.forest import depths, drop_nodes, nearest_kept, parents_first, reroot
from axonet.morphology.swc_text import ROOT, Columns, SWCError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DEFAULT_RADIUS = 0.5  # um, in place of a missing one (the rule of NeuroMorpho.Org's xyz2swc)
SOMA, FORK, END = 1, 5, 6  # structure types; the last two in NeuronStudio's convention
# NeuronStudio marks every fork and end; a tenth of slack allows for branches that were edited afterwards.
MARKER_SHARE = 0.9
CONTOUR_POINTS = 4
CONTOUR_THINNESS = 0.5  # largest radius of a contour point as a fraction of the ring's mean radius
CONTOUR_ROUNDNESS = 0.15  # smallest ratio of the two widths of a ring
CONTOUR_GAP = 0.5  # largest distance between the ends of a ring as a fraction of the way around


@dataclass
class Rows:
    """Nodes on their way to a neuron, in the order of the file; ``parent`` holds rows, -1 for a root."""

    node_id: IntArray
    swc_type: IntArray
    xyz: FloatArray
    radius: FloatArray
    parent: IntArray
    warnings: set[str]

    def take(self, rows: IntArray | NDArray[np.bool_], parent: IntArray) -> Rows:
        """Some of the rows, with their new parents."""
        return Rows(
            self.node_id[rows], self.swc_type[rows], self.xyz[rows], self.radius[rows], parent, set(self.warnings)
        )


def repair(columns: Columns, name: str) -> Rows:
    """Apply every rule, in the one order that works, and sort parents first.

    Raises:
        SWCError: ``no_root``, ``no_data_rows`` or ``multiple_somata``.
    """
    rows = link(columns)
    rows = drop_cycles(rows, name)
    rows = drop_bad_coordinates(rows, name)
    mend_radii(rows)
    mend_types(rows)
    rows = root_at_soma(rows, name)
    rows = collapse_contour(rows)
    order = parents_first(rows.parent)
    new_row = np.empty(len(order) + 1, dtype=np.int64)
    new_row[order] = np.arange(len(order))
    new_row[-1] = -1
    return rows.take(order, new_row[rows.parent[order]])


def link(columns: Columns) -> Rows:
    """Turn ids of parents into rows: the first of a doubled id counts, an unknown or own id makes a root."""
    warnings = set(columns.warnings)
    n = len(columns.node_id)
    if np.array_equal(columns.node_id, np.arange(columns.node_id[0], columns.node_id[0] + n)):
        kept = np.arange(n)
        sorted_ids, row_of_sorted = columns.node_id, kept
    else:
        sorted_ids, first = np.unique(columns.node_id, return_index=True)  # (m,), first row of each id
        kept = np.sort(first)
        row_of_sorted = np.searchsorted(kept, first)
        if len(kept) < n:
            warnings.add("duplicate_id")
        if sorted_ids[-1] - sorted_ids[0] != len(sorted_ids) - 1:
            warnings.add("non_sequential_ids")
    parent_id = columns.parent[kept]
    place = np.minimum(np.searchsorted(sorted_ids, parent_id), len(sorted_ids) - 1)
    known = sorted_ids[place] == parent_id
    parent = np.where(known, row_of_sorted[place], -1)
    if (~known & (parent_id != ROOT)).any():
        warnings.add("missing_parent")
    own = parent == np.arange(len(kept))
    if own.any():
        warnings.add("self_parent")
        parent[own] = -1
    swc_type = columns.swc_type[kept]
    with np.errstate(invalid="ignore"):
        legal = (swc_type >= 0) & (swc_type < 2**31) & (swc_type == np.rint(swc_type))
    if not legal.all():
        warnings.add("negative_type")
    types = np.where(legal, swc_type, 0).astype(np.int64)
    return Rows(columns.node_id[kept], types, columns.xyz[kept], columns.radius[kept], parent, warnings)


def drop_cycles(rows: Rows, name: str) -> Rows:
    """Drop nodes that reach no root, and note when a child stands before its parent."""
    place = np.arange(len(rows.parent))
    if (rows.parent < place).all():
        return rows
    reached = depths(rows.parent) >= 0
    if not reached.any():
        raise SWCError("no_root", f"{name}: no node is a root (parent -1): all are in cycles; repair the file")
    if not reached.all():
        rows = rows.take(reached, drop_nodes(rows.parent, reached))
        rows.warnings.add("cycle_dropped")
    if (rows.parent > np.arange(len(rows.parent))).any():
        rows.warnings.add("unsorted")
    return rows


def drop_bad_coordinates(rows: Rows, name: str) -> Rows:
    """Drop nodes without a finite position; their children move to the nearest valid ancestor."""
    valid = np.asarray(np.isfinite(rows.xyz).all(axis=1), dtype=bool)
    if valid.all():
        return rows
    if not valid.any():
        raise SWCError("no_data_rows", f"{name}: no row has finite coordinates; export the file again")
    rows = rows.take(valid, drop_nodes(rows.parent, valid))
    rows.warnings.add("bad_coordinate_dropped")
    return rows


def mend_radii(rows: Rows) -> None:
    """Give nodes without a positive radius a default one."""
    good = np.isfinite(rows.radius) & (rows.radius > 0)
    if not good.all():
        rows.warnings.add("bad_radius")
        rows.radius = np.where(good, rows.radius, DEFAULT_RADIUS)


def mend_types(rows: Rows) -> None:
    """Let NeuronStudio's fork and end points take the type of the neurite that they lie on.

    That is the nearest ancestor of another type. A point right at the soma has none to take (it is no part of the
    soma), nor has a root: they become type 0.
    """
    fork, end = rows.swc_type == FORK, rows.swc_type == END
    if not (fork.any() and end.any()):
        return
    n_children = np.bincount(rows.parent[rows.parent >= 0], minlength=len(rows.parent))
    if (n_children[fork] >= 2).mean() < MARKER_SHARE or (n_children[end] == 0).mean() < MARKER_SHARE:
        return
    marker = fork | end
    source = nearest_kept(rows.parent, ~marker)
    inherited = np.where(source >= 0, rows.swc_type[source], 0)
    inherited[inherited == SOMA] = 0
    rows.swc_type = np.where(marker, inherited, rows.swc_type)
    rows.warnings.add("fork_end_types")


def root_at_soma(rows: Rows, name: str) -> Rows:
    """Make the soma the root of its tree.

    Raises:
        SWCError: ``multiple_somata``, when the soma's nodes are not one connected group.
    """
    soma = np.flatnonzero(rows.swc_type == SOMA)
    if not len(soma):
        return rows
    above = rows.parent[soma]
    tops = soma[(above < 0) | (rows.swc_type[above] != SOMA)]
    if len(tops) > 1:
        raise SWCError(
            "multiple_somata",
            f"{name}: {len(tops)} separate groups of soma nodes (type {SOMA}); split the file into one neuron each",
        )
    if rows.parent[tops[0]] < 0:
        return rows
    rows.warnings.add("soma_not_root")
    return rows.take(np.arange(len(rows.parent)), reroot(rows.parent, int(soma[0])))


def collapse_contour(rows: Rows) -> Rows:
    """Replace a soma that is drawn as a ring by one point: centroid and mean distance."""
    soma = np.flatnonzero(rows.swc_type == SOMA)
    if not is_contour(rows.xyz[soma], rows.radius[soma]):
        return rows
    first = soma[0]
    center = rows.xyz[soma].mean(axis=0)
    rows.radius[first] = np.linalg.norm(rows.xyz[soma] - center, axis=1).mean()
    rows.xyz[first] = center
    parent = np.append(rows.parent, -1)
    on_ring = np.zeros(len(parent), dtype=bool)
    on_ring[soma] = True
    parent[on_ring[parent]] = first  # index -1 is the added slot, which is on no ring
    parent[first] = -1
    keep = ~on_ring[:-1]
    keep[first] = True
    rows = rows.take(keep, drop_nodes(parent[:-1], keep))
    rows.warnings.add("soma_contour")
    return rows


def is_contour(xyz: FloatArray, radius: FloatArray) -> bool:
    """Whether soma points are the outline of a soma rather than its inside.

    At least four thin points that go around their centroid (no half-plane through it is empty), come back to where
    they began, and are not nearly on a line.

    Args:
        xyz: ``(k, 3)`` positions of the soma's points in um, in the order of the file.
        radius: ``(k,)`` their radii in um.
    """
    if len(radius) < CONTOUR_POINTS:
        return False
    arms = xyz - xyz.mean(axis=0)  # (k, 3) um
    if radius.max() >= CONTOUR_THINNESS * np.linalg.norm(arms, axis=1).mean():
        return False
    way_around = np.linalg.norm(np.diff(xyz, axis=0), axis=1).sum()
    if np.linalg.norm(xyz[-1] - xyz[0]) > CONTOUR_GAP * way_around:
        return False
    _, widths, axes = np.linalg.svd(arms, full_matrices=False)
    if widths[1] < CONTOUR_ROUNDNESS * widths[0]:
        return False
    angles = np.sort(np.arctan2(arms @ axes[1], arms @ axes[0]))
    gaps = np.diff(angles, append=angles[0] + 2 * np.pi)
    return bool(gaps.max() < np.pi)
