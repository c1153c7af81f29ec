"""What a download left behind, for comparisons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

STABLE = ("metadata.jsonl", "morphometry.jsonl", "citations.csv", "citations.bib", "records.jsonl")


def stable_files(folder: Path) -> dict[str, bytes]:
    """Every file that must have the same bytes after any history: the data, without what tells of the history."""
    found = {name: (folder / name).read_bytes() for name in STABLE if (folder / name).exists()}
    swc = folder / "swc"
    return found | {f"swc/{path.name}": path.read_bytes() for path in sorted(swc.iterdir())}


def rows(path: Path) -> list[dict[str, Any]]:
    """Rows of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def strict_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of JSON lines in which NaN and infinity, which Python would take for JSON, are errors."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{path}: {word} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in path.read_text("utf-8").splitlines()]


def status(folder: Path) -> dict[int, dict[str, Any]]:
    """Rows of ``status.jsonl`` by neuron."""
    return {row["neuron_id"]: row for row in rows(folder / "status.jsonl")}
