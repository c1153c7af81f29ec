"""What is wrong or odd about a folder of neurons, found without any training: one finding per neuron and reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from axonet.datasets.measures import OK
from axonet.datasets.page_parts import length_text
from axonet.datasets.quality import FEW_NODES
from axonet.datasets.quality_words import OF_THE_FILE, REASONS, REMARKS

if TYPE_CHECKING:
    from axonet.metadata.record import NeuronRecord

Row = Mapping[str, Any]
Kind = Literal["file", "units", "copies", "parts", "labels", "tracing", "form"]
Level = Literal["wrong", "look"]

TITLES: dict[Kind, str] = {
    "file": "Files that hold no neuron",
    "units": "Units that may not be µm",
    "copies": "The same cell more than once",
    "parts": "No soma, no axon, no dendrites",
    "labels": "Labels that the nearest neighbors contradict",
    "tracing": "Odd tracings",
    "form": "Odd files, whose neurons are whole",
}
"""The kinds of findings, in the order in which they are worth looking at."""

SMALLEST_EXTENT = 5.0  # um; the smallest neuron of a worm is twice as long
UNLIKE_FOLDER = 100.0  # times as large or small as the median: hardly two neurons of one collection are that unlike
FEWEST_FOR_MEDIAN = 10
LONG_SHARE = 0.25  # of the neuron's length in one straight edge; in traced neurons it is seldom above a tenth
NODES_FOR_SHARE = 100  # a coarse skeleton has long edges everywhere
SAME_SIZE = 1.02  # the fingerprint does not see scale; copies of one cell have one size up to rounding

WORDS: dict[str, str] = {
    **REASONS,
    **REMARKS,
    "few_nodes": "fewer than 20 nodes",
    "tiny": f"the whole neuron is smaller than {SMALLEST_EXTENT:g} µm: mm or voxels?",
    "unlike_folder": f"more than {UNLIKE_FOLDER:g} times as large or as small as the middle one of the folder",
    "spider_leg": f"one straight edge is longer than {100 * LONG_SHARE:.0f} % of the neuron: a jump of the tracing",
    "same_file": "byte for byte the same file",
    "same_cell": "the same tree, perhaps moved, turned, mirrored or renumbered",
    "same_cell_scaled": "the same tree in another size: one of them is in other units",
    "no_axon": "no node of an axon",
    "no_dendrites": "no node of a dendrite",
    "soma_missing": "the metadata say that the soma was traced, but the file has none",
    "axon_missing": "the metadata say that the axon was traced, but the file has none",
    "dendrites_missing": "the metadata say that dendrites were traced, but the file has none",
    "unlike_neighbors": "the nearest neighbors agree on another label",
}
"""What the codes of findings mean."""

_UNITS = ("suspicious_units", "long_edge")
_WRONG = (*_UNITS, "tiny", "same_file", "same_cell_scaled", "unlike_neighbors", "multiple_roots", "spider_leg")


@dataclass(frozen=True)
class Finding:
    """Something about one neuron that a person should look at.

    Attributes:
        neuron_id: whose.
        swc: its file.
        kind: what it belongs to.
        code: what was found, see ``WORDS``.
        detail: the same with figures.
        others: neurons that it is about as well: copies, contradicting neighbors.
    """

    neuron_id: str
    swc: str
    kind: Kind
    code: str
    detail: str = ""
    others: tuple[str, ...] = ()

    @property
    def level(self) -> Level:
        """``wrong``: hardly ever intended; ``look``: often intended, as a neuron whose axon was not traced."""
        return "wrong" if self.kind == "file" or self.code in _WRONG or self.code.endswith("_missing") else "look"


def audit(
    rows: Sequence[Row], digests: Mapping[str, str], records: Mapping[str, NeuronRecord] | None = None
) -> list[Finding]:
    """All findings but those about labels, kind by kind, neurons by id.

    Args:
        rows: of :func:`axonet.explore.audit_measure.audit_entry`, bad files too.
        digests: SHA-256 of the file of each neuron; empty where it cannot be read.
        records: metadata by neuron id, where known; they say what was traced.
    """
    known = records or {}
    ordered = sorted(rows, key=lambda row: str(row["neuron_id"]))
    good = [row for row in ordered if row["status"] in (OK, "no_neurites")]
    found = [
        *(_finding(row, "file", row["status"], _why(row)) for row in ordered if row["status"] != OK),
        *_units(good),
        *_copies(good, digests),
        *(item for row in good for item in _parts(row, known.get(str(row["neuron_id"])))),
        *(item for row in good for item in _remarks(row)),
    ]
    return in_order(found)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings as they are shown: kind by kind, what is wrong first, then by code and neuron."""
    kinds = list(TITLES)
    return sorted(findings, key=lambda f: (kinds.index(f.kind), f.level != "wrong", f.code, f.neuron_id))


