"""Laws of all captions, over combinations of the vocabulary."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axonet.core.errors import UserError
from axonet.metadata.captions import LEVEL_WEIGHTS, NeuronTextGenerator, draw_level
from axonet.metadata.claims import LEVELS, true_of
from axonet.metadata.grammar import starts_with_vowel_sound
from axonet.metadata.record import NeuronRecord
from axonet.metadata.vocabulary.cell_types import CELL_TYPES, COARSE_ALIASES, SILENT_MODIFIERS, SPOKEN_MODIFIERS
from axonet.metadata.vocabulary.markers import BARE_MARKERS, MARKERS
from axonet.metadata.vocabulary.regions import ACRONYMS, AREAS
from axonet.metadata.vocabulary.species import SPECIES, SPECIES_ALIASES

from .examples import BINS, archived, patched

GENERATOR = NeuronTextGenerator(BINS)
ARCHIVE, NAME, NUMBER = "Zebedee_Lab", "Quux-77b", 80_911

missing = st.sampled_from([None, "Not reported", "", "NA"])
species = st.sampled_from([*SPECIES, *SPECIES_ALIASES]) | missing
odd_types = ("Wobbly", "Tm23_24", "unknown Tm-3", "Sst-IRES-Cre", "PolymodalNeuron", ARCHIVE, NAME, "Not reported")
odd_places = ("VISp2/3", "layer 2-3", "layer 6b", "left", "dorsal", "Left Mushroom Body", "glomerulus DL2", "Area X")
odder_places = ("basolateral", "caudate putamen", "subesophageal zone-(SEZ)", "Not reported")
stains = tuple(f"{name} (XY)-positive" for name in MARKERS)
cell_words = st.sampled_from(
    [*CELL_TYPES, *COARSE_ALIASES, *SPOKEN_MODIFIERS, *SILENT_MODIFIERS, *BARE_MARKERS, *stains, *odd_types]
)
places = st.sampled_from([*AREAS, *ACRONYMS, *odd_places, *odder_places])
records = st.builds(
    archived,
    archive=st.just(ARCHIVE),
    neuron_id=st.just(NUMBER),
    neuron_name=st.just(NAME),
    species=species,
    cell_type=st.none() | st.lists(cell_words, max_size=4) | cell_words,
    brain_region=st.none() | st.lists(places, max_size=4) | places,
    gender=st.sampled_from(["Male", "Female", "Male/Female", "Not reported"]),
    age_classification=st.sampled_from(["adult", "young", "P21", "Not reported", None]),
    strain=st.sampled_from(["C57BL/6", "Wistar", "Sprague-Dawley", "crossed with several other lines", NAME, None]),
    experiment_condition=st.sampled_from([None, ["Control"], ["epilepsy"], ["an unusual diet, for weeks"]]),
    domain=st.sampled_from(["Dendrites, Soma, Axon", "No Dendrites, No Soma, Axon", "Neurites, No Soma", None]),
)
figures = st.none() | st.fixed_dictionaries(
    {
        name: st.sampled_from(values)
        for name, values in {
            "n_branch_points": [0.0, 1.0, 127.0, float("nan")],
            "n_stems": [0.0, 1.0, 6.0],
            "n_tips": [1.0, 44.0],
            "cable_length": [0.2, 350.0, 4204.0, 91_000.0, float("nan")],
            "max_path_distance": [12.0, 812.0, 4000.0],
            "axon_cable_length": [0.0, 900.0],
            "basal_cable_length": [0.0, 900.0],
            "apical_cable_length": [0.0, 90.0, 2500.0],
            "other_cable_length": [0.0, 3.0],
            "soma_radius": [float("nan"), 6.0],
            "status": ["ok", "ok", "no_neurites"],
            "warnings": [[], ["constant_radius"], ["suspicious_units"]],
        }.items()
    }
)


def wellformed(text: str) -> None:
    assert text == text.strip()
    assert not re.search(r"\s\s|\s,|,,|\(|\)|\bNone\b|\bnan\b", text), text
    assert not re.search(r"not reported|not applicable|unknown|unspecified", text, re.IGNORECASE), text
    for article, rest in re.findall(r"\b(an?) (.+)", text):
        assert (article == "an") == starts_with_vowel_sound(rest), text
    assert not re.search(
        r"\b(neuron neuron|cell cell|interneuron (?:neuron|cell)|neuron cell|the the|a an?)\b", text
    ), text
    assert not re.search(r"\b[01] (branch|primary|tip)|\bno \w+ process|\b0 µm|thick(?!-tufted)|\bthin\b", text), text
    assert "Not" not in text


@settings(max_examples=300, deadline=None)
@given(record=records, measures=figures, epoch=st.integers(0, 50))
def test_captions_are_wellformed_true_and_anonymous(
    record: NeuronRecord, measures: dict[str, Any] | None, epoch: int
) -> None:
    known = GENERATOR.facts(record, measures)
    captions = [*GENERATOR.captions(record, measures).values(), GENERATOR.draw(record, measures, 0, epoch)]
    for caption in captions:
        wellformed(caption.text)
        assert true_of(caption, known), caption
        for secret in (ARCHIVE, NAME, str(NUMBER), "Zebedee"):
            assert secret.casefold() not in caption.text.casefold()
        if measures is not None and "suspicious_units" in measures["warnings"]:
            assert not re.search(r"\b(mm|µm|short|extensive|longest)\b", caption.text)


@pytest.mark.parametrize("name", sorted(SPECIES))
def test_every_species_has_its_article(name: str) -> None:
    text = GENERATOR.caption(archived(species=name), None, "broad").text
    vowel = name[0] in "aeioAEIO" or name == "opossum"
    assert text == f"{'an' if vowel else 'a'} {name} neuron"


@pytest.mark.parametrize("word", sorted(CELL_TYPES))
def test_every_class_has_one_head_noun(word: str) -> None:
    text = GENERATOR.caption(archived(species="rat", cell_type=[word]), None, "standard").text
    assert text == f"a rat {CELL_TYPES[word].noun}"
    wellformed(text)


@pytest.mark.parametrize("name", sorted({*AREAS, *ACRONYMS}))
def test_every_area_can_be_spoken(name: str) -> None:
    for level in ("standard", "detailed"):
        wellformed(GENERATOR.caption(archived(species="rat", brain_region=[name]), None, level).text)


def test_what_is_drawn_depends_on_seed_neuron_and_epoch_only() -> None:
    record = archived(
        species="rat", cell_type=["Spiny", "pyramidal"], brain_region=["hippocampus", "CA1"], age_classification="adult"
    )
    measures = {"n_branch_points": 40, "n_stems": 5, "cable_length": 6000.0}

    def draws(seed: int, of: NeuronRecord = record) -> list[str]:
        return [GENERATOR.draw(of, measures, seed, epoch).text for epoch in range(40)]

    restored = NeuronTextGenerator.from_json(GENERATOR.to_json())
    assert draws(1) == [restored.draw(record, measures, 1, epoch).text for epoch in range(40)]
    assert draws(1) != draws(2)
    assert draws(1) != draws(1, archived(neuron_id=8, species="rat", cell_type=["pyramidal"]))
    assert len(set(draws(1))) > 15


def test_the_drawn_captions_of_one_neuron_stay_the_same_in_later_versions() -> None:
    record = archived(species="rat", cell_type=["pyramidal", "principal cell"], brain_region=["hippocampus", "CA1"])
    measures = {"n_branch_points": 40, "n_stems": 5, "cable_length": 6000.0, "n_tips": 46}
    assert [GENERATOR.draw(record, measures, seed=0, epoch=epoch).text for epoch in (0, 1, 2, 3, 6)] == [
        "a rat pyramidal neuron from the hippocampus with 46 tips",
        "a large rat pyramidal neuron from the hippocampus",
        "a rat pyramidal neuron from the hippocampus",
        "a rat pyramidal neuron from area CA1 of the hippocampus",
        "a rat pyramidal neuron from the hippocampus with 40 branch points, a total length of 6 mm and 46 tips",
    ]


def test_levels_are_drawn_by_their_weights() -> None:
    stream = np.random.default_rng(0)
    counts = Counter(draw_level(stream) for _ in range(20_000))
    assert {level: counts[level] / 20_000 for level in LEVELS} == pytest.approx(LEVEL_WEIGHTS, abs=0.01)
    assert sum(LEVEL_WEIGHTS.values()) == pytest.approx(1)


def test_leaving_a_level_out_changes_only_its_captions() -> None:
    record, kept = archived(species="rat", cell_type=["pyramidal"]), LEVELS[1:]
    everything = [GENERATOR.draw(record, None, 0, epoch) for epoch in range(200)]
    without = [GENERATOR.draw(record, None, 0, epoch, levels=kept) for epoch in range(200)]
    assert {caption.level for caption in without} == set(kept)
    assert [own for own, before in zip(without, everything, strict=True) if before.level in kept] == [
        before for before in everything if before.level in kept
    ]


def test_nothing_is_drawn_from_no_levels() -> None:
    with pytest.raises(ValueError, match="no caption levels"):
        GENERATOR.draw(archived(), None, 0, 0, levels=())


def test_the_fixed_caption_is_fixed() -> None:
    record = archived(species="rat", cell_type=["pyramidal"])
    for level in LEVELS:
        assert GENERATOR.caption(record, None, level) == GENERATOR.caption(record, None, level)
    assert list(GENERATOR.captions(record)) == list(LEVELS)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="no caption level 'poetic'"):
        GENERATOR.caption(archived(), None, "poetic")  # type: ignore[arg-type]


def rows(lengths: list[float]) -> dict[str, dict[str, Any]]:
    return {f"table:{i}": {"cable_length": value, "status": "ok"} for i, value in enumerate(lengths)}


def test_bins_are_quartiles_of_the_neurons_they_were_fitted_on() -> None:
    lengths = [float(value) for value in range(100, 1000, 100)]
    training = [NeuronRecord(str(i), "table", f"{i}.swc") for i in range(len(lengths))]
    measures = rows([*lengths, 1e9, 1e9])  # the last two are no training neurons
    bins = NeuronTextGenerator.fit(training, measures).bins
    assert bins.edges["size"] == tuple(np.quantile(lengths, (0.25, 0.75)))
    by_id = {key.removeprefix("table:"): row for key, row in measures.items()}
    assert NeuronTextGenerator.fit(training, by_id).bins == bins


def test_neurons_without_reliable_measures_do_not_move_the_bins() -> None:
    lengths = [float(value) for value in range(100, 1000, 100)]
    measures = rows([*lengths, 5e8, 5e8])
    measures["table:9"]["warnings"] = ["suspicious_units"]
    measures["table:10"]["status"] = "html_page"
    everyone = [NeuronRecord(str(i), "table", f"{i}.swc") for i in range(12)]
    assert NeuronTextGenerator.fit(everyone, measures).bins == NeuronTextGenerator.fit(everyone[:9], measures).bins


def test_few_or_equal_neurons_give_no_size_words() -> None:
    training = [NeuronRecord(str(i), "table", f"{i}.swc") for i in range(20)]
    assert NeuronTextGenerator.fit(training, rows([100.0] * 20)).bins.edges == {}
    assert NeuronTextGenerator.fit(training[:5], rows([1.0, 2.0, 3.0, 4.0, 5.0])).bins.edges == {}
    assert NeuronTextGenerator.fit([], {}).bins.edges == {}


def test_the_state_goes_through_json_unchanged() -> None:
    state = json.loads(json.dumps(GENERATOR.to_json()))
    assert NeuronTextGenerator.from_json(state).bins == BINS
    assert NeuronTextGenerator.from_json(state).to_json() == GENERATOR.to_json()


@pytest.mark.parametrize(
    "state",
    [
        {"format": 2, "bins": {}},
        {"bins": {}},
        {"format": 1, "bins": {"size": [3.0, 1.0]}},
        {"format": 1, "bins": {"color": [1.0, 3.0]}},
    ],
)
def test_a_foreign_state_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="caption"):
        NeuronTextGenerator.from_json(state)


def test_a_detailed_caption_says_what_the_standard_one_does_and_more() -> None:
    record = patched(species="mouse", region="VISp5", cell_type=["spiny"], t_type="Pvalb Reln Itm2a")
    claims = {level: caption.claims for level, caption in GENERATOR.captions(record).items()}
    assert claims["broad"].items() < claims["standard"].items() < claims["detailed"].items()


def test_a_drawn_detail_is_left_out_now_and_then() -> None:
    record = archived(species="rat", gender="Female", age_classification="adult", strain="Wistar")
    texts = {GENERATOR.draw(record, None, 0, epoch).text for epoch in range(200)}
    assert {"a rat neuron", "an adult rat neuron", "a female rat neuron", "a Wistar rat neuron"} <= texts
    for text, words in product(texts, [("adult", "female", "Wistar")]):
        assert sum(word in text for word in words) <= 2
