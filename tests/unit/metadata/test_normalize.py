from __future__ import annotations

import subprocess
import sys

import pytest

from axonet.metadata.normalize import cell_words, layer_name, listed, region_words, traced_words
from axonet.metadata.places import acronym, area_names, full_place, short_place
from axonet.metadata.vocabulary.regions import ACRONYMS, AREAS, ancestors, find_area
from axonet.metadata.vocabulary.species import SPECIES, species_name
from axonet.metadata.vocabulary.words import plain_case


@pytest.mark.parametrize(
    ("words", "cell_class", "cell_type", "modifiers", "markers"),
    [
        (["Spiny", "stellate", "principal cell"], "principal cell", "stellate", ("spiny",), ()),
        (["medium spiny neuron", "D1 (direct pathway)"], "principal cell", "medium spiny", ("D1",), ()),
        (["interneuron", "fast-spiking basket"], "interneuron", "basket", ("fast-spiking",), ()),
        (["corticothalamic pyramidal", "pyramidal"], "principal cell", "pyramidal", ("corticothalamic",), ()),
        (["multipolar", "basket"], "interneuron", "basket", ("multipolar",), ()),
        (["motor", "DB class"], None, "motoneuron", ("DB",), ()),
        (["T4", "T cell (T1-T4)"], None, "T cell", ("T4",), ()),
        (["putative sensory", "somatic", "principal cell"], "sensory", None, ("putative", "somatic"), ()),
        (["PV", "interneuron"], "interneuron", None, (), ("parvalbumin-positive",)),
        (["Calretinin (CR)-positive"], None, None, (), ("calretinin-positive",)),
        (["PV+", "GAD67-negative"], None, None, (), ("parvalbumin-positive", "GAD67-negative")),
        (["L4 excitatory, Nr5a1-Cre"], None, None, ("excitatory",), ("Nr5a1-Cre",)),
        (["unknown Tm-5"], None, None, (), ()),
        (["GABAergic", "Ring", "AVA"], None, None, ("GABAergic", "ring", "AVA"), ()),
        (["NeurUnkFunc", "URB"], None, None, ("URB",), ()),
    ],
)
def test_words_are_sorted_by_rank(
    words: list[str],
    cell_class: str | None,
    cell_type: str | None,
    modifiers: tuple[str, ...],
    markers: tuple[str, ...],
) -> None:
    found = cell_words(tuple(words))
    assert (found.cell_class, found.cell_type) == (cell_class, cell_type)
    assert (found.modifiers, found.markers) == (modifiers, markers)


@pytest.mark.parametrize("words", [["Spiny", "stellate", "principal cell"], ["large basket", "basket", "interneuron"]])
def test_the_position_of_a_word_means_nothing(words: list[str]) -> None:
    assert cell_words(tuple(words)) == cell_words(tuple(reversed(words)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("layer 2-3", "2-3"),
        ("Layer II/III", "2/3"),
        ("VI", "6"),
        ("6a", "6a"),
        (5.0, "5"),
        (5, "5"),
        ("layers 2–3", "2-3"),
        ("L5", "5"),
        ("granule layer", None),
        ("stratum oriens", None),
        ("", None),
        (float("nan"), None),
    ],
)
def test_layers_are_written_one_way(text: object, expected: str | None) -> None:
    assert layer_name(text) == expected


@pytest.mark.parametrize(
    ("path", "region", "layer"),
    [
        (["neocortex", "prefrontal", "layer 3"], ("neocortex", "prefrontal"), "3"),
        (["VISp2/3"], ("neocortex", "VISp"), "2/3"),
        (["brain", "MOs5"], ("neocortex", "MOs"), "5"),
        (["Left Adult Central Complex"], ("central complex",), None),
        (["nervous system", "somatic"], ("somatic nervous system",), None),
        (["whole nervous system"], ("whole nervous system",), None),
        (["neocortex", "primary visual (VISp)", "layer 4"], ("neocortex", "primary visual"), "4"),
        (["Visual cortex"], ("neocortex", "visual"), None),
        (["retina", "retina"], ("retina",), None),
    ],
)
def test_regions_are_named_areas_without_layers(path: list[str], region: tuple[str, ...], layer: str | None) -> None:
    found = region_words(tuple(path))
    assert (found.region, found.layer) == (region, layer)
    assert region_words(found.region).region == region


