from __future__ import annotations

import pytest

from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.prompts import noun_phrase, prompt, prompts
from axonet.metadata.vocabulary.cell_types import CELL_TYPES

from .examples import archived


@pytest.mark.parametrize(
    ("label", "field", "expected"),
    [
        ("pyramidal", "cell_type", "a pyramidal neuron"),
        ("Purkinje cell", "cell_type", "a Purkinje cell"),
        ("interneuron", "cell_type", "an interneuron"),
        ("unipolar brush cell", "cell_type", "a unipolar brush cell"),
        ("microglia", "cell_type", "a microglial cell"),
        ("sensory", "cell_class", "a sensory neuron"),
        ("L5 thick-tufted pyramidal cell", "cell_type", "an L5 thick-tufted pyramidal cell"),
        ("wobbly", "cell_type", "a wobbly neuron"),
        ("Axolotl", "species", "an axolotl neuron"),
        ("hippocampus", "region", "a neuron from the hippocampus"),
        ("VISp", "region", "a neuron from the primary visual cortex"),
        ("CA1", "region", "a neuron from area CA1 of the hippocampus"),
        ("2/3", "layer", "a neuron from layer 2/3"),
        ("2-3", "layer", "a neuron from layers 2–3"),
    ],
)
def test_the_template_has_article_and_head_noun(label: str, field: str, expected: str) -> None:
    assert prompt(label, field) == expected
    assert prompts(label, field)[0] == expected


@pytest.mark.parametrize("word", sorted(CELL_TYPES))
def test_the_prompt_of_a_class_is_the_caption_of_a_neuron_of_it(word: str) -> None:
    record = archived(cell_type=[word])
    assert record.label is not None
    assert prompt(record.label) == NeuronTextGenerator().caption(record, None, "standard").text


@pytest.mark.parametrize("field", ["cell_type", "species", "region", "layer"])
def test_an_ensemble_has_several_sentences(field: str) -> None:
    sentences = prompts({"layer": "5"}.get(field, "mouse"), field)
    assert len(set(sentences)) == len(sentences) >= 4
    assert all("  " not in sentence for sentence in sentences)


def test_a_noun_phrase_is_not_doubled() -> None:
    for word in CELL_TYPES:
        assert noun_phrase(noun_phrase(word)) == noun_phrase(word)


@pytest.mark.parametrize(("label", "field"), [("", "cell_type"), ("Not reported", "species"), ("rat", "color")])
def test_there_is_no_prompt_for_nothing(label: str, field: str) -> None:
    with pytest.raises(ValueError, match=r"no label|no prompts"):
        prompt(label, field)
