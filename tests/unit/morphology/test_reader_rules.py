"""The rules of reading, beyond the files of the collection."""

import pickle

import numpy as np
import pytest

from axonet.core.errors import UserError
from axonet.morphology.swc import SWCError, neuron_name, parse_swc, read_swc

from .shapes import swc

SOUND = ("1 1 0 0 0 5 -1", "2 3 10 0 0 1 1", "3 3 20 0 2 0.5 2", "4 2 0 -10 1 0.7 1")


def read(*rows, end="\n"):
    return parse_swc(swc(*rows, end=end), "cell")


def code_of(data):
    with pytest.raises(SWCError) as caught:
        parse_swc(data, "cell")
    return caught.value.code


def test_a_sound_file_gives_no_warnings():
    assert read(*SOUND).warnings == ()


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r", b"\n\n", b"\r\n \t\r\n"])
def test_any_newline_style_reads_the_same(newline):
    assert parse_swc(swc(*SOUND).replace(b"\n", newline), "cell") == read(*SOUND)


def test_a_byte_order_mark_is_noted_and_skipped():
    neuron = parse_swc(b"\xef\xbb\xbf" + swc(*SOUND), "cell")
    assert neuron == read(*SOUND)
    assert neuron.warnings == ("utf8_bom",)


def test_utf8_headers_are_no_reason_to_warn():
    assert parse_swc("# Säule µm\n".encode() + swc(*SOUND), "cell").warnings == ()


def test_commas_in_comments_do_not_count():
    assert read("# id, type, x", *SOUND).warnings == ()
    assert read(*(row.replace(" ", ", ") for row in SOUND)).warnings == ("comma_separated",)


def test_comments_and_blank_lines_may_stand_anywhere():
    assert read(SOUND[0] + " # soma", "", "   ", "#", *SOUND[1:], "# end").warnings == ()
    assert read(*SOUND, "# end", end="").n_nodes == 4


def test_extra_columns_are_ignored():
    neuron = read(*(f"{row} 7 8.5 x" for row in SOUND))
    assert neuron == read(*SOUND)
    assert neuron.warnings == ("extra_columns",)


def test_a_short_row_is_skipped_and_its_children_become_roots():
    neuron = read(SOUND[0], "2 3 10 0 0", *SOUND[2:])
    assert neuron.warnings == ("missing_parent", "multiple_roots", "non_sequential_ids", "short_row")
    assert neuron.n_nodes == 3


def test_a_row_without_an_id_is_skipped():
    assert read("id type x y z r parent", *SOUND).warnings == ("bad_row",)
    assert read(*SOUND, "-3 3 0 0 0 1 1").warnings == ("bad_row",)
    assert read(*SOUND, "1.5 3 0 0 0 1 1").n_nodes == 4


@pytest.mark.parametrize("cut", ["4", "4 2", "4 2 0 -10 1 0.5", "4 2 0 -1"])
def test_a_short_last_row_without_a_newline_means_a_cut_file(cut):
    assert code_of(swc(*SOUND[:3], cut, end="")) == "truncated_file"
    assert "short_row" in read(*SOUND[:3], cut).warnings


def test_a_short_footer_without_a_newline_is_no_cut_row():
    assert read(*SOUND, "end of file", end="").warnings == ("short_row",)
    assert read(*SOUND, "\x1a", end="").n_nodes == 4


def test_a_whole_last_row_needs_no_newline():
    assert read(*SOUND, end="") == read(*SOUND)