def extent_um(row: Row) -> float:
    """The longest side of a neuron along its principal axes, um; 0 where it was not measured."""
    values = [row.get(name) for name in ("width", "height", "depth")]
    return max((float(value) for value in values if value is not None and np.isfinite(value)), default=0.0)


def _finding(row: Row, kind: Kind, code: str, detail: str, others: Iterable[str] = ()) -> Finding:
    return Finding(str(row["neuron_id"]), str(row["swc"]), kind, code, detail, tuple(others))


def _why(row: Row) -> str:
    return str(row.get("detail") or WORDS.get(row["status"], ""))


def _units(rows: Sequence[Row]) -> Iterator[Finding]:
    """Sizes that no neuron has, or none of this folder."""
    extents = np.array([extent_um(row) for row in rows])
    known = extents[extents > 0]
    middle = float(np.median(known)) if len(known) >= FEWEST_FOR_MEDIAN else None
    for row, extent in zip(rows, extents, strict=True):
        size = f"{length_text(extent)} long"
        for code in _UNITS:
            if code in (row["warnings"] or ()):
                yield _finding(row, "units", code, size)
        if 0 < extent < SMALLEST_EXTENT and row["n_nodes"] >= FEW_NODES:
            yield _finding(row, "units", "tiny", size)
        if middle is not None and extent > 0 and not 1 / UNLIKE_FOLDER < extent / middle < UNLIKE_FOLDER:
            yield _finding(row, "units", "unlike_folder", f"{size}; the middle one of the folder {length_text(middle)}")


def _copies(rows: Sequence[Row], digests: Mapping[str, str]) -> Iterator[Finding]:
    """Neurons with the same file or the same shape."""
    by_shape: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        digest = digests.get(str(row["neuron_id"]), "")
        by_shape[row["fingerprint"] or (f"file {digest}" if digest else f"alone {row['neuron_id']}")].append(row)
    for group in by_shape.values():
        for row in group:
            others = [other for other in group if other is not row]
            if not others:
                continue
            names = [str(other["neuron_id"]) for other in others]
            digest = digests.get(str(row["neuron_id"]), "")
            size = float(row["cable_length"] or 0.0)
            ratios = [_ratio(size, float(other["cable_length"] or 0.0)) for other in others]
            if any(digest and digests.get(name) == digest for name in names):
                code = "same_file"
            else:
                code = "same_cell_scaled" if max(ratios) > SAME_SIZE else "same_cell"
            scale = f"; sizes differ by {max(ratios):.4g} times" if max(ratios) > SAME_SIZE else ""
            yield _finding(row, "copies", code, f"as {', '.join(names[:5])}{scale}", names)


def _ratio(one: float, other: float) -> float:
    """How many times the larger is as large as the smaller."""
    low, high = min(one, other), max(one, other)
    return high / low if low > 0 else 1.0


def _parts(row: Row, record: NeuronRecord | None) -> Iterator[Finding]:
    """Compartments that are not there; worse where the metadata say that they were traced."""
    traced = set(record.traced) if record is not None else set()
    has = {
        "soma": "no_soma" not in (row["warnings"] or ()),
        "axon": _cable(row, "axon") > 0,
        "dendrites": _cable(row, "basal") + _cable(row, "apical") > 0,
    }
    for part, there in has.items():
        if there:
            continue
        if part in traced:
            yield _finding(row, "parts", f"{part}_missing", WORDS[f"{part}_missing"])
        elif not traced or "neurites" in traced:
            other = _cable(row, "other")
            what = f"; {length_text(other)} of cable have no type" if other > 0 and part != "soma" else ""
            yield _finding(row, "parts", f"no_{part}", WORDS[f"no_{part}"] + what)


def _cable(row: Row, part: str) -> float:
    value = row.get(f"{part}_cable_length")
    return 0.0 if value is None or not np.isfinite(value) else float(value)


def _remarks(row: Row) -> Iterator[Finding]:
    """What the reader repaired and what looks odd, unless it is reported elsewhere."""
    codes = [code for code in row["warnings"] or () if code not in (*_UNITS, "no_soma", row["status"])]
    if row["n_nodes"] < FEW_NODES:
        codes.append("few_nodes")
    longest, extent = float(row["longest_edge_um"]), extent_um(row)
    if row["n_nodes"] >= NODES_FOR_SHARE and longest > LONG_SHARE * extent > 0 and "long_edge" not in row["warnings"]:
        yield _finding(row, "tracing", "spider_leg", f"an edge of {length_text(longest)}, {length_text(extent)} in all")
    for code in codes:
        yield _finding(row, "form" if code in OF_THE_FILE else "tracing", code, WORDS.get(code, ""))
