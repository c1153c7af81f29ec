"""Where files are, and what they are called here: correct URLs, safe names, no path outside the folder."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axonet.sources.local_names import free_name
from axonet.sources.neuromorpho.places import candidates, previous_versions, swc_url

SITE = "http://site"
AWKWARD = [
    "a b",
    "a#b",
    "a+b",
    "it's",
    "a/b",
    "..",
    ".",
    "a%20b",
    "naïve",
    "x" * 300,
    "a?b=c",
    "a&b",
    "(1)",
    "a\\b",
    "CON",
]


def test_the_url_of_a_neuron_is_that_of_the_site() -> None:
    # A file of the public site, as its pages link to it.
    assert swc_url(SITE, "allen cell types", "H16-03-001-01-09-01_559391771_m") == (
        f"{SITE}/dableFiles/allen%20cell%20types/CNG%20version/H16-03-001-01-09-01_559391771_m.CNG.swc"
    )


@pytest.mark.parametrize("name", AWKWARD)
def test_every_name_is_one_part_of_the_path_and_comes_back_when_decoded(name: str) -> None:
    url = urlsplit(swc_url(SITE, name, name))
    assert not url.query
    assert not url.fragment
    parts = [unquote(part) for part in url.path.split("/")]
    assert parts == ["", "dableFiles", name, "CNG version", f"{name}.CNG.swc"]
    assert PurePosixPath(url.path).parts[2] not in (".", "..")


@pytest.mark.parametrize("name", AWKWARD)
def test_every_local_name_is_one_file_in_the_folder(name: str, tmp_path: Path) -> None:
    path = tmp_path / free_name(name, 7, ".CNG.swc", lambda _: False)
    path.write_bytes(b"x")
    assert [path] == list(tmp_path.iterdir())
    assert path.name.endswith(".CNG.swc")


@given(st.lists(st.text(min_size=1, max_size=12), max_size=12))
def test_no_two_neurons_share_a_file_case_ignored(names: list[str]) -> None:
    taken: list[str] = []
    for number, name in enumerate([*names, *names]):
        swc = free_name(name, number, ".swc", lambda swc: swc.casefold() in {one.casefold() for one in taken})
        assert "/" not in swc
        taken.append(swc)
    assert len({swc.casefold() for swc in taken}) == len(taken)


def test_a_plain_name_stays_and_a_newcomer_that_collides_gets_its_number() -> None:
    assert free_name("cnic_001", 1, ".CNG.swc", lambda _: False) == "cnic_001.CNG.swc"
    assert free_name("CNIC_001", 42, ".CNG.swc", lambda swc: swc == "CNIC_001.CNG.swc") == "CNIC_001.42.CNG.swc"


def test_without_find_there_is_one_place() -> None:
    record = {"neuron_name": "n", "archive": " Wearne_Hof "}
    found = list(candidates(SITE, record, find=False, look_up=lambda: pytest.fail("the API was asked")))
    assert [one.url for one in found] == [f"{SITE}/dableFiles/wearne_hof/CNG%20version/n.CNG.swc"]


def test_find_asks_the_api_then_spellings_then_former_versions_and_no_page() -> None:
    record = {
        "neuron_name": "old",
        "archive": "Some Lab",
        "note": 'see <a href=" dableFiles/previous/v6/x/old.CNG.swc ">',
    }
    present = record | {"neuron_name": "new", "archive": "Some_Lab"}
    found = list(candidates(SITE, record, find=True, look_up=lambda: present))
    kinds = [one.found_by for one in found]
    assert kinds == sorted(kinds, key=["pattern", "record", "variant", "previous_version"].index)
    assert found[1].url == f"{SITE}/dableFiles/some_lab/CNG%20version/new.CNG.swc"
    assert found[-1].url == f"{SITE}/dableFiles/previous/v6/x/old.CNG.swc"
    assert len({one.url for one in found}) == len(found)
    assert not any(".jsp" in one.url for one in found)


def test_a_former_version_is_only_taken_from_this_site() -> None:
    note = (
        "<a href='http://elsewhere.invalid/dableFiles/a/b.swc'>1</a> <a href=dableFiles/c/d.CNG.swc>2</a> "
        '<a href="dableFiles/../../etc/passwd.swc">3</a> <a href="neuron_info.jsp?x=1">4</a>'
    )
    assert list(previous_versions(SITE, note)) == [f"{SITE}/dableFiles/a/b.swc", f"{SITE}/dableFiles/c/d.CNG.swc"]
    assert list(previous_versions(SITE, None)) == []


def test_the_order_of_candidates_does_not_depend_on_what_was_asked_before() -> None:
    record = {"neuron_name": "n", "archive": "A B"}
    runs = [[one.url for one in candidates(SITE, record, True, lambda: None)] for _ in range(3)]
    assert all(one == other for one, other in pairwise(runs))
