from __future__ import annotations

import pytest

from axonet.core.errors import UserError
from axonet.metadata.index import RecordIndex
from axonet.metadata.record import NeuronRecord

ONE = NeuronRecord("1", "neuromorpho", "cnic_001.CNG.swc")
TEN = NeuronRecord("10", "neuromorpho", "10.swc")
INDEX = RecordIndex([ONE, TEN])


@pytest.mark.parametrize("name", ["cnic_001.CNG.swc", "swc/cnic_001.CNG.swc", "a\\b\\cnic_001.CNG.swc", "1"])
def test_a_neuron_is_found_by_the_whole_file_name_or_by_id(name: str) -> None:
    assert INDEX.match(name) is ONE


def test_an_id_may_carry_its_source() -> None:
    assert INDEX.match("neuromorpho:10") is TEN


@pytest.mark.parametrize(
    "name", ["cnic_001.swc", "cnic_001", "CNIC_001.CNG.swc", "1.swc", "001", "10.CNG.swc", "1_cnic.swc", ""]
)
def test_nothing_is_read_out_of_names(name: str) -> None:
    assert INDEX.match(name) is None


def test_digits_in_a_file_name_are_no_id() -> None:
    # The file is called 10.swc and is found as a file; "1" is an id, and 1.swc is nobody's file.
    assert INDEX.by_swc("10.swc") is TEN
    assert INDEX.by_swc("1.swc") is None
    assert INDEX.by_id("10.swc") is None


def test_an_ambiguous_name_is_refused_when_it_is_asked_for() -> None:
    index = RecordIndex([NeuronRecord("1", "a", "cell.swc"), NeuronRecord("1", "b", "cell.swc")])
    assert len(index) == 2
    assert index.match("a:1") == index.records[0]
    with pytest.raises(UserError, match=r"file name 'cell\.swc' belongs to 2 rows .*a:1, b:1"):
        index.match("cell.swc")
    with pytest.raises(UserError, match="id '1'"):
        index.match("1")


def row(number: int, path: str) -> NeuronRecord:
    return NeuronRecord(str(number), "table", path.split("/")[-1], swc_path=path if "/" in path else "")


def test_a_path_in_the_table_is_not_the_row_of_another_folder() -> None:
    index = RecordIndex([row(1, "swc/a/cell.swc")])
    assert index.match("a/cell.swc") is index.records[0]
    assert index.match("/data/swc/a/cell.swc") is index.records[0]
    assert index.match("cell.swc") is index.records[0]
    assert index.match("b/cell.swc") is None


def test_one_file_name_in_two_folders_finds_two_rows() -> None:
    index = RecordIndex([row(1, "a/cell.swc"), row(2, "b/cell.swc"), row(3, "cell.swc")])
    found = [index.match(path) for path in ("a/cell.swc", "x/b/cell.swc", "cell.swc", "c/cell.swc")]
    assert found == [*index.records, None]


@pytest.mark.parametrize(
    ("rows", "files", "found", "ambiguous"),
    [
        (["cell.swc"], ["a/cell.swc", "b/cell.swc"], {}, {"a/cell.swc", "b/cell.swc"}),
        (["cell.swc"], ["deep/down/cell.swc"], {"deep/down/cell.swc": 0}, set()),
        (["cell.swc"], ["cell.swc", "old/cell.swc"], {"cell.swc": 0}, set()),
        (["a/cell.swc"], ["a/cell.swc", "b/cell.swc"], {"a/cell.swc": 0}, set()),
        (["a/cell.swc"], ["a/cell.swc", "cell.swc"], {"a/cell.swc": 0}, set()),
        (["cell.swc", "cell.swc"], ["cell.swc"], {}, {"cell.swc"}),
        (["a/cell.swc", "b/cell.swc"], ["cell.swc"], {}, {"cell.swc"}),
        (["s/cell.swc", "s/a/cell.swc"], ["cell.swc", "a/cell.swc"], {"cell.swc": 0, "a/cell.swc": 1}, set()),
        (["a/cell.swc", "one.swc"], ["b/one.swc", "b/cell.swc"], {"b/one.swc": 1}, set()),
    ],
)
def test_no_row_is_given_to_two_files(
    rows: list[str], files: list[str], found: dict[str, int], ambiguous: set[str]
) -> None:
    index = RecordIndex([row(number, path) for number, path in enumerate(rows)])
    for order in (files, files[::-1]):
        joined = index.join(order)
        assert {path: int(record.id) for path, record in joined.records.items()} == found
        assert set(joined.ambiguous) == ambiguous
        assert (joined.problem() is None) == (not ambiguous)


def test_ambiguous_files_are_named_with_the_reason() -> None:
    problem = RecordIndex([row(1, "cell.swc")]).join(["a/cell.swc", "b/cell.swc"]).problem()
    assert problem is not None
    assert "a/cell.swc: its row fits 2 files" in problem
