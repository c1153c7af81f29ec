from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from axonet.core.errors import UserError
from axonet.core.files import write_table
from axonet.metadata.adapters import from_table, load_records, to_table
from axonet.metadata.record import FIELD_NAMES, NeuronRecord

from .examples import EXAMPLES

FULL_ROW = {
    "neuron_id": 31,
    "neuron_name": "cell (2) #1",
    "archive": "Some_Lab",
    "species": "monkey",
    "strain": "Rhesus",
    "gender": "Male/Female",
    "age_classification": "old",
    "brain_region": ["neocortex", "prefrontal", "layer 3"],
    "cell_type": ["Local projecting", "pyramidal", "principal cell"],
    "experiment_condition": ["Control"],
    "domain": "Dendrites, Soma, No Axon",
    "soma_surface": "834.0",
    "reference_pmid": ["12204204", "12902394"],
    "reference_doi": ["10.1000/one", "10.1000/two"],
}


def write_lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def the_only(records: list[NeuronRecord]) -> NeuronRecord:
    (record,) = records
    return record


def test_a_neuromorpho_record_is_normalized(tmp_path: Path) -> None:
    record = the_only(load_records(write_lines(tmp_path / "metadata.jsonl", FULL_ROW), "neuromorpho"))
    assert record == NeuronRecord(
        id="31",
        source="neuromorpho",
        swc="cell (2) #1.CNG.swc",
        species="monkey",
        region=("neocortex", "prefrontal"),
        cell_class="principal cell",
        cell_type="pyramidal",
        modifiers=("local projecting",),
        layer="3",
        stage="aged",
        strain="Rhesus",
        traced=("soma", "dendrites"),
        publication="10.1000/one",
        archive="Some_Lab",
        licence="CC BY 4.0 (NeuroMorpho.Org)",
        label="pyramidal neuron",
    )
    assert record.neuron_id == "neuromorpho:31"


@pytest.mark.parametrize("key", ["swc", "swc_file", "swc_path"])
def test_the_path_of_the_download_names_the_file(tmp_path: Path, key: str) -> None:
    row = FULL_ROW | {key: "swc/cell_2_1-0f3a2b.CNG.swc"}
    record = the_only(load_records(write_lines(tmp_path / "metadata.jsonl", row), "neuromorpho"))
    assert record.swc == "cell_2_1-0f3a2b.CNG.swc"


@pytest.mark.parametrize(("region", "expected"), [(None, ()), ("CA1", ("CA1",)), (["hippocampus", "CA1"], None)])
def test_lists_may_be_null_or_bare_strings(tmp_path: Path, region: object, expected: tuple[str, ...] | None) -> None:
    path = write_lines(tmp_path / "metadata.jsonl", FULL_ROW | {"brain_region": region, "cell_type": None})
    record = the_only(load_records(path, "neuromorpho"))
    assert record.region == (("hippocampus", "CA1") if expected is None else expected)
    assert record.cell_class is None
    assert record.label is None


def test_a_neuron_that_was_written_twice_counts_once_as_it_was_last(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "metadata.jsonl", FULL_ROW, FULL_ROW | {"species": "baboon"})
    assert the_only(load_records(path, "neuromorpho")).species == "baboon"


def test_a_row_without_a_name_is_no_neuromorpho_record(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "metadata.jsonl", FULL_ROW, {"neuron_id": 2})
    with pytest.raises(UserError, match=r"metadata\.jsonl, row 2: no neuron_name"):
        load_records(path, "neuromorpho")


@pytest.mark.parametrize("source", ["neuromorpho", "table"])
def test_a_missing_file_is_named(tmp_path: Path, source: str) -> None:
    with pytest.raises(UserError, match=r"nowhere\.jsonl: no such file"):
        load_records(tmp_path / "nowhere.jsonl", source)


def test_an_unknown_dialect_is_refused_and_the_known_ones_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown metadata source 'excel'; known: neuromorpho, allen, table"):
        load_records(tmp_path / "any.jsonl", "excel")


