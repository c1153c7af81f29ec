"""What goes wrong when captions are glued together from raw words: each of these once did, elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from axonet.metadata.adapters.table import record_of
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.claims import LEVELS, true_of
from axonet.metadata.record import NeuronRecord

from .examples import BINS, archived, patched

PLAIN = NeuronTextGenerator()
NOTHING = "Not reported"


def test_a_neuron_of_which_nothing_is_reported_is_a_neuron() -> None:
    record = archived(
        species=NOTHING,
        brain_region=[NOTHING, NOTHING],
        cell_type=[NOTHING],
        gender=NOTHING,
        age_classification=NOTHING,
        strain=NOTHING,
        experiment_condition=[NOTHING],
        domain=NOTHING,
    )
    for level in LEVELS:
        assert PLAIN.caption(record, None, level).text == "a neuron"


@pytest.mark.parametrize(
    "word", [None, "", "Not reported", "not applicable", "None", "unknown", "NA", "N/A", "nan", float("nan")]
)
@pytest.mark.parametrize("field", ["species", "brain_region", "cell_type"])
def test_no_answer_is_no_word(word: object, field: str) -> None:
    record = archived(**{"species": "rat", "brain_region": ["retina"], "cell_type": ["ganglion"], field: word})
    expected = {
        "species": "a ganglion cell from the retina",
        "brain_region": "a rat ganglion cell",
        "cell_type": "a rat neuron from the retina",
    }
    assert PLAIN.caption(record, None, "standard").text == expected[field]


def test_glia_are_no_neurons_and_layers_have_a_plural() -> None:
    record = archived(
        species="human", brain_region=["neocortex", "temporal", "layer 2-3"], cell_type=["microglia", "Glia"]
    )
    caption = PLAIN.caption(record, None, "detailed")
    assert caption.text == "a human microglial cell from layers 2–3 of the temporal neocortex"


def test_a_cell_type_that_is_null_is_left_out() -> None:
    assert PLAIN.caption(archived(species="rat", cell_type=None), None, "standard").text == "a rat neuron"


@pytest.mark.parametrize("words", ["pyramidal", ["pyramidal"], ["principal cell", "pyramidal"], ["pyramidal neuron"]])
def test_the_class_is_found_wherever_it_stands(words: object) -> None:
    assert PLAIN.caption(archived(species="rat", cell_type=words), None, "standard").text == "a rat pyramidal neuron"


@pytest.mark.parametrize(
    ("species", "words", "region", "expected"),
    [
        ("mouse", ["unipolar brush", "interneuron"], ["cerebellum"], "a mouse unipolar brush cell from the cerebellum"),
        ("guinea pig", ["Martinotti", "interneuron"], None, "a guinea pig Martinotti cell"),
        ("Axolotl", ["ganglion", "principal cell"], ["retina"], "an axolotl ganglion cell from the retina"),
        ("rat", ["Spiny", "stellate", "principal cell"], None, "a rat spiny stellate neuron"),
        ("mouse", ["principal cell", "uniglomerular projection"], None, "a mouse uniglomerular projection neuron"),
        ("mouse", ["large basket cell", "interneuron"], None, "a mouse large basket cell"),
        ("C. elegans", ["Motor Neuron", "VD"], ["whole nervous system"], "a C. elegans motoneuron"),
        ("mouse", ["SensoryNeuron"], None, "a mouse sensory neuron"),
        ("Caenorhabditis elegans", ["Interneuron"], None, "a C. elegans interneuron"),
        ("Homo Sapiens", ["spiny"], None, "a human spiny neuron"),
        ("Praying mantis (Hierodula membranacea)", None, ["optic lobe"], "a praying mantis neuron from the optic lobe"),
    ],
)
def test_standard_captions_keep_what_the_class_says(species: str, words: object, region: object, expected: str) -> None:
    record = archived(species=species, cell_type=words, brain_region=region)
    assert PLAIN.caption(record, None, "standard").text == expected


def test_the_layer_goes_before_its_region() -> None:
    record = archived(species="rat", brain_region=["neocortex", "layer 3"], cell_type=["pyramidal"])
    assert PLAIN.caption(record, None, "detailed").text == "a rat pyramidal neuron from layer 3 of the neocortex"


def test_acronyms_with_a_glued_layer_are_spelled_out() -> None:
    caption = PLAIN.caption(patched(species="mouse", region="VISp2/3", cell_type="spiny"), None, "detailed")
    assert caption.text == "a mouse spiny neuron from layer 2/3 of the primary visual cortex"


def test_a_transcriptomic_type_is_no_cell_type() -> None:
    record = patched(species="mouse", region="VISp5", t_type="Pvalb Reln Itm2a")
    caption = PLAIN.caption(record, None, "detailed")
    assert caption.text == "a mouse Pvalb-expressing neuron from layer 5 of the primary visual cortex"


def test_one_is_a_word_and_has_a_singular() -> None:
    measures = {"n_branch_points": 1, "n_stems": 1}
    caption = PLAIN.caption(archived(species="rat"), measures, "morphometric")
    assert caption.text == "a rat neuron with one branch point and one primary process"


def test_long_lengths_are_in_mm() -> None:
    caption = PLAIN.caption(archived(species="rat"), {"cable_length": 4792.3}, "morphometric")
    assert caption.text == "a rat neuron with a total length of 4.79 mm"


def test_two_sites_without_a_hierarchy_give_the_first() -> None:
    record = archived(species="Drosophila melanogaster", brain_region=["antennal lobe", "lateral horn", "optic lobe"])
    assert PLAIN.caption(record, None, "detailed").text == "a Drosophila melanogaster neuron from the antennal lobe"


@pytest.mark.parametrize("region", [["left"], ["dorsal"], ["right", "dorsal"]])
def test_bare_sides_and_directions_are_no_places(region: list[str]) -> None:
    assert PLAIN.caption(archived(species="moth", brain_region=region), None, "detailed").text == "a moth neuron"


def test_sides_are_dropped_from_places() -> None:
    record = archived(species="cricket", brain_region=["Left Mushroom Body"])
    assert PLAIN.caption(record, None, "standard").text == "a cricket neuron from the mushroom body"


def test_a_layer_without_a_region_is_said_alone() -> None:
    assert PLAIN.caption(patched(species="rat", layer=5), None, "detailed").text == "a rat neuron from layer 5"


def test_both_sexes_are_no_sex_and_control_is_no_condition() -> None:
    record = archived(gender="Male/Female", experiment_condition=["Control"])
    assert record.sex is None
    assert record.condition is None


def test_a_large_basket_cell_is_not_called_small() -> None:
    record = archived(species="rat", cell_type=["large basket", "interneuron"])
    caption = NeuronTextGenerator(BINS).caption(record, {"cable_length": 500.0}, "detailed")
    assert caption.text == "a rat large basket cell"


def test_what_does_not_branch_is_unbranched_and_not_sparsely_branched() -> None:
    measures = {"n_branch_points": 0, "cable_length": 2000.0}
    captions = NeuronTextGenerator(BINS).captions(archived(species="moth"), measures)
    assert captions["detailed"].text == "an unbranched moth neuron"
    assert captions["morphometric"].text == "an unbranched moth neuron with a total length of 2 mm"


def test_little_reach_with_much_cable_is_not_short() -> None:
    measures = {"n_stems": 1, "max_path_distance": 60.0, "cable_length": 9000.0, "soma_radius": 8.0}
    caption = NeuronTextGenerator(BINS).caption(archived(species="moth"), measures, "detailed")
    assert caption.text == "a large moth neuron with a single primary process"


def test_stems_are_not_counted_without_a_soma() -> None:
    measures = {"n_stems": 5, "n_branch_points": 3, "soma_radius": float("nan")}
    assert PLAIN.caption(archived(), measures, "morphometric").text == "a neuron with 3 branch points"


def test_undifferentiated_neurites_are_not_called_an_axon() -> None:
    one_type = {"axon_cable_length": 900.0, "basal_cable_length": 0.0, "apical_cable_length": 0.0, "soma_radius": None}
    for domain in ("Neurites, Soma", None):
        record = archived(species="moth", domain=domain)
        assert PLAIN.caption(record, one_type, "detailed").text == "a moth neuron"
    record = archived(species="moth", domain="Neurites, No Soma")
    assert PLAIN.caption(record, one_type, "detailed").text == "a moth neuron, traced without its soma"


def test_large_basket_cells_are_a_type_and_basket_cells_have_no_size() -> None:
    large = archived(cell_type=["large basket", "interneuron"])
    basket = archived(cell_type=["basket", "interneuron"])
    generator = NeuronTextGenerator(BINS)
    assert generator.caption(large, None, "standard").text == "a large basket cell"
    assert generator.caption(basket, {"cable_length": 9000.0}, "detailed").text == "a basket cell"


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["excitatory"], "a mouse excitatory neuron"), (["excitatory", "principal cell"], "a mouse principal cell")],
)
def test_the_sign_of_a_synapse_is_said_when_nothing_else_is_known(words: list[str], expected: str) -> None:
    for level in ("standard", "detailed"):
        assert PLAIN.caption(archived(species="mouse", cell_type=words), None, level).text == expected


@pytest.mark.parametrize("marker", ["parvalbumin", "PV", "Parvalbumin (PV)-positive", "pvalb", "PV+"])
def test_a_column_for_markers_needs_no_ending(marker: str) -> None:
    caption = PLAIN.caption(patched(species="rat", cell_type="interneuron", markers=marker), None, "detailed")
    assert caption.text == "a rat parvalbumin-positive interneuron"


@pytest.mark.parametrize("warning", ["suspicious_units", "long_edge"])
def test_no_length_is_said_when_the_units_are_doubtful(warning: str) -> None:
    measures = {"cable_length": 90_000.0, "n_branch_points": 12, "n_stems": 3, "warnings": [warning]}
    captions = NeuronTextGenerator(BINS).captions(archived(species="fruit fly"), measures)
    assert captions["morphometric"].text == "a fruit fly neuron with 12 branch points and 3 primary processes"
    assert captions["detailed"].text == "a fruit fly neuron"


def test_a_neuron_that_could_not_be_measured_has_no_figures() -> None:
    measures = {"status": "no_neurites", "n_branch_points": 0.0, "cable_length": 5.0}
    assert PLAIN.caption(archived(species="cat"), measures, "morphometric").text == "a cat neuron"


@pytest.mark.parametrize(
    ("apical", "expected"),
    [(2000.0, "a rat pyramidal neuron with an apical dendrite"), (120.0, "a rat pyramidal neuron"), (0.0, None)],
)
def test_an_apical_dendrite_is_said_only_when_there_is_enough_of_it(apical: float, expected: str | None) -> None:
    record = archived(species="rat", cell_type=["pyramidal"])
    measures = {"cable_length": 9000.0, "apical_cable_length": apical, "basal_cable_length": 2000.0}
    caption = PLAIN.caption(record, measures, "detailed")
    assert caption.text == (expected or "a rat pyramidal neuron")


def test_the_source_calls_it_intact_but_the_picture_shows_none() -> None:
    record = patched(species="human", cell_type="spiny", apical_status="intact")
    measures = {"cable_length": 900.0, "apical_cable_length": 0.0, "basal_cable_length": 900.0}
    assert PLAIN.caption(record, measures, "detailed").text == "a human spiny neuron"


def test_what_the_file_holds_counts_more_than_what_the_source_says() -> None:
    record = archived(species="rat", domain="Dendrites, Soma, Axon")
    measures = {
        "axon_cable_length": 0.0,
        "basal_cable_length": 900.0,
        "apical_cable_length": 0.0,
        "other_cable_length": 0.0,
        "soma_radius": 6.0,
    }
    assert PLAIN.caption(record, measures, "detailed").text == "a rat neuron, traced without its axon"


def test_a_climbing_fiber_is_an_axon_and_lacks_nothing() -> None:
    record = archived(species="rat", cell_type=["climbing fiber"], brain_region=["cerebellum"], domain="Axon")
    assert PLAIN.caption(record, None, "detailed").text == "a rat climbing fiber from the cerebellum"


@pytest.mark.parametrize("domain", ["Soma, Axon, No Dendrites", "Dendrites, Soma, Axon", "Neurites, Soma"])
def test_neurites_of_one_code_beside_a_soma_prove_no_missing_dendrites(domain: str) -> None:
    record = archived(species="C. elegans", cell_type=["interneuron"], domain=domain)
    measures = {"axon_cable_length": 400.0, "basal_cable_length": 0.0, "apical_cable_length": 0.0, "soma_radius": 1.5}
    assert PLAIN.caption(record, measures, "detailed").text == "a C. elegans interneuron"


def test_an_axon_that_the_file_holds_is_not_called_untraced_whatever_the_source_says() -> None:
    record = archived(species="rat", domain="Dendrites, Soma, No Axon")
    measures = {"axon_cable_length": 400.0, "basal_cable_length": 0.0, "apical_cable_length": 0.0, "soma_radius": 5.0}
    assert PLAIN.caption(record, measures, "detailed").text == "a rat neuron"


@pytest.mark.parametrize(
    ("words", "region", "expected"),
    [
        (["granule", "interneuron"], ["main olfactory bulb"], "a mouse granule cell from the main olfactory bulb"),
        (["amacrine"], ["retina"], "a mouse amacrine cell from the retina"),
        (
            ["granule"],
            ["hippocampus", "dentate gyrus"],
            "a mouse granule cell from the dentate gyrus, traced without its axon",
        ),
    ],
)
def test_what_has_no_axon_is_not_traced_without_one(words: list[str], region: list[str], expected: str) -> None:
    record = archived(species="mouse", cell_type=words, brain_region=region, domain="Dendrites, Soma, No Axon")
    assert PLAIN.caption(record, None, "detailed").text == expected


APICAL = {"cable_length": 9000.0, "apical_cable_length": 2500.0, "basal_cable_length": 2000.0}


@pytest.mark.parametrize(
    ("words", "there"),
    [
        (["pyramidal", "principal cell"], True),
        (["principal cell"], True),
        (["spiny"], True),
        (["mitral"], True),
        (["granule", "interneuron"], True),
        (None, True),
        (["large basket cell", "interneuron"], False),
        (["Martinotti"], False),
        (["interneuron"], False),
        (["aspiny"], False),
        (["Purkinje", "principal cell"], False),
        (["ganglion", "principal cell"], False),
        (["motoneuron"], False),
        (["Spiny", "stellate", "principal cell"], False),
        (["microglia", "Glia"], False),
    ],
)
def test_only_cells_that_have_an_apical_dendrite_are_said_to(words: list[str] | None, there: bool) -> None:
    record = archived(species="rat", cell_type=words)
    captions = [PLAIN.caption(record, APICAL, "detailed").text, *drawn(record, APICAL)]
    assert ("apical" in captions[0]) is there
    assert any("apical" in text for text in captions) is there


def drawn(record: NeuronRecord, measures: dict[str, Any] | None, epochs: int = 60) -> set[str]:
    return {NeuronTextGenerator(BINS).draw(record, measures, 0, epoch).text for epoch in range(epochs)}


def test_what_is_measured_of_an_axon_alone_is_said_of_the_axon() -> None:
    record = archived(species="rat", cell_type=["sensory"], domain="No Dendrites, No Soma, Axon")
    measures = {
        **{"cable_length": 9000.0, "n_branch_points": 450, "soma_radius": None},
        **{"axon_cable_length": 9000.0, "basal_cable_length": 0.0, "apical_cable_length": 0.0},
    }
    captions = NeuronTextGenerator(BINS).captions(record, measures)
    assert captions["detailed"].text == (
        "the large, densely branched axon of a rat sensory neuron, traced without its soma and dendrites"
    )
    assert captions["morphometric"].text == (
        "the axon of a rat sensory neuron, with 450 branch points and a total length of 9 mm"
    )
    whole = archived(species="rat", cell_type=["sensory"], domain="Dendrites, Soma, Axon")
    assert not true_of(captions["morphometric"], PLAIN.facts(whole, measures | {"basal_cable_length": 50.0}))


def test_spines_are_of_dendrites_that_are_there() -> None:
    record = patched(species="mouse", cell_type="sparsely spiny")
    axon = {"axon_cable_length": 900.0, "basal_cable_length": 0.0, "apical_cable_length": 0.0, "soma_radius": 5.0}
    assert "dendrites" not in PLAIN.caption(record, axon, "detailed").text
    assert "with sparsely spiny dendrites" in PLAIN.caption(record, None, "detailed").text


@pytest.mark.parametrize(
    ("words", "region", "expected"),
    [
        (["horizontal", "interneuron"], ["retina"], "a rat horizontal cell from the retina"),
        (["horizontal", "principal cell"], ["neocortex"], "a rat horizontal neuron from the neocortex"),
        (["rod bipolar"], ["retina"], "a rat rod bipolar cell from the retina"),
        (["bipolar", "interneuron"], ["neocortex"], "a rat bipolar neuron from the neocortex"),
        (["T4", "T cell (T1-T4)"], ["optic lobe"], "a rat T4 neuron from the optic lobe"),
        (
            ["dendritic arborization (da)", "Class IV"],
            ["body wall"],
            "a rat class IV dendritic arborization neuron from the body wall",
        ),
        (["von Economo"], ["neocortex"], "a rat von Economo neuron from the neocortex"),
        (["interneuron"], ["tectum", "optic tectum"], "a rat interneuron from the optic tectum"),
        (
            ["granule"],
            ["cerebellum", "granule layer"],
            "a rat granule cell from the granule cell layer of the cerebellum",
        ),
    ],
)
def test_words_of_the_field_are_used_as_the_field_does(words: list[str], region: list[str], expected: str) -> None:
    record = archived(species="rat", cell_type=words, brain_region=region)
    assert PLAIN.caption(record, None, "detailed").text == expected


@pytest.mark.parametrize("word", ["錐体細胞", "пирамидный", "πυραμιδικός", "عصبون"])
@pytest.mark.parametrize("field", ["species", "region", "cell_type", "t_type", "strain", "markers"])
def test_labels_in_other_scripts_stay_in_the_record_and_out_of_captions(word: str, field: str) -> None:
    record = patched(**{"species": "rat", "cell_type": "basket", field: word})
    kept = [getattr(record, name) for name in ("species", "region", "modifiers", "t_type", "strain", "markers")]
    assert word in str(kept)
    for text in [*(caption.text for caption in PLAIN.captions(record).values()), *drawn(record, None)]:
        assert text.isascii()
        assert text.startswith("a ")


def test_labels_in_another_language_are_kept_as_they_are_and_letters_have_one_form() -> None:
    record = patched(species="Maus", cell_type="Körnerzelle", region="Riechkolben")
    assert (record.species, record.modifiers, record.region) == ("Maus", ("körnerzelle",), ("riechkolben",))
    decomposed = patched(cell_type="Mu\N{COMBINING DIAERESIS}ller")
    assert PLAIN.caption(decomposed, None, "standard").text == "a Müller cell"
    greek = patched(species="cat", cell_type="α ganglion")
    assert PLAIN.caption(greek, None, "detailed").text == "a cat α ganglion cell"


@pytest.mark.parametrize("field", ["species", "region", "cell_type", "t_type", "strain", "markers", "modifiers"])
@pytest.mark.parametrize("secret", ["Quux-77b", "the Quux_77b type", "Zebedee Lab", "zebedee-lab mouse"])
def test_a_name_in_any_column_stays_out_of_captions(field: str, secret: str) -> None:
    value = {"species": "rat", "cell_type": "pyramidal", "archive": "Zebedee_Lab", field: secret}
    record = record_of(value, "4", "quux-77B.CNG.swc")
    for text in [*(caption.text for caption in PLAIN.captions(record).values()), *drawn(record, None)]:
        assert "quux" not in text.casefold()
        assert "zebedee" not in text.casefold()


def test_a_file_that_is_called_like_a_word_of_the_field_silences_no_word() -> None:
    record = record_of({"species": "rat", "cell_type": "pyramidal", "archive": "spiny"}, "rat", "pyramidal.swc")
    assert PLAIN.caption(record, None, "standard").text == "a rat pyramidal neuron"


def test_which_parts_are_there_does_not_depend_on_the_units() -> None:
    record = archived(species="rat", cell_type=["pyramidal"], domain="Dendrites, Soma, Axon")
    lengths = {"axon_cable_length": 0.0, "basal_cable_length": 9e5, "apical_cable_length": 0.0, "soma_radius": 700.0}
    measures = {"cable_length": 9e5, "n_stems": 4, **lengths, "warnings": ["suspicious_units"]}
    assert PLAIN.caption(record, measures, "detailed").text == "a rat pyramidal neuron, traced without its axon"
    human = patched(species="human", cell_type="spiny", apical_status="intact")
    assert PLAIN.caption(human, measures, "detailed").text == "a human spiny neuron, traced without its axon"
