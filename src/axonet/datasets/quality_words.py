"""What the codes of the quality table mean, in words for a page; every code has its place here."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "bad_coordinates": "a coordinate or radius too large to compute with",
    "empty_file": "the file is empty",
    "html_page": "a web page where an SWC file should be",
    "low_qc": "a view holds less of the cable than --min-qc",
    "multiple_somata": "several separate somata: more than one cell",
    "no_data_rows": "no row that can be used",
    "no_extent": "all points lie at one place",
    "no_neurites": "nothing but a soma",
    "no_root": "all nodes are in cycles",
    "render_failed": "an error that nobody foresaw; please report it",
    "truncated_file": "the last row is cut off",
    "unreadable_file": "the file cannot be opened",
}
"""Why a neuron was not drawn."""

REMARKS: dict[str, str] = {
    "bad_coordinate_dropped": "nodes without a finite position were dropped",
    "bad_radius": "nodes without a positive radius got a default one",
    "bad_row": "rows that could not be read were skipped",
    "comma_separated": "commas between the fields",
    "constant_radius": "all neurite nodes have one radius: it was not measured",
    "cut_off": "a view does not hold all of the cable",
    "cycle_dropped": "nodes in a cycle were dropped",
    "duplicate_id": "two rows with one id: the first one counts",
    "extra_columns": "rows with more than seven fields",
    "few_nodes": "fewer than 20 nodes",
    "flat_z": "traced in one plane",
    "fork_end_types": "types 5 and 6 mark forks and ends: they took the type of their neurite",
    "hardly_drawn": "a view with fewer than 50 pixels",
    "long_edge": "an edge above 1000 µm: a spider leg, or units that are not µm",
    "missing_parent": "a parent that does not exist: the node became a root",
    "multiple_roots": "pieces that are not connected",
    "negative_type": "a type below 0 was read as other",
    "no_soma": "no node of type 1: there is no window around the soma",
    "not_utf8": "the file is not in UTF-8",
    "non_sequential_ids": "ids are not 1, 2, 3, ...",
    "self_parent": "a node that is its own parent became a root",
    "short_row": "rows with fewer than seven fields were skipped",
    "soma_contour": "a soma drawn as an outline became one point",
    "soma_not_root": "the tree was turned so that the soma is its root",
    "suspicious_units": "so large a soma or extent that units may not be µm",
    "unsorted": "children before their parents",
    "utf8_bom": "a byte order mark before the first row",
    "zero_length_edges": "a node exactly on its parent",
}
"""What is to be said against a neuron that was drawn."""

OF_THE_FILE = frozenset(
    ("comma_separated", "extra_columns", "non_sequential_ids", "not_utf8", "soma_not_root", "unsorted", "utf8_bom")
)
"""Remarks on the form of a file: nothing of the neuron is lost or in doubt."""


def meaning(code: str) -> str:
    """What a code means; nothing for one that this version does not know."""
    return REASONS.get(code) or REMARKS.get(code, "")