@pytest.mark.parametrize("data", [b"", b"\n\n  \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_nothing_is_an_empty_file(data):
    assert code_of(data) == "empty_file"


@pytest.mark.parametrize("data", [b"# only\n# comments\n", b"404: Not Found", b'{"status": 404}\n', b"a b c d e f g\n"])
def test_text_without_rows_is_no_neuron(data):
    assert code_of(data) == "no_data_rows"


@pytest.mark.parametrize(
    "data", [b"<!DOCTYPE html>\n<p>", b"  \n<HTML>", b"\xef\xbb\xbf<html>", b"<?xml version='1'?>"]
)
def test_a_web_page_is_recognized(data):
    assert code_of(data) == "html_page"


def test_utf16_is_rejected_cleanly():
    assert code_of(swc(*SOUND).decode().encode("utf-16")) == "no_data_rows"


def test_integers_may_be_written_as_floats():
    assert read("1.0 1.0 0 0 0 5 -1.0", "2e0 3 1e1 0 0 1 1.", *SOUND[2:]) == read(*SOUND)


def test_digit_separators_are_no_numbers():
    assert read(*SOUND, "1_0 3 0 0 0 1 1").warnings == ("bad_row",)


def test_ids_beyond_the_exact_floats_stay_distinct():
    big = 2**53
    neuron = read(f"{big} 1 0 0 0 5 -1", f"{big + 1} 3 9 0 1 1 {big}", f"{big + 2} 3 19 0 1 2 {big + 1}")
    assert neuron.node_id.tolist() == [big, big + 1, big + 2]
    assert neuron.parent.tolist() == [-1, 0, 1]


def test_an_id_beyond_64_bits_is_a_bad_row():
    assert read(*SOUND, f"{2**64} 3 0 0 0 1 1").warnings == ("bad_row",)


@pytest.mark.parametrize("parent", ["99", "-7", "x", "nan", "1.5"])
def test_a_parent_that_is_not_there_makes_a_root(parent):
    neuron = read(*SOUND, f"5 2 50 0 0 1 {parent}", "6 2 60 0 0 2 5")
    assert neuron.warnings == ("missing_parent", "multiple_roots")
    assert neuron.parent.tolist() == [-1, 0, 1, 0, -1, 4]


def test_zero_is_a_legal_id_and_parent():
    neuron = read("0 1 0 0 0 5 -1", "1 3 9 0 1 1 0", "2 3 19 0 1 2 1")
    assert neuron.parent.tolist() == [-1, 0, 1]


def test_the_first_of_doubled_ids_counts():
    neuron = read(*SOUND, "2 3 99 99 99 9 1", "2 3 98 98 98 9 1")
    assert neuron == read(*SOUND)
    assert neuron.warnings == ("duplicate_id",)


def test_gaps_and_order_are_noted_apart():
    assert read("10 1 0 0 0 5 -1", "20 3 9 0 1 1 10", "30 3 19 0 1 2 20").warnings == ("non_sequential_ids",)
    assert read("2 3 9 0 1 1 1", "1 1 0 0 0 5 -1", "3 3 19 0 1 2 2").warnings == ("unsorted",)


def test_consecutive_ids_may_begin_anywhere():
    assert read("500 1 0 0 0 5 -1", "501 3 9 0 1 1 500", "502 3 19 0 1 2 501").warnings == ()


def test_order_of_rows_does_not_matter():
    rows = [SOUND[place] for place in (3, 2, 1, 0)]
    shuffled, straight = read(*rows), read(*SOUND)
    assert shuffled.warnings == ("unsorted",)
    order = np.argsort(shuffled.node_id)
    np.testing.assert_array_equal(shuffled.xyz[order], straight.xyz)
    assert (shuffled.parent < np.arange(4)).all()


def test_a_cycle_is_dropped_with_everything_that_hangs_off_it():
    neuron = read(*SOUND, "5 2 0 0 0 1 7", "6 2 0 0 0 1 5", "7 2 0 0 0 1 6", "8 2 0 0 0 1 6", "9 2 0 0 0 1 8")
    assert neuron == read(*SOUND)
    assert neuron.warnings == ("cycle_dropped",)


def test_nothing_but_a_cycle_has_no_root():
    assert code_of(swc("1 3 0 0 0 1 2", "2 3 1 0 0 1 1")) == "no_root"


@pytest.mark.parametrize("bad", ["nan", "NaN", "inf", "-inf", "NA", "x", "1e999"])
def test_children_of_a_node_without_a_position_move_up(bad):
    neuron = read("1 1 0 0 0 5 -1", f"2 3 {bad} 0 0 1 1", f"3 3 1 {bad} 0 1 2", "4 3 20 0 2 0.5 3", "5 3 25 0 2 1 4")
    assert neuron.warnings == ("bad_coordinate_dropped",)
    assert neuron.node_id.tolist() == [1, 4, 5]
    assert neuron.parent.tolist() == [-1, 0, 1]


def test_children_of_a_root_without_a_position_become_roots():
    neuron = read("1 1 nan 0 0 5 -1", "2 3 10 0 0 1 1", "3 3 0 9 2 2 1")
    assert neuron.warnings == ("bad_coordinate_dropped", "multiple_roots", "no_soma")
    assert neuron.parent.tolist() == [-1, -1]


def test_no_position_at_all_is_no_neuron():
    assert code_of(swc("1 1 nan 0 0 5 -1", "2 3 0 inf 0 5 1")) == "no_data_rows"


@pytest.mark.parametrize("radius", ["0", "-2", "nan", "NA", "inf", "?"])
def test_a_radius_that_is_none_becomes_half_a_micrometer(radius):
    neuron = read(*SOUND, f"5 3 30 0 0 {radius} 3")
    assert neuron.radius[-1] == 0.5
    assert neuron.warnings == ("bad_radius",)


@pytest.mark.parametrize("swc_type", ["-1", "2.5", "axon", "nan", "1e30"])
def test_a_type_that_is_none_becomes_zero(swc_type):
    neuron = read(*SOUND, f"5 {swc_type} 30 0 0 1 3")
    assert neuron.swc_type[-1] == 0
    assert neuron.compartment[-1] == 5
    assert neuron.warnings == ("negative_type",)


FORKED = ("1 1 0 0 0 5 -1", "2 3 10 0 0 1 1", "3 5 20 0 1 2 2", "4 6 30 5 0 1 3", "5 6 30 -5 0 1 3")


def test_fork_and_end_points_take_the_type_of_their_neurite():
    neuron = read(*FORKED)
    assert neuron.swc_type.tolist() == [1, 3, 3, 3, 3]
    assert neuron.warnings == ("fork_end_types",)


def test_a_fork_right_on_the_soma_does_not_become_soma():
    neuron = read("1 1 0 0 0 5 -1", "2 5 20 0 1 2 1", "3 6 30 5 0 1 2", "4 6 30 -5 0 1 2")
    assert neuron.swc_type.tolist() == [1, 0, 0, 0]


def test_types_5_and_6_along_neurites_are_no_markers():
    neuron = read("1 1 0 0 0 5 -1", "2 5 10 0 0 1 1", "3 5 20 0 1 2 2", "4 6 10 5 0 1 1", "5 6 30 -5 0 1 4")
    assert neuron.swc_type.tolist() == [1, 5, 5, 6, 6]
    assert neuron.warnings == ()


def test_forks_without_ends_are_no_markers():
    assert read(*FORKED[:3], "4 3 30 5 0 1 3", "5 3 30 -5 0 1 3").warnings == ()


def test_coordinates_near_the_limits_of_a_float_do_not_stop_reading():
    neuron = read("1 1 0 0 0 5 -1", "2 3 1e308 -1e308 1e308 1 1", "3 3 -1e308 1e308 0 2 2")
    assert "long_edge" in neuron.warnings
    assert set(neuron.morphometrics())


def test_an_unreadable_path_says_so(tmp_path):
    with pytest.raises(UserError, match=r"nothing\.swc") as caught:
        read_swc(tmp_path / "nothing.swc")
    assert caught.value.code == "unreadable_file"


def test_errors_cross_process_borders():
    error = pickle.loads(pickle.dumps(SWCError("no_root", "cell: no root")))
    assert (error.code, str(error)) == ("no_root", "cell: no root")


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/b/x.CNG.swc", "x"), ("x.swc", "x"), ("x.SWC", "x"), ("x.y.swc", "x.y"), ("x.cng.swc", "x"), ("x", "x")],
)
def test_a_neuron_is_named_after_its_file(path, name):
    assert neuron_name(path) == name