@pytest.mark.parametrize(
    ("region", "short", "full"),
    [
        (("hippocampus", "CA1"), "the hippocampus", "area CA1 of the hippocampus"),
        (("CA1",), "the hippocampus", "area CA1 of the hippocampus"),
        (("hippocampus", "dentate gyrus"), "the dentate gyrus", "the dentate gyrus"),
        (("cerebellum", "cerebellar cortex"), "the cerebellum", "the cerebellar cortex"),
        (("optic lobe", "medulla"), "the optic lobe", "the medulla of the optic lobe"),
        (("amygdala", "basolateral"), "the amygdala", "the basolateral amygdala"),
        (("neocortex", "ectorhinal"), "the ectorhinal cortex", "the ectorhinal cortex"),
        (("hypothalamus", "lateral hypothalamic"), "the hypothalamus", "the lateral hypothalamic area"),
        (("striatum", "caudate putamen"), "the striatum", "the caudate putamen of the striatum"),
        (("basal ganglia", "area X"), "the basal ganglia", "area X of the basal ganglia"),
        (("spinal cord", "dorsal horn", "lamina II"), "the spinal cord", "lamina II of the dorsal horn"),
        (("antennal lobe", "glomerulus DL2"), "the antennal lobe", "glomerulus DL2 of the antennal lobe"),
        (("somatic nervous system",), "the somatic nervous system", "the somatic nervous system"),
        (("head blob",), "the head blob", "the head blob"),
    ],
)
def test_places_in_short_and_in_full(region: tuple[str, ...], short: str, full: str) -> None:
    near, exact = short_place(region), full_place(region, None)
    assert near is not None
    assert exact is not None
    assert (near.phrase, exact.phrase) == (short, full)
    assert area_names(region) >= {*near.areas, *exact.areas}


def test_a_whole_brain_is_no_place() -> None:
    assert short_place(("whole nervous system",)) is None
    assert full_place((), None) is None


def test_the_acronym_of_a_source_is_kept() -> None:
    assert acronym(("neocortex", "VISpm")) == "VISpm"
    assert acronym(("neocortex", "visual")) is None
    assert acronym(()) is None


def test_tables_of_areas_are_closed() -> None:
    for area in AREAS.values():
        assert set(ancestors(area)) <= set(AREAS)
    for name, (phrase, within) in ACRONYMS.items():
        assert within in AREAS
        found = find_area(name)
        assert found is not None
        assert found.phrase == phrase


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("Dendrites, Soma, Axon", ("soma", "axon", "dendrites")),
        ("Dendrites, Soma, No Axon", ("soma", "dendrites")),
        ("No Dendrites, No Soma, Axon", ("axon",)),
        ("Neurites, No Soma", ("neurites",)),
        ("soma, axon, (basal) dendrite, apical dendrite", ("soma", "axon", "dendrites")),
        ("axon [axon only]", ("axon",)),
        (["dendrites", "soma"], ("soma", "dendrites")),
        ("Not reported", ()),
        (None, ()),
    ],
)
def test_the_domain_says_what_was_traced(domain: object, expected: tuple[str, ...]) -> None:
    assert traced_words(domain) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Mus musculus", "mouse"),
        ("Homo Sapiens", "human"),
        ("drosophila melanogaster", "Drosophila melanogaster"),
        ("Steller's Sculpin", "Steller's sculpin"),
        ("Praying mantis (Rhombodera megaera)", "praying mantis"),
        ("C. elegans", "C. elegans"),
        ("Quux quuxii", "Quux quuxii"),
        ("Not reported", None),
    ],
)
def test_species_have_one_name(word: str, expected: str | None) -> None:
    assert species_name(word) == expected


@pytest.mark.parametrize("name", SPECIES)
def test_species_names_stay_when_read_again(name: str) -> None:
    assert species_name(name) == species_name(name.upper()) == name


def test_only_ordinary_words_lose_their_capital() -> None:
    assert plain_case("Large Martinotti AVA GABAergic D1") == "large Martinotti AVA GABAergic D1"


def test_lists_come_in_many_shapes() -> None:
    assert listed(["a", None, "Not reported", "b "]) == ("a", "b")
    assert listed("a | b|c") == ("a", "b", "c")
    assert listed(None) == listed(float("nan")) == listed([]) == ()
    assert listed(5) == ("5",)


def test_metadata_needs_no_heavy_package() -> None:
    code = (
        "import sys, axonet.metadata.captions, axonet.metadata.index, axonet.metadata.prompts\n"
        "import axonet.metadata.adapters\n"
        "print(sorted({'torch', 'sklearn', 'matplotlib', 'pandas', 'pyarrow', 'numba', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
