from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from axonet.core.errors import UserError
from axonet.sources.folder import find_folder_neurons
from axonet.sources.settings import FolderSettings

MakeSwc = Callable[[int], str]


@pytest.fixture
def folder(tmp_path: Path, make_swc: MakeSwc) -> Path:
    """Two files of one name in two folders, and one beside them."""
    for number, path in enumerate(("a/cell.swc", "b/cell.swc", "other.swc")):
        (tmp_path / "swc" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "swc" / path).write_text(make_swc(number))
    return tmp_path


def species(folder: Path, table: str) -> dict[str, str | None]:
    """What each file is told to be."""
    (folder / "neurons.csv").write_text(table)
    settings = FolderSettings(swc_dir=folder / "swc", metadata=folder / "neurons.csv")
    found = find_folder_neurons(settings)
    return {neuron.path.relative_to(folder / "swc").as_posix(): neuron.record.species for neuron in found}


@pytest.mark.parametrize("prefix", ["", "swc/", "./swc/", "/somewhere/swc/"])
def test_files_of_one_name_are_told_apart_by_their_paths(folder: Path, prefix: str) -> None:
    table = f"id,swc,species\n1,{prefix}a/cell.swc,mouse\n2,{prefix}b/cell.swc,rat\n3,other.swc,cat\n"
    assert species(folder, table) == {"a/cell.swc": "mouse", "b/cell.swc": "rat", "other.swc": "cat"}


def test_a_file_in_another_folder_than_the_tables_gets_no_label(folder: Path) -> None:
    table = "id,swc,species\n1,a/cell.swc,mouse\n"
    assert species(folder, table) == {"a/cell.swc": "mouse", "b/cell.swc": None, "other.swc": None}


def test_a_name_that_two_files_have_is_listed_and_not_guessed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = species(folder, "swc,species\ncell.swc,mouse\nother.swc,cat\n")
    assert found == {"a/cell.swc": None, "b/cell.swc": None, "other.swc": "cat"}
    said = capsys.readouterr().err
    assert "metadata for 1 of 3 SWC files" in said
    assert "a/cell.swc: its row fits 2 files; b/cell.swc: its row fits 2 files" in said


def test_a_file_that_cannot_be_read_is_left_out_with_the_reason(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "swc" / "gone.swc").symlink_to(folder / "nowhere.swc")
    found = find_folder_neurons(FolderSettings(swc_dir=folder / "swc"))
    assert {neuron.record.swc for neuron in found} == {"cell.swc", "other.swc"}
    assert (
        "1 SWC files cannot be read and are left out (unreadable_file: gone.swc: No such file"
        in capsys.readouterr().err
    )


def test_a_folder_of_dangling_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gone.swc").symlink_to(tmp_path / "nowhere.swc")
    with pytest.raises(UserError, match=r"no SWC file that can be read \(gone\.swc: No such file"):
        find_folder_neurons(FolderSettings(swc_dir=tmp_path))


def test_rows_that_match_no_file_are_named_and_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["gone.swc", "a/lost.swc", "Other.swc", "another.CNG.swc", "cell.swc"]
    table = "swc,species\nother.swc,cat\n" + "".join(f"{name},rat\n" for name in names)
    (folder / "neurons.csv").write_text(table)
    settings = FolderSettings(swc_dir=folder / "swc", metadata=folder / "neurons.csv")
    find_folder_neurons(settings, folder / "out")
    said = capsys.readouterr().err
    assert f"5 of 6 rows match no SWC file (gone.swc, a/lost.swc, Other.swc and 2 more; all are in {folder}" in said
    rows = [json.loads(line) for line in (folder / "out" / "unmatched.jsonl").read_text().splitlines()]
    assert [row["swc"] for row in rows] == names
    assert [row["reason"] for row in rows] == ["no_swc_file"] * 4 + ["ambiguous_metadata"]
    (folder / "neurons.csv").write_text("swc,species\nother.swc,cat\n")
    find_folder_neurons(settings, folder / "out")
    assert "match no SWC file" not in capsys.readouterr().err
    assert not (folder / "out" / "unmatched.jsonl").exists()


def test_columns_with_names_of_their_own_are_mapped(folder: Path) -> None:
    (folder / "neurons.csv").write_text("Datei;Tier\nother.swc;cat\n")
    columns = {"swc": "Datei", "species": "Tier"}
    settings = FolderSettings(swc_dir=folder / "swc", metadata=folder / "neurons.csv", columns=columns)
    assert {neuron.record.species for neuron in find_folder_neurons(settings)} == {None, "cat"}
    with pytest.raises(ValueError, match="no field 'color'"):
        FolderSettings(columns={"color": "Farbe"})
