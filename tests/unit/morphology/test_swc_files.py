"""Writing and reading, and the two paths of the reader."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axonet.morphology.neuron import Neuron
from axonet.morphology.swc import format_swc, parse_swc, read_swc, write_swc
from axonet.morphology.swc_text import clean_columns, parse_columns, tolerant_columns

from .shapes import random_neuron, renumbered

NUMBERS = st.floats(-1e7, 1e7, allow_nan=False)


@st.composite
def neurons(draw):
    """Legal neurons of any shape: the soma, if any, is the root of its tree."""
    n = draw(st.integers(1, 12))
    parent = [-1] + [draw(st.integers(-1, row - 1)) for row in range(1, n)]
    types = [draw(st.sampled_from([0, 1, 2, 3]))] + [draw(st.sampled_from([0, 2, 3, 4, 7, 40])) for _ in range(1, n)]
    return Neuron.from_arrays(
        draw(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=n, max_size=n)),
        parent,
        types,
        draw(st.lists(st.floats(1e-6, 1e4), min_size=n, max_size=n)),
        node_id=draw(st.lists(st.integers(0, 2**60), min_size=n, max_size=n, unique=True)),
    )


@settings(max_examples=150, deadline=None)
@given(neurons())
def test_what_is_written_is_read_number_for_number(neuron):
    assert parse_swc(format_swc(neuron).encode(), "cell") == neuron


@settings(max_examples=150, deadline=None)
@given(neurons(), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from([" ", "\t", "   "]), st.booleans())
def test_the_fast_and_the_tolerant_path_agree(neuron, newline, blank, ends):
    text = "".join(line for line in format_swc(neuron).splitlines(keepends=True) if not line.startswith("#"))
    data = text.replace(" ", blank).replace("\n", newline).encode()
    data = data if ends else data.rstrip()
    fast, tolerant = clean_columns(data), tolerant_columns(data, "cell")
    if max(neuron.node_id) < 2**53:
        assert fast is not None
    if fast is not None:
        assert_same_columns(fast, tolerant)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="0123456789.-+eEnaif \t\n\r", max_size=120))
def test_where_the_fast_path_answers_at_all_the_tolerant_one_agrees(text):
    fast = clean_columns(text.encode())
    if fast is not None:
        assert_same_columns(fast, tolerant_columns(text.encode(), "cell"))


def assert_same_columns(fast, tolerant):
    for column in ("node_id", "swc_type", "xyz", "radius", "parent", "warnings"):
        left, right = getattr(fast, column), getattr(tolerant, column)
        assert type(left) is type(right)
        if column == "warnings":
            assert left == right
        else:
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("word", ["+5", "5.", ".5", "5e0", "5E-1", "-0", "005", "5e+2"])
def test_the_fast_path_knows_every_way_to_write_a_number(word):
    columns = clean_columns(f"1 1 {word} {word} {word} {word} -1\n".encode())
    assert columns is not None
    np.testing.assert_array_equal(columns.xyz, [[float(word)] * 3])


@pytest.mark.parametrize(
    "rows", [b"1 1 0 0 0 5", b"1 1 0 0 0 5 -1 9", b"1 1 0 0 0 5 -1 2 1 1 1 1 5 1", b"1 1 0 0 0 x -1"]
)
def test_the_fast_path_leaves_anything_else_to_the_tolerant_one(rows):
    assert clean_columns(rows) is None


def test_rows_of_six_and_eight_fields_are_not_two_rows_of_seven():
    columns = parse_columns(b"1 1 0 0 0 5\n-1 2 3 1 1 1 5 1\n3 3 0 0 0 1 -1\n", "cell")
    assert columns.node_id.tolist() == [3]
    assert columns.warnings == {"short_row", "extra_columns", "bad_row"}


@pytest.mark.parametrize("seed", range(3))
def test_a_file_round_trip_keeps_everything(tmp_path, seed):
    neuron = renumbered(random_neuron(seed, 500, n_trees=3), seed)
    path = tmp_path / "deep" / "cell.swc"
    write_swc(neuron, path)
    again = read_swc(path)
    assert again == neuron
    assert again.name == "cell"
    assert [entry.name for entry in path.parent.iterdir()] == ["cell.swc"]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "cell.swc"
    write_swc(random_neuron(0, 5), path)
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        write_swc(None, path)
    assert path.read_bytes() == before


def test_a_chain_of_a_hundred_thousand_nodes_in_reverse_order_reads():
    n = 100_000
    rows = [f"{k} 3 {k} 0 {k % 7} 1 {k - 1 if k > 1 else -1}" for k in range(n, 0, -1)]
    neuron = parse_swc("\n".join(rows).encode() + b"\n", "chain")
    np.testing.assert_array_equal(neuron.node_id, np.arange(1, n + 1))
    np.testing.assert_array_equal(neuron.parent, np.arange(n) - 1)