CSV = """\
id,swc,species,region,cell_type,layer,sex,stage,donor,lab,license,weight
a,cells/a.swc,Mus musculus,neocortex | VISp,pyramidal,5,F,adult,m1,Somebody,CC0,12
b,cells\\b.CNG.swc,rat,hippocampus | CA1,"basket | PV",,Not reported,,m2,Somebody,CC0,
"""


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_a_table_reads_the_same_in_every_format(tmp_path: Path, ending: str) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_text(CSV, encoding="utf-8")
    import csv

    rows = list(csv.DictReader(CSV.splitlines()))
    path = tmp_path / f"neurons.{ending}"
    if ending == "csv":
        path.write_text(CSV, encoding="utf-8-sig")
    elif ending == "tsv":
        path.write_text("\n".join("\t".join(next(csv.reader([line]))) for line in CSV.splitlines()), encoding="utf-8")
    elif ending == "jsonl":
        lists = [row | {"region": row["region"].split(" | "), "layer": row["layer"] or None} for row in rows]
        write_lines(path, *lists)
    else:
        write_table(path, pa.Table.from_pylist(rows))
    first, second = load_records(path, "table")
    assert first == NeuronRecord(
        id="a",
        source="table",
        swc="a.swc",
        species="mouse",
        region=("neocortex", "VISp"),
        cell_class="principal cell",
        cell_type="pyramidal",
        layer="5",
        sex="female",
        stage="adult",
        donor="m1",
        archive="Somebody",
        licence="CC0",
        label="pyramidal neuron",
    )
    assert (second.swc, second.cell_type, second.cell_class) == ("b.CNG.swc", "basket", "interneuron")
    assert second.markers == ("parvalbumin-positive",)
    assert second.sex is None
    assert second.layer is None


def test_columns_that_are_not_used_are_listed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "neurons.csv"
    path.write_text(CSV, encoding="utf-8")
    load_records(path, "table")
    assert capsys.readouterr().err.count("columns that are not used: weight\n") == 1


def test_words_in_another_script_are_kept_listed_and_said_to_be_in_no_caption(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"swc": "a.swc", "species": "крыса", "cell_type": "basket"}
    assert the_only(load_records(write_lines(tmp_path / "t.jsonl", row), "table")).species == "крыса"
    assert "(species: крыса; those in other scripts are in no caption)" in capsys.readouterr().err


def test_unknown_words_are_kept_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"id": 1, "swc": "a.swc", "species": "tardigrade", "region": ["head blob"], "cell_type": ["Wobbly", "basket"]}
    record = the_only(load_records(write_lines(tmp_path / "t.jsonl", row), "table"))
    assert (record.species, record.region, record.modifiers) == ("tardigrade", ("head blob",), ("wobbly",))
    said = capsys.readouterr().err
    assert all(word in said for word in ("tardigrade", "head blob", "wobbly"))


def test_a_table_without_ids_names_neurons_after_their_files(tmp_path: Path) -> None:
    path = tmp_path / "neurons.csv"
    path.write_text("swc,species,region,cell_type,donor\na/x.CNG.swc,rat,neocortex,pyramidal,m1\n7.swc,,,,\n")
    first, second = load_records(path, "table")
    assert (first.id, first.swc, first.swc_path) == ("x", "x.CNG.swc", "a/x.CNG.swc")
    assert (first.species, first.cell_type, first.donor) == ("rat", "pyramidal", "m1")
    assert (second.id, second.swc, second.swc_path) == ("7", "7.swc", "")


def test_a_record_remembers_the_folders_that_tell_files_apart(tmp_path: Path) -> None:
    rows = [{**FULL_ROW, "neuron_id": n, "swc": swc} for n, swc in enumerate(("swc/x.swc", "swc/a/x.swc", "a\\x.swc"))]
    records = load_records(write_lines(tmp_path / "metadata.jsonl", *rows), "neuromorpho")
    assert [record.swc_path for record in records] == ["", "a/x.swc", "a/x.swc"]
    assert {record.swc for record in records} == {"x.swc"}


