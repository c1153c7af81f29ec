from __future__ import annotations

import pytest

from axonet.metadata.grammar import counted, indefinite, joined, length_text, spoken_length


@pytest.mark.parametrize(
    "phrase",
    """axolotl|MSN|L5 cell|8-armed cell|11-day rat|18|80|interneuron|aspiny neuron|unbranched cell|unidentified cell
    unmyelinated axon|hour|honest|Sst-expressing|Ntsr1-Cre|Scnn1a|Mi1|AVA|X cell|nNOS-positive|mPFC|O-LM cell|old rat
    Aplysia neuron|African wild dog|NPY-positive|MTG|R8|inverted|Iba1-positive|amacrine cell|unimpaired""".replace(
        "\n", "|"
    ).split("|"),
)
def test_an_goes_before_a_vowel_sound(phrase: str) -> None:
    assert indefinite(phrase.strip()) == f"an {phrase.strip()}"


@pytest.mark.parametrize(
    "phrase",
    """unipolar brush cell|uniglomerular neuron|unidirectional|unimodal|one-eyed|European|urodele|ubiquitous|usual|human
    Vip-expressing|Pvalb-expressing|Lamp5|VISp|T4|Y cell|C. elegans|C57BL/6 mouse|Xenopus laevis neuron|young rat|T cell
    110|1100|Dm8|Purkinje cell|GABAergic|zebrafish|PV-positive|VIP-positive|C2|UBC|horizontal cell""".replace(
        "\n", "|"
    ).split("|"),
)
def test_a_goes_before_a_consonant_sound(phrase: str) -> None:
    assert indefinite(phrase.strip()) == f"a {phrase.strip()}"


def test_lists_have_an_and_before_the_last() -> None:
    assert [joined(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_counts_agree_with_their_noun() -> None:
    assert counted(1, "branch point") == "one branch point"
    assert counted(127, "branch point") == "127 branch points"
    assert counted(2, "primary process", "primary processes") == "2 primary processes"
    assert counted(0, "tip") == "no tips"


@pytest.mark.parametrize(
    ("micrometers", "text"),
    [
        (1.2, "1 µm"),
        (812.4, "812 µm"),
        (999.4, "999 µm"),
        (999.6, "1 mm"),
        (1058, "1.06 mm"),
        (4204, "4.2 mm"),
        (4267.38, "4.27 mm"),
        (9994, "9.99 mm"),
        (9996, "10 mm"),
        (17_940, "17.9 mm"),
        (100_000, "100 mm"),
        (120_034, "120 mm"),
    ],
)
def test_lengths_have_the_unit_and_the_digits_of_speech(micrometers: float, text: str) -> None:
    assert length_text(micrometers) == text


@pytest.mark.parametrize("micrometers", [3.3, 812.4, 1058, 4267.38, 17_940, 120_034])
def test_a_spoken_length_is_close_and_speaks_the_same(micrometers: float) -> None:
    assert spoken_length(micrometers) == pytest.approx(micrometers, rel=0.1)
    assert length_text(spoken_length(micrometers)) == length_text(micrometers)
