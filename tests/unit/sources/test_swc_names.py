from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axonet.core.errors import UserError
from axonet.core.files import safe_name
from axonet.sources.swc_files import find_swc_files, name_neurons, swc_stem


@pytest.mark.parametrize(
    ("path", "stem"),
    [("a.swc", "a"), ("a.CNG.swc", "a"), ("A.SWC", "A"), ("x/y/a.b.cng.SWC", "a.b"), (".swc", ".swc")],
)
def test_a_stem_is_the_name_less_its_endings(path: str, stem: str) -> None:
    assert swc_stem(path) == stem


PATHS = st.lists(
    st.tuples(st.sampled_from(["", "x/", "y/z/"]), st.sampled_from("aAbBé"), st.sampled_from([".swc", ".CNG.swc"])).map(
        "".join
    ),
    unique=True,
)


@given(PATHS, PATHS)
def test_names_are_distinct_ignoring_case_and_stay_when_files_are_added(paths: list[str], more: list[str]) -> None:
    names = name_neurons(paths)
    assert len({safe_name(name).casefold() for name in names.values()}) == len(paths)
    everyone = list(dict.fromkeys([*more, *paths]))
    grown = name_neurons(everyone, names)
    assert names.items() <= grown.items()
    assert len({safe_name(name).casefold() for name in grown.values()}) == len(everyone)


def test_a_file_alone_is_named_after_its_stem() -> None:
    assert name_neurons(["neuron_001.CNG.swc", "deep/er/b.swc"]) == {
        "neuron_001.CNG.swc": "neuron_001",
        "deep/er/b.swc": "b",
    }


def test_the_standardized_file_goes_before_the_plain_one() -> None:
    names = name_neurons(["a.swc", "a.CNG.swc"])
    assert names["a.CNG.swc"] == "a"
    assert names["a.swc"].startswith("a-")


def test_sub_folders_are_searched_and_hidden_files_are_not(tmp_path: Path) -> None:
    for path in ("b.swc", "x/a.SWC", "x/.hidden.swc", ".git/c.swc", "notes.txt"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("")
    (tmp_path / "x" / "loop").symlink_to(tmp_path)
    assert find_swc_files(tmp_path) == ["b.swc", "x/a.SWC"]


def test_a_folder_without_swc_files_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no SWC file in it"):
        find_swc_files(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        find_swc_files(tmp_path / "nothing")
