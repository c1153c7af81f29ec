from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.claims import FIELDS, LEVELS, Caption, entailment_mask, facts, holds, layer_parts, true_of

from .examples import BINS, EXAMPLES, archived, patched

GENERATOR = NeuronTextGenerator(BINS)


def test_a_broad_caption_is_true_of_every_neuron_of_the_species() -> None:
    broad = GENERATOR.caption(archived(species="mouse"), None, "broad")
    truth = [true_of(broad, GENERATOR.facts(example.record, example.measures)) for example in EXAMPLES]
    assert truth == [e.record.species == "mouse" and e.record.cell_class != "glia" for e in EXAMPLES]


def test_every_caption_is_true_of_its_own_neuron() -> None:
    for example, epoch in product(EXAMPLES, range(30)):
        known = GENERATOR.facts(example.record, example.measures)
        caption = GENERATOR.draw(example.record, example.measures, seed=1, epoch=epoch)
        assert true_of(caption, known), caption


def test_the_mask_says_the_same_as_one_by_one() -> None:
    captions = [
        GENERATOR.draw(example.record, example.measures, seed=2, epoch=epoch)
        for example in EXAMPLES
        for epoch in range(6)
    ]
    known = [GENERATOR.facts(example.record, example.measures) for example in EXAMPLES]
    mask = entailment_mask(captions, known)
    assert mask.shape == (len(captions), len(known))
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(mask, [[true_of(caption, neuron) for neuron in known] for caption in captions])


def test_the_mask_of_nothing_is_empty() -> None:
    assert entailment_mask([], []).shape == (0, 0)
    assert entailment_mask([Caption("a neuron", "broad")], [{}, {}]).tolist() == [[True, True]]


def test_a_neuron_of_which_nothing_is_known_makes_only_the_emptiest_caption_true() -> None:
    unknown = GENERATOR.facts(archived())
    for example in EXAMPLES:
        assert not true_of(GENERATOR.caption(example.record, example.measures, example.level), unknown)
    assert true_of(GENERATOR.caption(archived(), None, "broad"), unknown)


def test_coarser_places_are_true_of_finer_ones_and_not_the_other_way() -> None:
    fine, coarse = archived(brain_region=["hippocampus", "CA1"]), archived(brain_region=["hippocampus"])
    caption = {
        name: GENERATOR.caption(record, None, "detailed") for name, record in (("fine", fine), ("coarse", coarse))
    }
    assert true_of(caption["coarse"], GENERATOR.facts(fine))
    assert not true_of(caption["fine"], GENERATOR.facts(coarse))


def test_an_acronym_and_its_name_are_one_place() -> None:
    named = GENERATOR.caption(archived(brain_region=["neocortex", "visual"]), None, "standard")
    primary = GENERATOR.caption(archived(brain_region=["neocortex", "primary visual"]), None, "standard")
    for region in ("VISp", "VISp5", "V1"):
        assert true_of(named, GENERATOR.facts(patched(region=region)))
        assert true_of(primary, GENERATOR.facts(patched(region=region)))


def test_protein_and_gene_are_one_marker() -> None:
    caption = GENERATOR.caption(archived(cell_type=["interneuron", "somatostatin (SOM)-positive"]), None, "detailed")
    neuron = patched(cell_type=["interneuron"], t_type="Sst Calb2 Pdlim5")
    assert true_of(caption, GENERATOR.facts(neuron))
    assert not true_of(caption, GENERATOR.facts(patched(cell_type=["interneuron"], t_type="Vip Gpc3 Slc18a3")))


def test_a_martinotti_cell_is_an_interneuron_even_when_nobody_says_so() -> None:
    caption = GENERATOR.caption(archived(cell_type=["interneuron"]), None, "standard")
    assert true_of(caption, GENERATOR.facts(archived(cell_type=["Martinotti"])))


@pytest.mark.parametrize(
    ("claim", "layer", "expected"),
    [
        ("6", "6b", True),
        ("6b", "6", False),
        ("2-3", "2/3", True),
        ("2/3", "3", True),
        ("3", "2-3", False),
        ("2-4", "3", True),
        ("5", "5", True),
        ("5", "6", False),
        ("6a", "6b", False),
    ],
)
def test_a_layer_is_true_of_what_lies_within_it(claim: str, layer: str, expected: bool) -> None:
    assert holds("layer", claim, layer) is expected


def test_unusual_layers_are_only_equal_to_themselves() -> None:
    assert layer_parts("X") == {"X"}


@pytest.mark.parametrize(
    ("claim", "value", "expected"),
    [
        ("1", 1.0, True),
        ("1", 2.0, False),
        ("12", 13.0, False),
        ("127", 130.0, True),
        ("127", 140.0, False),
        ("4200", 4204.0, True),
        ("4200", 4500.0, False),
    ],
)
def test_figures_hold_within_five_percent_and_small_counts_exactly(claim: str, value: float, expected: bool) -> None:
    assert holds("n_branch_points", claim, value) is expected


def test_a_missing_measurement_makes_no_figure_true() -> None:
    assert not holds("n_branch_points", "3", None)


def test_a_claim_in_an_unknown_field_is_refused() -> None:
    with pytest.raises(KeyError):
        holds("color", "green", "green")


def test_captions_claim_known_fields_only() -> None:
    for example, level in product(EXAMPLES, LEVELS):
        assert set(GENERATOR.caption(example.record, example.measures, level).claims) <= set(FIELDS)


def test_equal_texts_make_equal_claims() -> None:
    seen: dict[str, object] = {}
    for example, epoch in product(EXAMPLES, range(40)):
        caption = GENERATOR.draw(example.record, example.measures, seed=3, epoch=epoch)
        assert seen.setdefault(caption.text, dict(caption.claims)) == dict(caption.claims), caption.text


def test_size_words_are_true_only_with_the_bins_that_they_come_from() -> None:
    record, measures = archived(species="rat"), {"cable_length": 9000.0, "n_branch_points": 450}
    caption = GENERATOR.caption(record, measures, "detailed")
    assert caption.claims["size"] == "large"
    assert not true_of(caption, facts(record, measures))
    assert true_of(caption, facts(record, measures, BINS))
