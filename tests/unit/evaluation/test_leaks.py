"""Leaks across a division are found, told, and never judged quietly."""

from __future__ import annotations

import pytest

from axonet.core.errors import UserError
from axonet.evaluation.leaks import find_leaks, heed_leaks
from axonet.evaluation.lineage import Lineage
from axonet.evaluation.settings import EvaluationSettings
from axonet.evaluation.sharing import find_sharing
from axonet.metadata.record import NeuronRecord


def record(name, **facts):
    return NeuronRecord(name, "test", f"{name}.swc", **facts)


JUDGED = [
    record("a", donor="1", publication="p", archive="x"),
    record("b", donor="2", publication="q", archive="y"),
    record("c", donor="3", publication="r", archive="z"),
]
OTHERS = [record("m", donor="1", publication="p", archive="x"), record("n", donor="9", publication="q", archive="y")]
SHAPES = [{"fingerprint": "f"}, {"fingerprint": ""}, {"fingerprint": "g"}, {"fingerprint": ""}, {"fingerprint": "g"}]


def leaks(promised, shapes=SHAPES):
    records = [*JUDGED, *OTHERS]
    sharing = find_sharing([r.id for r in records], records, shapes, len(JUDGED), Lineage(True, frozenset("mn")))
    return find_leaks(sharing, promised)


@pytest.mark.parametrize(("promised", "torn"), [(None, ()), ("neuron", ()), ("donor", ("a",)), ("lab", ("a", "b"))])
def test_copies_always_leak_and_donors_only_where_they_were_promised(promised, torn):
    found = leaks(promised)
    assert found.copies == {"c": "n"}
    assert found.torn == torn


def test_neurons_too_small_to_recognize_are_no_copies_of_one_another():
    assert not leaks("neuron", [{"fingerprint": ""}] * 5).neurons


def test_by_default_a_leak_stops_with_one_line_that_names_a_pair():
    with pytest.raises(UserError, match="1 of 3 judged neurons are copies") as caught:
        heed_leaks(leaks("donor"), list("abc"), EvaluationSettings())
    assert "c has the shape of n" in str(caught.value)
    assert "keep donors apart" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_left_out_neurons_are_rows_with_a_reason(capsys):
    rows = heed_leaks(leaks("lab"), list("abcd"), EvaluationSettings(leaks="leave_out"))
    assert [(row["task"], row["n"]) for row in rows] == [("leaks", 1), ("leaks", 2)]
    assert "they are not judged" in capsys.readouterr().err
    assert heed_leaks(leaks("lab", [None] * 5), list("abcd"), EvaluationSettings(leaks="leave_out"))[0]["n"] == 2


def test_when_all_leak_nobody_is_left_to_judge():
    with pytest.raises(UserError, match="nobody is left to judge"):
        heed_leaks(leaks("lab"), list("abc"), EvaluationSettings(leaks="leave_out"))
    assert heed_leaks(leaks(None, [None] * 5), list("abc"), EvaluationSettings()) == ()
