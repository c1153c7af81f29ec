"""A user's own table (CSV, TSV, JSON lines, Parquet) with natural column names."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axonet.core.errors import UserError
from axonet.core.files import read_jsonl, read_table
from axonet.metadata import normalize
from axonet.metadata.adapters.arrow import file_name, folder_path, from_table, holds_records, path_parts
from axonet.metadata.adapters.dialect import dialect_hint, dialect_of, json_hint
from axonet.metadata.record import NeuronRecord
from axonet.metadata.vocabulary.markers import marker_word
from axonet.metadata.vocabulary.species import species_name
from axonet.metadata.vocabulary.words import said

# Field of a record: the columns that are looked for, the first one present wins.
COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "neuron_id"),
    "swc": ("swc", "swc_file", "swc_path", "file"),
    "source": ("source",),
    "species": ("species", "organism"),
    "region": ("region", "brain_region"),
    "cell_class": ("cell_class",),
    "cell_type": ("cell_type", "type"),
    "modifiers": ("modifiers", "modifier"),
    "markers": ("markers", "marker"),
    "t_type": ("t_type",),
    "layer": ("layer",),
    "sex": ("sex", "gender"),
    "stage": ("stage", "age_classification"),
    "strain": ("strain",),
    "condition": ("condition", "experiment_condition"),
    "apical_status": ("apical_status",),
    "traced": ("traced", "domain"),
    "donor": ("donor", "animal", "subject"),
    "publication": ("publication", "reference_doi", "reference"),
    "archive": ("archive", "lab"),
    "licence": ("licence", "license"),
    "label": ("label",),
}
REQUIRED = ("swc",)
_DOWNLOAD_FOLDER = "swc"
FORMATS = ".csv, .tsv, .jsonl or .parquet"


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """Records of a table, and the columns that were not understood."""

    records: list[NeuronRecord]
    ignored: tuple[str, ...] = ()


def load_table(path: Path, columns: Mapping[str, str] | None = None) -> LoadedTable:
    """Read a user's table.

    A Parquet table that holds every column of a record was written by axonet and is taken as it is. Without a column
    of ids the neurons are named after their files: ``cell`` for ``cell.swc``.

    Args:
        path: CSV, TSV, JSON lines or Parquet.
        columns: ``{field: column}`` for columns with other names.

    Raises:
        UserError: the file is missing or of another format, a needed column is missing, a row has no id or no SWC,
            or two rows have one id.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        table = read_table(path)
        if holds_records(table.column_names) and not columns:
            return LoadedTable(from_table(table))
        names, rows = list(table.column_names), table.to_pylist()
    elif suffix in (".jsonl", ".ndjson"):
        rows = read_jsonl(path)
        names = list(dict.fromkeys(name for row in rows for name in row))
    elif suffix in (".csv", ".tsv"):
        names, rows = read_csv(path)
    else:
        hint = json_hint(path) if suffix == ".json" else ""
        raise UserError(f"{path}: cannot read {suffix or 'a file without an ending'}; a table is {FORMATS}{hint}")
    chosen = choose_columns(names, columns or {}, path)
    if dialect_of(names) == "allen" and chosen.keys() <= {"id", "swc"}:  # every cell would be "a neuron"
        raise UserError(f"{path}: no table of your own; {dialect_hint(names)}")
    records = [_record(row, number, chosen, path) for number, row in enumerate(rows, start=1)]
    _refuse_duplicates(records, path, has_ids="id" in chosen)
    used = set(chosen.values())
    return LoadedTable(records, tuple(name for name in names if name not in used))


def column_names(path: Path) -> list[str]:
    """Names of the columns of a CSV, TSV or Parquet file."""
    return read_table(path).column_names if path.suffix.lower() == ".parquet" else read_csv(path)[0]