def test_a_table_read_as_records_of_neuromorpho_is_told_how_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "neurons.csv").write_text(CSV, encoding="utf-8")
    with pytest.raises(UserError, match="--source table"):
        load_records(tmp_path / "neurons.csv", "neuromorpho")


ROWS = {
    "neuromorpho": [FULL_ROW],
    "allen": [{"specimen__id": 4, "donor__species": "Mus musculus", "swc": "swc/4.swc"}],
    "table": [{"id": "a", "swc": "a.swc", "species": "rat", "cell_type": "basket"}],
}


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("asked", list(ROWS))
@pytest.mark.parametrize("written", list(ROWS))
def test_a_file_of_another_source_is_told_in_one_line(tmp_path: Path, written: str, asked: str, ending: str) -> None:
    if written == asked or ((written, asked) == ("neuromorpho", "table") and ending != "jsonl"):
        return
    path = tmp_path / f"metadata.{ending}"
    rows = [{key: str(value) for key, value in row.items()} if ending == "csv" else row for row in ROWS[written]]
    if ending == "jsonl":
        write_lines(path, *rows)
    elif ending == "parquet":
        write_table(path, pa.Table.from_pylist(rows))
    else:
        path.write_text(f"{','.join(rows[0])}\n{','.join(json.dumps(cell) for cell in rows[0].values())}\n", "utf-8")
    with pytest.raises(UserError, match=f"it looks like .*: --source {written}") as caught:
        load_records(path, asked)
    assert "\n" not in str(caught.value)


WRAPPED = {
    "neuromorpho": {"_embedded": {"neuronResources": [FULL_ROW]}, "page": {"number": 0}},
    "allen": {"success": True, "msg": ROWS["allen"]},
}


@pytest.mark.parametrize("shape", ["wrapped", "list", "alone"])
@pytest.mark.parametrize("written", list(WRAPPED))
def test_json_as_servers_send_it_is_read_or_told_apart(tmp_path: Path, written: str, shape: str) -> None:
    path = tmp_path / "answer.json"
    content = {"wrapped": WRAPPED[written], "list": ROWS[written], "alone": ROWS[written][0]}[shape]
    path.write_text(json.dumps(content, indent=1))
    assert the_only(load_records(path, written)).species in ("monkey", "mouse")
    for asked in {"neuromorpho", "allen", "table"} - {written}:
        with pytest.raises(UserError, match=f"it looks like .*: --source {written}"):
            load_records(path, asked)


def test_a_download_read_as_a_table_is_read_and_hinted_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_lines(tmp_path / "metadata.jsonl", FULL_ROW | {"swc": "swc/x.swc"})
    assert the_only(load_records(path, "table")).cell_type == "pyramidal"
    assert "--source neuromorpho" in capsys.readouterr().err


def test_a_table_of_ones_own_may_have_a_column_of_specimens(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "t.jsonl", {"cell_specimen_id": 3, "swc": "a.swc", "species": "rat"})
    assert the_only(load_records(path, "table")).species == "rat"


def test_columns_that_nobody_knows_are_shown(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "t.jsonl", {"Zelle": 3, "Datei": "a.swc"})
    with pytest.raises(UserError, match=r"columns: Zelle, Datei; a table of your own .*--column swc=NAME"):
        load_records(path, "neuromorpho")


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt.csv"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_the_sign_between_cells_is_read_off_the_header(tmp_path: Path, ending: str, sign: str) -> None:
    path = tmp_path / f"neurons.{ending}"
    path.write_text(f"\ufeffid{sign}swc{sign}cell_type\n1{sign}a.swc{sign}pyramidal\n", encoding="utf-8")
    record = the_only(load_records(path, "table"))
    assert (record.id, record.swc, record.cell_type) == ("1", "a.swc", "pyramidal")


