"""Records of the NeuroMorpho.Org API, as its bulk download writes them: one JSON object per line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axonet.core.errors import UserError
from axonet.core.files import read_json, read_jsonl
from axonet.metadata.adapters.dialect import dialect_hint, dialect_of, rows_in
from axonet.metadata.adapters.table import column_names, downloaded_swc, integer_text, record_of
from axonet.metadata.normalize import listed
from axonet.metadata.record import NeuronRecord
from axonet.metadata.vocabulary.words import said

LICENCE = "CC BY 4.0 (NeuroMorpho.Org)"


def load_neuromorpho(path: Path) -> list[NeuronRecord]:
    """Read ``metadata.jsonl`` of a NeuroMorpho.Org download.

    A neuron that was written twice counts once, as it was written last.

    Raises:
        UserError: the file is missing or broken, or a row has no ``neuron_id`` or no ``neuron_name``.
    """
    if path.suffix.lower() in (".csv", ".tsv", ".parquet"):
        raise UserError(f"{path}: records of NeuroMorpho.Org are JSON lines; {dialect_hint(column_names(path))}")
    records: dict[str, NeuronRecord] = {}
    for number, row in enumerate(_rows(path), start=1):
        for key in ("neuron_id", "neuron_name"):
            if said(row.get(key)) is None:
                hint = "" if dialect_of(row) == "neuromorpho" else f"; {dialect_hint(row)}"
                raise UserError(f"{path}, row {number}: no {key}, which every record of NeuroMorpho.Org has{hint}")
        record = neuromorpho_record(row)
        records[record.id] = record
    return list(records.values())


def _rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix.lower() != ".json":
        return read_jsonl(path)
    try:
        return rows_in(read_json(path))  # a record or a page, as the API sends them
    except UserError:
        return read_jsonl(path)


def neuromorpho_record(row: Mapping[str, Any]) -> NeuronRecord:
    """The record of one object of the API.

    Lists may be lists, bare strings or null; numbers may be strings; "Not reported" is no answer.
    """
    reference = listed(row.get("reference_doi")) or listed(row.get("reference_pmid")) or listed(row.get("reference"))
    value = {
        "species": row.get("species"),
        "region": row.get("brain_region"),
        "cell_type": row.get("cell_type"),
        "sex": row.get("gender"),
        "stage": row.get("age_classification"),
        "strain": row.get("strain"),
        "condition": row.get("experiment_condition"),
        "traced": row.get("domain"),
        "publication": reference[0] if reference else None,
        "archive": row.get("archive"),
        "licence": row.get("licence") or LICENCE,
    }
    # Where the download does not say which file is the neuron's, it is named after the neuron.
    swc = downloaded_swc(row) or f"{row['neuron_name']}.CNG.swc"
    return record_of(value, integer_text(row["neuron_id"]), swc, source="neuromorpho")
