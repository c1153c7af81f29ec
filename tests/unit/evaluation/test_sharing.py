from __future__ import annotations

from dataclasses import replace

import pytest

from axonet.evaluation.lineage import Lineage
from axonet.evaluation.sharing import find_sharing
from axonet.metadata.record import NeuronRecord


def record(name, **facts):
    return NeuronRecord(name, "test", f"{name}.swc", **facts)


def sharing(judged, others, lineage=None):
    records = [*judged, *others]
    known = Lineage(True, frozenset(r.id for r in others))
    return find_sharing([r.id for r in records], records, [None] * len(records), len(judged), lineage or known)


APART = [record("a", donor="1", publication="p", archive="x"), record("b", donor="2", publication="q", archive="y")]


@pytest.mark.parametrize(
    ("other", "held_out", "same_donor", "same_lab"),
    [
        (record("c", donor="3", publication="r", archive="z"), "lab", 0, 0),
        (record("c", donor="3", publication="r", archive="x"), "donor", 0, 1),
        (record("c", donor="1", publication="r", archive="x"), "neuron", 1, 1),
        (record("c", donor="1", publication="r", archive="z"), "lab", 0, 0),  # mouse 1 of two laboratories is two mice
    ],
)
def test_what_is_held_out_is_found_from_the_records(other, held_out, same_donor, same_lab):
    found = sharing(APART, [other])
    assert (found.held_out, found.same_donor, found.same_lab) == (held_out, same_donor, same_lab)


def test_a_neuron_of_which_nothing_is_known_is_not_called_of_another_laboratory():
    assert sharing([replace(APART[0], publication=None, archive=None)], [APART[1]]).held_out == "neuron"


def test_equal_shapes_are_one_group():
    rows = [{"fingerprint": "f"}, {"fingerprint": "g"}, {"fingerprint": "f"}]
    records = [*APART, record("c", archive="z", publication="r")]
    found = find_sharing(["a", "b", "c"], records, rows, 2, Lineage(True))
    assert found.same_donor == 1
    assert found.groups[0] == found.groups[2] != found.groups[1]


def test_nothing_is_claimed_to_be_held_out_of_a_model_whose_neurons_are_not_known():
    assert sharing(APART, [], Lineage(False)).held_out == "unknown"
    other = record("c", donor="3", publication="r", archive="z")
    assert sharing(APART, [other]).held_out == "lab"
    assert sharing(APART, [other], Lineage(False)).held_out == "unknown"


def test_a_model_that_learned_on_judged_neurons_holds_nothing_out():
    other = record("c", donor="3", publication="r", archive="z")
    assert sharing(APART, [other], Lineage(True, frozenset("ac"))).held_out == "nothing"
