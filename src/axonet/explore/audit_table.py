"""``audit.csv``: one row per finding."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from axonet.core.files import atomic_path
from axonet.explore.audit import Finding

COLUMNS = ("neuron_id", "swc", "kind", "level", "code", "detail", "others")


def write_findings(path: Path, findings: Iterable[Finding]) -> None:
    """Write findings in their order; the other neurons of a finding have ``|`` between them."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for item in findings:
            writer.writerow(
                [item.neuron_id, item.swc, item.kind, item.level, item.code, item.detail, "|".join(item.others)]
            )
