"""Queries: quotes where the site needs them, fields that exist, and nothing changed that was right."""

from __future__ import annotations

import pytest

from axonet.core.errors import UserError
from axonet.sources.neuromorpho.query import Selection, check_fields, read_query, simple_values
from axonet.sources.neuromorpho.settings import NeuroMorphoSettings
from tests.fakes.neuromorpho import FIELDS, made_up_record
from tests.fakes.selection import parse_query


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("species:mouse", "species:mouse"),
        ("brain_region:dorsal horn", 'brain_region:"dorsal horn"'),
        ('brain_region:"dorsal horn"', 'brain_region:"dorsal horn"'),
        ("archive:Allen Cell Types", 'archive:"Allen Cell Types"'),
        ("species:mouse,guinea pig", 'species:mouse,"guinea pig"'),
        ("species:mouse AND cell_type:principal cell", 'species:mouse AND cell_type:"principal cell"'),
        ('archive:"Black AND White"', 'archive:"Black AND White"'),
        ("neuron_id:[* TO *]", "neuron_id:[* TO *]"),
        ("neuron_name:CB_CKp25_*", "neuron_name:CB_CKp25_*"),
        ("species:mouse OR species:rat", "species:mouse OR species:rat"),
        ("(species:rat) AND NOT archive:Foo", "(species:rat) AND NOT archive:Foo"),
        ("cell_type:somatostatin (SOM)-positive", 'cell_type:"somatostatin (SOM)-positive"'),
        ("species:mouse,a (B) AND archive:x", 'species:mouse,"a (B)" AND archive:x'),
        ("species:guinea pig OR NOT cell_type:a b", 'species:"guinea pig" OR NOT cell_type:"a b"'),
        (
            "(species:guinea pig or cell_type:a (B)) and archive:x",
            '(species:"guinea pig" OR cell_type:"a (B)") AND archive:x',
        ),
        ("species:mouse and archive:Black and White", 'species:mouse AND archive:"Black and White"'),
        ("species:mouse && not species:rat", "species:mouse AND NOT species:rat"),
        ("neuron_name:CB CK*", "neuron_name:CB?CK*"),
        ("strain:C57BL/6", 'strain:"C57BL/6"'),
        ('archive:Foo "bar"', r'archive:"Foo \"bar\""'),
    ],
)
def test_values_with_blanks_get_quotes_and_everything_else_stays(given: str, sent: str) -> None:
    assert read_query(given) == sent


def test_a_quoted_query_finds_the_dorsal_horn_and_not_all_that_is_dorsal() -> None:
    horn = made_up_record(1, "a", "x", brain_region=["spinal cord", "dorsal horn"])
    lobe = made_up_record(2, "b", "x", brain_region=["antennal lobe", "dorsal"])
    asked, meant = (
        parse_query("brain_region:dorsal horn", FIELDS),
        parse_query(read_query("brain_region:dorsal horn"), FIELDS),
    )
    assert (asked(horn), asked(lobe)) == (True, True)
    assert (meant(horn), meant(lobe)) == (True, False)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("species:mouse OR rat", "species:mouse,rat"),
        ("species:(mouse OR rat)", "species:mouse,rat"),
        ("species:(mouse)", "no parentheses around values"),
        ("species:mouse brain_region:neocortex", "put AND between"),
        ("(species:mouse", "parenthesis is not closed"),
        ("species:mouse)", "a parenthesis too many"),
        ("species:mouse,,rat", "between commas is empty"),
    ],
)
def test_what_may_mean_two_things_is_refused_with_how_to_write_it(text: str, hint: str) -> None:
    with pytest.raises(UserError, match=r"^--query") as error:
        read_query(text)
    assert hint in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["cell_type:a (B)", "species:x y or archive:z", "neuron_name:a b*", '(a:b c or d:"e") and not f:[1 TO 2]']
)
def test_a_query_that_was_read_stays_as_it_is_when_read_again(text: str) -> None:
    assert read_query(read_query(text)) == read_query(text)


def test_a_wildcard_with_a_blank_finds_the_names_that_have_one() -> None:
    found = parse_query(read_query("neuron_name:cell 1*"), FIELDS)
    assert found(made_up_record(1, "cell 12", "x"))
    assert not found(made_up_record(2, "cell 2", "x"))


@pytest.mark.parametrize("text", ["mouse", "species:", "species:mouse AND rat", "", 'species:"mouse'])
def test_what_is_no_field_and_value_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UserError, match=r"--query") as error:
        read_query(text)
    assert "\n" not in str(error.value)


def test_an_unknown_field_is_refused_and_the_nearest_is_named() -> None:
    with pytest.raises(UserError, match=r"no field 'specie'; did you mean species\?"):
        check_fields(Selection("specie:mouse", None), FIELDS)
    with pytest.raises(UserError, match=r"no field 'brainregion'; did you mean brain_region"):
        check_fields(Selection(None, {"brainregion": ["neocortex"]}), FIELDS)


def test_known_fields_pass_whatever_their_case_and_levels_of_lists_too() -> None:
    check_fields(Selection('physical_integrity:"a: b" AND brain_region_2:CA1', None), FIELDS)
    check_fields(Selection(None, {"Physical_Integrity": ["x"], "cell_type_3": ["y"]}), FIELDS)


def test_only_plain_values_are_looked_up_in_the_sites_lists() -> None:
    selection = Selection('species:mouse,"guinea pig" AND neuron_id:[1 TO 5] AND archive:A*', None)
    assert simple_values(selection) == {"species": ["mouse", "guinea pig"]}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "say which neurons"),
        ({"query": "species:mouse", "filters": {"species": ["rat"]}}, "not both"),
        ({"filters": '{"species": ["mouse"}'}, "not JSON"),
        ({"filters": "[1, 2]"}, "dictionary"),
        ({"query": "species:mouse", "page_size": 501}, "500"),
        ({"query": "species:mouse", "base_url": "neuromorpho.org"}, "must begin with http:// or https://"),
        ({"query": "species:mouse", "contact": "a\nb"}, "one line of plain ASCII"),
        ({"filters": "{}"}, "names no field"),
        ({"filters": {"species": []}}, "'species' has no value"),
        ({"filters": {"species": [" "]}}, "'species' has no value"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NeuroMorphoSettings.model_validate(values)


def test_a_single_value_may_stand_without_its_list() -> None:
    assert NeuroMorphoSettings(filters={"species": "mouse"}).filters == {"species": ["mouse"]}  # type: ignore[dict-item]


def test_the_site_is_the_flags_then_the_variables_then_the_public_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AXONET_NEUROMORPHO_URL", raising=False)
    assert NeuroMorphoSettings(query="species:mouse").site == "https://neuromorpho.org"
    monkeypatch.setenv("AXONET_NEUROMORPHO_URL", "http://127.0.0.1:1/")
    assert NeuroMorphoSettings(query="species:mouse").site == "http://127.0.0.1:1"
    assert NeuroMorphoSettings(query="species:mouse", base_url="http://mirror/api/").site == "http://mirror"
    monkeypatch.setenv("AXONET_NEUROMORPHO_URL", "neuromorpho.org")
    with pytest.raises(UserError, match="AXONET_NEUROMORPHO_URL: must begin with http://"):
        _ = NeuroMorphoSettings(query="species:mouse").site
