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
