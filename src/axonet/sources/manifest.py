"""The source ``manifest``: neurons listed in a file, their SWC files in a bucket or in folders.

With a row's SHA-256 the SWC itself is not read until it is measured and drawn, so that hundreds of thousands of neurons
in a bucket are acquired without downloading them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from axonet.core.bucket import in_bucket, read_bytes
from axonet.core.errors import UserError
from axonet.core.files import write_jsonl
from axonet.metadata.adapters.arrow import file_name
from axonet.sources.found import FileFacts, FoundNeuron
from axonet.sources.settings import ManifestSettings

# What a row says about the file rather than about the neuron; a catalog written as JSON lines has all of it.
ABOUT_THE_FILE = ("sha256", "scale", "fingerprint", "name", "shard", "duplicate_of", "also")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def find_manifest_neurons(settings: ManifestSettings, out: Path) -> list[FoundNeuron]:
    """The neurons of a manifest, sorted by id.

    Args:
        settings: where the manifest is.
        out: gets the metadata of the neurons, as the manifest has them.

    Raises:
        UserError: the manifest cannot be read, or a row names no SWC or no proper SHA-256, scale or fingerprint.
    """
    from axonet.metadata.adapters import load_records

    where = settings.file
    if where is None:
        raise UserError("the source manifest needs manifest.file, a list of neurons as JSON lines")
    rows = read_manifest(where)
    # The metadata are read by the one reader of tables; it would warn of columns that are not about the neuron.
    metadata = out / "metadata.jsonl"
    write_jsonl(metadata, [{key: row[key] for key in row if key not in ABOUT_THE_FILE} for row in rows])
    records = load_records(metadata, "table")
    found = []
    for number, (row, record) in enumerate(zip(rows, records, strict=True), start=1):
        own = replace(record, id=record.id.removeprefix("manifest:"), source="manifest", swc=file_name(record.swc))
        path = located(str(row["swc"]), where)
        try:
            found.append(FoundNeuron(own, path, _scale(row), known_facts(row)))
        except ValueError as error:
            raise UserError(f"{where}, row {number}: {error}") from None
    return sorted(found, key=lambda neuron: neuron.record.id)


def read_manifest(where: str) -> list[dict[str, Any]]:
    """The rows of a manifest.

    Raises:
        UserError: it is not there, is empty, or a line is no JSON object with ``swc``.
    """
    try:
        text = read_bytes(where).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{where}: cannot be read ({error}); a manifest is a text file of JSON lines") from None
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{where}, line {number}: not JSON ({error})") from None
        if not isinstance(row, dict) or not str(row.get("swc") or "").strip():
            raise UserError(
                f"{where}, line {number}: expected a JSON object with swc, the address of an SWC file, such as "
                '{"id": "n1", "swc": "gs://bucket/swc/n1.swc", "sha256": "..."}'
            )
        rows.append(row)
    if not rows:
        raise UserError(f"{where}: no neurons in it")
    return rows


def located(swc: str, manifest: str) -> Path | str:
    """Where a file is: an address in a bucket, or a path; a relative one starts at the manifest's folder."""
    if in_bucket(swc):
        return swc
    if in_bucket(manifest) and not Path(swc).is_absolute():
        return f"{manifest.rpartition('/')[0]}/{swc}"
    return Path(manifest).parent / swc


def known_facts(row: Mapping[str, Any]) -> FileFacts | None:
    """Content and shape of the file as the row tells them; None: the file has to be read.

    Raises:
        ValueError: no proper SHA-256.
    """
    sha256 = row.get("sha256")
    if sha256 is None:
        return None
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256.lower()):
        raise ValueError(f"sha256 must be 64 hexadecimal digits (got {sha256!r})")
    shape = row.get("fingerprint")
    if shape is not None and not isinstance(shape, str):
        raise ValueError(f"fingerprint must be a text (got {shape!r})")
    return FileFacts(sha256.lower(), shape)


def _scale(row: Mapping[str, Any]) -> float:
    scale = row.get("scale", 1.0)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not scale > 0:
        raise ValueError(f"scale must be a positive number of um per unit of the file (got {scale!r})")
    return float(scale)
