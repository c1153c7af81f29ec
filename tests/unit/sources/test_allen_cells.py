"""Three dialects of the Allen Institute become one kind of record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from axonet.core.errors import UserError
from axonet.metadata.adapters import load_records
from axonet.metadata.record import NeuronRecord
from axonet.sources.allen.cells import Cell, database_cell, drivers, merge_cells, patch_seq_cell
from axonet.sources.allen.rma import query_url
from axonet.sources.allen.settings import AllenSettings
from axonet.sources.allen.tables import PatchSeqFile, PatchSeqTables, manifest_files, read_tables
from tests.fakes.allen import Allen, made_up_patch_seq, made_up_specimen, to_csv


def as_record(cell: Cell, folder: Path) -> NeuronRecord:
    """The cell as the rest of axonet reads it."""
    path = folder / "metadata.jsonl"
    path.write_text(json.dumps({**cell.metadata, "swc": f"swc/{cell.id}.swc"}) + "\n", encoding="utf-8")
    (record,) = load_records(path, "table")
    return record


def patch_seq(project: str = "mIVSCC-MET", **changes: Any) -> Cell:
    row = made_up_patch_seq(601_000, project) | changes
    return patch_seq_cell(PatchSeqFile(601_000, project, "a/601000_raw.swc"), row, "http://bil", "raw")


def test_a_mouse_cell_of_the_database(tmp_path: Path) -> None:
    row = made_up_specimen(300_000, "Mus musculus", 9)
    record = as_record(database_cell(row, "http://allen"), tmp_path)
    assert (record.id, record.source, record.swc) == ("300000", "allen", "300000.swc")
    assert (record.species, record.region, record.layer) == ("mouse", ("neocortex", "VISp"), "4")
    assert (record.modifiers, record.markers) == (("spiny",), ("Rorb-IRES2-Cre-D",))
    assert record.traced == ("soma", "axon", "dendrites")
    assert record.cell_class is None  # spiny is not a class


def test_a_human_cell_of_the_database_is_human_and_its_donors_illness_is_no_condition(tmp_path: Path) -> None:
    row = made_up_specimen(300_001, "Homo Sapiens", 9)
    record = as_record(database_cell(row, "http://allen"), tmp_path)
    assert (record.species, record.region, record.layer) == ("human", ("neocortex", "FroL"), "3")
    assert (record.sex, record.apical_status, record.traced) == ("female", "intact", ("soma", "dendrites"))
    assert (record.markers, record.condition) == ((), None)


def test_a_region_without_a_known_acronym_keeps_its_name_without_the_quotes(tmp_path: Path) -> None:
    row = made_up_specimen(1, "Mus musculus", 9) | {
        "structure__name": '"Nucleus of somewhere, layer 5"',
        "structure__acronym": "XY5",
        "structure_parent__acronym": "XY",
    }
    assert database_cell(row, "http://allen").metadata["region"] == ["Nucleus of somewhere"]


def test_a_patch_seq_cell_of_a_mouse(tmp_path: Path) -> None:
    record = as_record(patch_seq(structure="VISp2/3"), tmp_path)
    assert (record.species, record.region, record.layer) == ("mouse", ("neocortex", "VISp"), "2/3")
    assert record.t_type == "Sst Calb2 Pdlim5"
    assert record.markers == ("Sst-IRES-Cre", "Sst-expressing")
    assert (record.sex, record.donor) == ("male", "Sst-IRES-Cre;Ai14-60100")


def test_the_species_of_a_patch_seq_cell_is_that_of_its_project(tmp_path: Path) -> None:
    record = as_record(patch_seq("hIVSCC-MET"), tmp_path)
    assert (record.species, record.region) == ("human", ("neocortex", "MTG"))
    assert record.apical_status is None  # "notchecked"


@pytest.mark.parametrize("column", ["T-type Label", "t_type", "corresponding_AIT2.3.1_alias"])
def test_every_edition_names_the_t_type_in_its_own_way(column: str) -> None:
    row = made_up_patch_seq(601_000)
    row.pop("corresponding_AIT2.3.1_alias")
    file = PatchSeqFile(601_000, "mIVSCC-MET", "a")
    assert patch_seq_cell(file, row | {column: "Vip Gpc3"}, "http://bil", "raw").metadata["t_type"] == "Vip Gpc3"


def test_a_cell_that_no_table_describes_is_a_cell_all_the_same() -> None:
    cell = patch_seq_cell(PatchSeqFile(5, "mIVSCC-MET", "a/5_raw.swc", "ff", 3), {}, "http://bil", "raw")
    assert (cell.metadata["species"], cell.metadata["t_type"], cell.url) == ("mouse", None, "http://bil/a/5_raw.swc")


def test_a_cell_in_both_sources_is_one_with_one_file_and_the_metadata_of_both() -> None:
    database = database_cell(made_up_specimen(601_000, "Mus musculus", 9), "http://allen")
    (cell,) = merge_cells([database, patch_seq(biological_sex="", dendrite_type="")])
    assert cell.url == "http://bil/a/601000_raw.swc"
    assert cell.metadata["t_type"] == "Sst Calb2 Pdlim5"
    assert (cell.metadata["layer"], cell.metadata["modifiers"]) == ("4", ["aspiny"])
    assert set(cell.rows) == {"cell_types", "patch_seq"}
    assert len(cell.publications) == 2


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Vip-IRES-Cre/wt;Ai14(RCL-tdT)/wt", ["Vip-IRES-Cre"]),
        ("Sncg-IRES2-FlpO-neo/wt;Ai65F/wt", ["Sncg-IRES2-FlpO-neo"]),
        ("Cux2-CreERT2", ["Cux2-CreERT2"]),
        ("", []),
        (None, []),
    ],
)
def test_driver_lines_are_taken_out_of_genotypes(line: str | None, found: list[str]) -> None:
    assert drivers(line) == found


def test_a_query_has_its_brackets_and_dollars_encoded() -> None:
    url = query_url("http://allen", 500, 100)
    assert url.startswith("http://allen/api/v2/data/query.json?criteria=model%3A%3AApiCellTypesSpecimenDetail%2C")
    assert url.endswith("%5Bnum_rows%24eq100%5D%5Bstart_row%24eq500%5D")


def test_the_path_of_a_file_survives_its_server() -> None:
    site = Allen.made_up(0, 2, 1)
    tables = PatchSeqTables()
    tables.add(site.manifest, "manifest")
    files = manifest_files(tables, "mIVSCC-MET", "raw")
    assert [(file.cell, file.path) for file in files] == [
        (601_000, "biccn/zeng/pseq/morph/200526/601000_raw.swc"),
        (601_001, "biccn/zeng/pseq/morph/200526/601001_raw.swc"),
    ]
    assert [file.size for file in files] == [len(site.files[file.path]) for file in files]


def test_tables_of_a_folder_are_told_apart_by_their_columns(tmp_path: Path) -> None:
    cells = [made_up_patch_seq(7), made_up_patch_seq(8, "hIVSCC-MET")]
    (tmp_path / "any name.csv").write_text("\ufeff" + to_csv(cells), encoding="utf-8")
    (tmp_path / "files.CSV").write_text(to_csv(Allen.made_up(0, 1, 0).manifest), encoding="utf-8")
    (tmp_path / "newer.tsv").write_text("cell_specimen_id\tT-type Label\n7\tVip Gpc3\n", encoding="utf-8")
    tables = read_tables(tmp_path)
    assert set(tables.cells) == {7, 8}
    assert (tables.cells[7]["T-type Label"], tables.cells[7]["structure"]) == ("Vip Gpc3", "VISp5")
    assert len(tables.files) == 3


@pytest.mark.parametrize(("text", "message"), [("a,b\n1,2\n", "no column cell_specimen_id"), (None, "--tables")])
def test_other_tables_are_refused(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "x.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_tables(tmp_path)


def test_the_sites_are_the_flags_then_the_variables_then_the_public_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AXONET_ALLEN_URL", "AXONET_BIL_URL"):
        monkeypatch.delenv(name, raising=False)
    assert AllenSettings().allen_site == "https://api.brain-map.org"
    assert AllenSettings().bil_site == "https://download.brainimagelibrary.org"
    monkeypatch.setenv("AXONET_ALLEN_URL", "http://a/")
    monkeypatch.setenv("AXONET_BIL_URL", "http://b/")
    assert (AllenSettings().allen_site, AllenSettings().bil_site) == ("http://a", "http://b")
    assert AllenSettings(bil_url="http://c").bil_site == "http://c"