def read_csv(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """Header and rows of a CSV or TSV file.

    Whatever the ending, the sign that the header has most of is between the cells: comma, tab or semicolon (which
    spreadsheets write where the comma is the decimal sign).

    Raises:
        UserError: not UTF-8, no header, or a row with more cells than the header.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            delimiter = max("\t,;" if path.suffix.lower() == ".tsv" else ",\t;", key=header.count)
            reader = csv.DictReader(file, delimiter=delimiter, strict=True)
            rows = list(reader)
            names = [name.strip() for name in reader.fieldnames or ()]
    except UnicodeDecodeError as error:
        reason = f"{error.reason} at byte {error.start}"
        raise UserError(f'{path}: not UTF-8 text ({reason}); save it as "CSV UTF-8"') from None
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except csv.Error as error:
        raise UserError(f"{path}: not a readable CSV file ({error})") from None
    if not names:
        raise UserError(f"{path}: empty; expected a header line with columns such as swc, species and cell_type")
    for number, row in enumerate(rows, start=1):
        if None in row:
            raise UserError(f"{path}, row {number}: more cells than columns in the header")
    return names, [{str(key).strip(): value for key, value in row.items()} for row in rows]


def choose_columns(names: Iterable[str], mapping: Mapping[str, str], path: Path) -> dict[str, str]:
    """Column of every field that the table has.

    Raises:
        UserError: the mapping names an unknown field or a missing column, or there is no column for a needed field.
    """
    present = {name.casefold(): name for name in names}
    chosen: dict[str, str] = {}
    for field, column in mapping.items():
        if field not in COLUMNS:
            raise UserError(f"unknown field {field!r} in the column mapping; known: {', '.join(COLUMNS)}")
        if column.casefold() not in present:
            raise UserError(f"{path}: no column {column!r} for {field}; there are: {', '.join(present.values())}")
        chosen[field] = present[column.casefold()]
    for field, candidates in COLUMNS.items():
        found = next((present[name] for name in candidates if name in present), None)
        if field not in chosen and found is not None and found not in chosen.values():
            chosen[field] = found
    for field in REQUIRED:
        if field not in chosen:
            if dialect_of(present.values()) is not None:
                raise UserError(f"{path}: missing column {field!r}; {dialect_hint(present.values())}")
            raise UserError(
                f"{path}: missing column {field!r}; give one of {', '.join(COLUMNS[field])}, or --column {field}=NAME; "
                f"there are: {', '.join(present.values()) or 'none'}"
            )
    return chosen


def _record(row: Mapping[str, Any], number: int, chosen: Mapping[str, str], path: Path) -> NeuronRecord:
    value = {field: row.get(column) for field, column in chosen.items()}
    needed = {}
    for field in [name for name in ("id", "swc") if name in chosen]:
        text = _identifier(value.get(field))
        if text is None:
            raise UserError(f"{path}, row {number}: no {field} (column {chosen[field]!r} is empty)")
        needed[field] = text
    return record_of(value, needed.get("id") or _name_of(needed["swc"]), needed["swc"])


def _name_of(swc: str) -> str:
    from axonet.morphology.swc import neuron_name

    return neuron_name(file_name(swc))


def _identifier(value: object) -> str | None:
    # An id or a file may well be called "NA" or "none": only nothing at all is no answer here.
    text = "" if value is None or value != value else str(value).strip()
    return text or None


def record_of(value: Mapping[str, Any], neuron_id: str, swc: str, source: str = "table") -> NeuronRecord:
    """A record from values by field name, in a source's words; ``swc`` may be a path.

    What the list of cell types says counts together with the separate columns for class, modifiers and markers.
    """
    text = {field: said(value.get(field)) for field in ("t_type", "strain", "apical_status", "licence", "label")}
    cell = normalize.cell_words(
        tuple(word for field in ("cell_type", "cell_class", "modifiers") for word in normalize.listed(value.get(field)))
    )
    named = [marker_word(word) for word in normalize.listed(value.get("markers"))]
    markers = (*cell.markers, *named, *normalize.gene_marker(text["t_type"]))
    place = normalize.region_words(normalize.listed(value.get("region")))
    layer = normalize.layer_name(value.get("layer"))
    if layer is None and said(value.get("layer")) is not None:  # a named layer, such as "stratum oriens", is a place
        place = normalize.region_words((*place.region, *normalize.listed(value.get("layer"))))
    traced = normalize.traced_words(value.get("traced"))
    return NeuronRecord(
        id=neuron_id,
        source=said(value.get("source")) or source,
        swc=file_name(swc),
        species=species_name(value.get("species")),
        region=place.region,
        cell_class=cell.cell_class,
        cell_type=cell.cell_type,
        modifiers=cell.modifiers,
        markers=tuple(dict.fromkeys(markers)),
        t_type=text["t_type"],
        layer=layer or place.layer or cell.layer,
        sex=normalize.sex_word(value.get("sex")),
        stage=normalize.stage_word(value.get("stage")),
        strain=text["strain"],
        condition=normalize.condition_words(value.get("condition")),
        apical_status=text["apical_status"] and text["apical_status"].lower(),
        traced=traced,
        donor=_joined(value.get("donor")),
        publication=_joined(value.get("publication")),
        archive=_joined(value.get("archive")),
        licence=text["licence"],
        label=text["label"] or cell.label,
        swc_path=folder_path(swc),
    )


def stored_swc(row: Mapping[str, Any]) -> str | None:
    """The path that a download has written into a source's record, or None."""
    return next((text for text in (_identifier(row.get(key)) for key in COLUMNS["swc"]) if text is not None), None)


def downloaded_swc(row: Mapping[str, Any]) -> str | None:
    """The path of a record's SWC inside the folder of the files that a download has made, or None."""
    stored = stored_swc(row)
    if stored is None:
        return None
    # Every file of a download is below "swc": that this is said tells nothing, and files may have been moved since.
    parts = path_parts(stored)
    return "/".join(parts[1:] if len(parts) > 1 and parts[0] == _DOWNLOAD_FOLDER else parts)


def integer_text(value: object) -> str:
    """An identifier as text; tables with gaps turn integers into floats."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else "" if value is None else value)


def _joined(value: object) -> str | None:
    return normalize.SEPARATOR.join(normalize.listed(value)) or None


def _refuse_duplicates(records: Iterable[NeuronRecord], path: Path, *, has_ids: bool) -> None:
    seen: dict[tuple[str, str], int] = {}
    for number, record in enumerate(records, start=1):
        key = (record.source, record.id)
        if key in seen:
            why = "" if has_ids else "; neurons are named after their SWC files, as there is no column id"
            raise UserError(f"{path}, row {number}: id {record.id!r} again; it is in row {seen[key]} already{why}")
        seen[key] = number
