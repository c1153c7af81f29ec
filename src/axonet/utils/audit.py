"""Command: what is wrong with a folder of SWC files, before anything is trained: ``axonet audit cells/``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field
from pydantic.config import JsonDict
from pydantic_settings import CliPositionalArg

from axonet.core.config import CommandSettings, run_command
from axonet.metadata.settings import TableColumns

if TYPE_CHECKING:
    from axonet.explore.audit import Finding
    from axonet.metadata.record import NeuronRecord
    from axonet.sources.catalog import CatalogEntry

IO: JsonDict = {"io": True}


class AuditConfig(TableColumns, CommandSettings):
    """Look for wrong units, cells deposited twice, missing parts, tracing faults and doubtful labels in SWC files.

    Writes audit.html, with a picture of each neuron that something was found about, and audit.csv. Nothing is trained
    and nothing is changed.
    """

    swc_dir: CliPositionalArg[Path] = Field(
        description="folder of SWC files, with its sub-folders", json_schema_extra=IO
    )
    out: Path = Field(
        Path("audit"), description="folder for audit.html and audit.csv", json_schema_extra={"io": True, "short": "o"}
    )
    metadata: Path | None = Field(
        None, description="metadata of the neurons: what was traced, and labels to check", json_schema_extra=IO
    )
    source: Literal["neuromorpho", "allen", "table"] = Field(
        "table", description="dialect of --metadata", json_schema_extra=IO
    )
    vectors: Path | None = Field(
        None, description="vectors of axonet embed, to check labels by neighbors; with --metadata", json_schema_extra=IO
    )
    jobs: int = Field(
        1, ge=1, description="processes that read and draw neurons", json_schema_extra={"io": True, "short": "j"}
    )


def run(config: AuditConfig) -> None:
    """Measure, judge, draw, write."""
    from axonet.core.errors import UserError
    from axonet.core.files import write_text
    from axonet.core.progress import say, track
    from axonet.datasets.build import list_entries
    from axonet.explore.audit import audit, in_order
    from axonet.explore.audit_measure import audit_entry
    from axonet.explore.audit_page import audit_page, neurons_to_draw, shown
    from axonet.explore.audit_table import write_findings
    from axonet.sources.workers import map_ordered

    if config.vectors is not None and config.metadata is None:
        raise UserError("--vectors: neighbors are compared by their labels, so give --metadata too")
    entries = list_entries(config.swc_dir)
    records = _records(config, entries)
    rows = list(track(map_ordered(audit_entry, entries, config.jobs), "measuring neurons", len(entries)))
    findings = audit(rows, _digests(entries), records)
    notes = []
    if config.vectors is None:
        notes.append("Labels were not compared with neighbors: that takes --vectors and --metadata.")
    else:
        about_labels, told = _about_labels(config.vectors, entries, records, findings)
        findings = in_order([*findings, *about_labels])
        notes.append(told)
    pictures = _pictures([e for e in entries if e.neuron_id in neurons_to_draw(shown(findings))], config.jobs)
    page = audit_page(str(config.swc_dir), len(entries), findings, notes, pictures, "audit.csv")
    write_findings(config.out / "audit.csv", findings)
    write_text(config.out / "audit.html", page)
    wrong = {finding.neuron_id for finding in findings if finding.level == "wrong"}
    look = {finding.neuron_id for finding in findings if finding.kind != "form"} - wrong
    say(f"{len(entries):,} neurons: {len(wrong):,} most likely wrong, {len(look):,} worth a look")
    say(f"look at {config.out / 'audit.html'}; all findings are in {config.out / 'audit.csv'}")


def _records(config: AuditConfig, entries: Sequence[CatalogEntry]) -> dict[str, NeuronRecord]:
    """Metadata by neuron id, of the files that have some."""
    if config.metadata is None:
        return {}
    from axonet.core.progress import say
    from axonet.metadata.adapters import load_records
    from axonet.metadata.index import RecordIndex
    from axonet.metadata.unmatched import tell_unmatched

    index = RecordIndex(load_records(config.metadata, config.source, config.columns))
    joined = index.join([entry.swc for entry in entries])
    say(f"{config.metadata}: metadata for {len(joined.records)} of {len(entries)} SWC files")
    tell_unmatched(index, joined, config.metadata)
    return {entry.neuron_id: joined.records[entry.swc] for entry in entries if entry.swc in joined.records}


def _digests(entries: Sequence[CatalogEntry]) -> dict[str, str]:
    """SHA-256 of the files that can be read."""
    from contextlib import suppress

    from axonet.core.files import sha256_file

    digests = {}
    for entry in entries:
        with suppress(OSError):
            digests[entry.neuron_id] = sha256_file(entry.path)
    return digests


def _about_labels(
    vectors: Path,
    entries: Sequence[CatalogEntry],
    records: Mapping[str, NeuronRecord],
    findings: Sequence[Finding],
) -> tuple[list[Finding], str]:
    """Findings about labels, one kind of label after the other, and what was compared."""
    from dataclasses import replace

    from axonet.core.errors import UserError
    from axonet.explore.audit_labels import N_NEIGHBORS, contradicted_labels, copy_words, label_fields
    from axonet.inference.pool import pool_poses
    from axonet.inference.vectors import read_vectors

    views = read_vectors(vectors)
    poses = pool_poses(views.vector if views.joined is None else views.joined, views.neuron_id, "mean")
    files = {entry.neuron_id: entry.swc for entry in entries}
    if not files.keys() & set(poses.names):
        raise UserError(
            f"{vectors}: has vectors of none of these neurons, but of {poses.names[0]!r} and others; make them with "
            "axonet embed of the same folder"
        )
    here = [row for row, name in enumerate(poses.names) if name in files]
    ids = [poses.names[row] for row in here]
    copies = copy_words(ids, findings)
    found, known = [], {}
    for field, of in label_fields().items():
        labels = [of(records[name]) if name in records else None for name in ids]
        found += contradicted_labels(ids, poses.vectors[here], labels, copies, field)
        known[field.replace("_", " ")] = sum(label is not None for label in labels)
    counts = ", ".join(f"{field} of {n:,}" for field, n in known.items())
    told = f"Labels of neurons with vectors were compared with {N_NEIGHBORS} neighbors each: {counts}."
    return [replace(finding, swc=files[finding.neuron_id]) for finding in found], told


def _pictures(entries: Sequence[CatalogEntry], jobs: int) -> dict[str, Any]:
    """The widest view of each neuron that can be drawn."""
    from axonet.core.progress import track
    from axonet.explore.portrait import portrait_of_entry
    from axonet.sources.workers import map_ordered

    drawn = track(map_ordered(portrait_of_entry, entries, jobs), "drawing neurons", len(entries))
    return {entry.neuron_id: one for entry, one in zip(entries, drawn, strict=True) if one is not None}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(AuditConfig, run, argv, program="axonet audit")


if __name__ == "__main__":
    sys.exit(main())
