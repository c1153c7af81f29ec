"""Records of the Allen Institute: cells of the Cell Types Database (RMA answers) and of the patch-seq tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axonet.core.errors import UserError
from axonet.core.files import read_json, read_jsonl
from axonet.metadata.adapters.dialect import dialect_hint, dialect_of, json_hint, rows_in
from axonet.metadata.adapters.table import column_names, downloaded_swc, integer_text, read_csv, record_of
from axonet.metadata.normalize import driver_markers
from axonet.metadata.record import NeuronRecord
from axonet.metadata.vocabulary.words import said

RMA_ID, PATCH_SEQ_ID = "specimen__id", "cell_specimen_id"

# NeuroMorpho.Org publishes the same cells under this archive; one name keeps them in one group.
ARCHIVE = "Allen Cell Types"
LICENCE = "Allen Institute Terms of Use (non-commercial, citation required)"

# The transcriptomic type has another column name in each edition of the patch-seq tables.
T_TYPE_COLUMNS = ("t_type", "T-type Label", "T-type", "corresponding_AIT2.3.1_alias")

# No column of the patch-seq tables tells the species; the project does.
PROJECT_SPECIES = {"m": "mouse", "h": "human"}
_PROJECT = re.compile(r"^(?P<species>[mh])IVSCC")

_TRACED = {"full": "Soma, Axon, Dendrites", "dendrite-only": "Soma, Dendrites"}


def load_allen(path: Path) -> list[NeuronRecord]:
    """Read Allen metadata: an RMA answer (JSON), rows of one (JSON lines, CSV), a patch-seq table (CSV), or a download.

    Raises:
        UserError: the file is missing or broken, the answer reports an error, or a row is of neither kind.
    """
    records: dict[str, NeuronRecord] = {}
    for number, row in enumerate(_rows(path), start=1):
        if said(row.get(RMA_ID)) is not None:
            record = rma_record(row)
        elif said(row.get(PATCH_SEQ_ID)) is not None:
            record = patch_seq_record(row)
        elif said(row.get("source")) == "allen" and row.keys() >= {"id", "swc"}:
            record = downloaded_record(row)
        else:
            hint = "" if dialect_of(row) == "allen" else f"; {dialect_hint(row)}"
            raise UserError(f"{path}, row {number}: neither {RMA_ID} nor {PATCH_SEQ_ID}{hint}")
        records[record.id] = record
    return list(records.values())


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    if path.suffix.lower() in (".csv", ".tsv"):
        return read_csv(path)[1]
    if path.suffix.lower() == ".parquet":
        raise UserError(f"{path}: cells of the Allen Institute are JSON or CSV; {dialect_hint(column_names(path))}")
    if path.suffix.lower() != ".json":
        return read_jsonl(path)
    answer = read_json(path)
    # An error can come with HTTP 200: then the message is text instead of rows.
    if not isinstance(answer, dict) or answer.get("success") is not True or not isinstance(answer.get("msg"), list):
        reason = answer.get("msg") if isinstance(answer, dict) else type(answer).__name__
        rows = rows_in(answer)
        if rows and dialect_of(rows[0]) == "allen":
            return rows
        raise UserError(f"{path}: no rows of an RMA answer ({reason}){json_hint(path)}")
    return list(answer["msg"])


def rma_record(row: Mapping[str, Any]) -> NeuronRecord:
    """The record of one row of ``ApiCellTypesSpecimenDetail``."""
    neuron_id = integer_text(row[RMA_ID])
    # The parent is the area; the structure itself carries the layer, which has a column of its own.
    area = said(row.get("structure_parent__acronym")) or row.get("structure__acronym")
    value = {
        "species": row.get("donor__species"),
        "region": area,
        "layer": row.get("structure__layer"),
        "cell_type": row.get("tag__dendrite_type"),
        "markers": driver_markers(row.get("line_name")),
        "apical_status": row.get("tag__apical"),
        "sex": row.get("donor__sex"),
        "condition": row.get("donor__disease_state"),
        "traced": _TRACED.get(str(row.get("nr__reconstruction_type"))),
        "donor": integer_text(row.get("donor__id")),
    }
    return _record(value, row, neuron_id, f"{neuron_id}.swc")


def patch_seq_record(row: Mapping[str, Any]) -> NeuronRecord:
    """The record of one row of a patch-seq table, mouse or human, of any edition."""
    neuron_id = integer_text(row[PATCH_SEQ_ID])
    project = _PROJECT.match(said(row.get("project")) or "")
    # "Vip-IRES-Cre/wt;Ai14(RCL-tdT)/wt": a driver and a reporter, each with its second allele.
    genotype = re.split(r"[;/]", said(row.get("full_genotype")) or "")
    value = {
        "species": row.get("species") or (PROJECT_SPECIES[project["species"]] if project else None),
        "region": row.get("structure"),
        "cell_type": row.get("dendrite_type"),
        "markers": driver_markers([word.strip() for word in genotype]),
        "t_type": next((text for name in T_TYPE_COLUMNS if (text := said(row.get(name))) is not None), None),
        "apical_status": row.get("apical_dendrite_status"),
        "sex": row.get("biological_sex"),
        "condition": row.get("medical_conditions"),
        "traced": _TRACED.get(str(row.get("neuron_reconstruction_type"))),
        "donor": integer_text(row.get("donor_id")),
    }
    return _record(value, row, neuron_id, f"{neuron_id}_transformed.swc")


def downloaded_record(row: Mapping[str, Any]) -> NeuronRecord:
    """The record of a row of ``metadata.jsonl`` of ``allen_bulk``, which has the columns of a table."""
    neuron_id = integer_text(row["id"])
    return record_of(row, neuron_id, downloaded_swc(row) or f"{neuron_id}.swc", source="allen")


def _record(value: Mapping[str, Any], row: Mapping[str, Any], neuron_id: str, default_swc: str) -> NeuronRecord:
    dendrites = said(value["cell_type"])
    about = {"archive": ARCHIVE, "licence": LICENCE, "label": f"{dendrites} neuron" if dendrites else None}
    return record_of({**value, **about}, neuron_id, downloaded_swc(row) or default_swc, source="allen")