def test_columns_with_other_names_are_mapped(tmp_path: Path) -> None:
    path = tmp_path / "neurons.csv"
    path.write_text("cell,Datei,Tier\n1,a.swc,rat\n", encoding="utf-8")
    record = the_only(load_records(path, "table", {"id": "cell", "swc": "Datei", "species": "Tier"}))
    assert (record.id, record.swc, record.species) == ("1", "a.swc", "rat")


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"color": "cell"}, "unknown field 'color'"),
        ({"id": "cell", "swc": "file", "species": "animal"}, "no column 'animal' for species; there are: cell, file"),
    ],
)
def test_a_wrong_mapping_is_refused(tmp_path: Path, mapping: dict[str, str], message: str) -> None:
    path = tmp_path / "neurons.csv"
    path.write_text("cell,file\n1,a.swc\n", encoding="utf-8")
    with pytest.raises(UserError, match=message):
        load_records(path, "table", mapping)


def test_a_mapping_is_for_tables_only(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="for tables"):
        load_records(write_lines(tmp_path / "metadata.jsonl", FULL_ROW), "neuromorpho", {"id": "neuron_id"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,swc\n1,a.swc\n,b.swc\n", "row 2: no id"),
        ("swc\na/x.swc\nb/x.CNG.swc\n", "row 2: id 'x' again; it is in row 1 already; neurons are named after their"),
        ("id,species\n1,rat\n", "missing column 'swc'"),
        ("id,swc\n1,a.swc\n1,b.swc\n", "row 2: id '1' again; it is in row 1 already"),
        ("id,swc\n1,a.swc\n2,\n", "row 2: no swc"),
        ("id,swc\n,a.swc\n", "row 1: no id"),
        ("id,swc\n1,a.swc,rat\n", "row 1: more cells than columns"),
        ("", "empty"),
    ],
)
def test_a_broken_table_says_where_it_is_broken(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "neurons.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message) as caught:
        load_records(path, "table")
    assert "neurons.csv" in str(caught.value)


def test_a_spreadsheet_is_refused_with_the_formats_that_work(tmp_path: Path) -> None:
    path = tmp_path / "neurons.xlsx"
    path.write_bytes(b"PK")
    with pytest.raises(UserError, match=r"a table is \.csv, \.tsv, \.jsonl or \.parquet"):
        load_records(path, "table")


def test_a_table_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "neurons.csv"
    path.write_bytes("id,swc,species\n1,a.swc,é\n".encode("latin-1"))
    with pytest.raises(UserError, match="not UTF-8"):
        load_records(path, "table")


def test_records_go_through_arrow_unchanged() -> None:
    records = [example.record for example in EXAMPLES] + [NeuronRecord("x", "y", "z.swc")]
    table = to_table(records)
    assert table.column_names == list(FIELD_NAMES)
    assert from_table(table) == records


def test_a_table_without_rows_has_its_columns() -> None:
    assert from_table(to_table([])) == []
    assert to_table([]).schema == to_table([NeuronRecord("x", "y", "z.swc")]).schema


def test_records_come_out_of_a_catalog_with_columns_and_paths_of_its_own(tmp_path: Path) -> None:
    records = [example.record for example in EXAMPLES]
    table = to_table(records)
    paths = pa.array([f"data/{index}/{record.swc}" for index, record in enumerate(records)])
    table = table.set_column(table.column_names.index("swc"), "swc", paths).append_column("shard", paths)
    write_table(tmp_path / "catalog.parquet", table)
    assert load_records(tmp_path / "catalog.parquet", "table") == records


def test_a_table_that_is_none_of_records_is_refused() -> None:
    with pytest.raises(UserError, match="missing column source"):
        from_table(to_table([]).drop_columns(["source"]))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.caption[:40])
def test_reading_normalized_words_again_changes_nothing(tmp_path: Path, example: Any) -> None:
    (row,) = to_table([example.record]).to_pylist()
    row.pop("licence")  # so that it is read as a user's table, not as one of records
    again = the_only(load_records(write_lines(tmp_path / "t.jsonl", row), "table"))
    assert again == NeuronRecord(**{**_fields(example.record), "licence": None})


def _fields(record: NeuronRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in FIELD_NAMES}
