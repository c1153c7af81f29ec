"""The frame of a caption: where each piece of information stands in the noun phrase, and what it claims."""

from __future__ import annotations

from dataclasses import dataclass, field

from axonet.metadata.claims import SEPARATOR
from axonet.metadata.grammar import indefinite, joined
from axonet.metadata.places import Place, layer_phrase

MOST_ADJECTIVES = 2  # before the species


@dataclass(slots=True)
class Sentence:
    """Pieces of a caption, in the order in which they are spoken.

    Attributes:
        noun: head noun.
        shape_words: adjectives of shape, separated by commas: ``large, densely branched``.
        origin_words: stage, sex or strain, without commas: ``adult female``.
        species: as an attribute.
        place_words: a place in front of the noun: ``VISp layer 5``.
        type_words: marker or driver line, and modifier: ``parvalbumin-positive``, ``Cux2-CreERT2-labeled``, ``spiny``.
        type_name: name of a transcriptomic type.
        features: what belongs to the cell, said with "with": ``sparsely spiny dendrites``.
        aside: whether a comma separates the features from the place that follows.
        place: where it is from.
        figures: measurements, said with "with".
        condition: clause on the experiment.
        untraced: parts that were not traced.
        part: the part that the picture shows, if it is only one: ``axon``; then the shape is that of the part.
        claims: what the pieces claim.
        phrases: the words of each claim.
    """

    noun: str
    shape_words: list[str] = field(default_factory=list)
    origin_words: list[str] = field(default_factory=list)
    species: str | None = None
    place_words: str | None = None
    type_words: list[str] = field(default_factory=list)
    type_name: str | None = None
    features: list[str] = field(default_factory=list)
    aside: bool = False
    place: Place | None = None
    figures: list[str] = field(default_factory=list)
    condition: str | None = None
    untraced: tuple[str, ...] = ()
    part: str | None = None
    claims: dict[str, str] = field(default_factory=dict)
    phrases: dict[str, str] = field(default_factory=dict)

    def claim(self, name: str, *values: str, phrase: str | None = None) -> None:
        """Add values to what the caption claims in a field, said in a phrase (by default: the values themselves)."""
        self.phrases[name] = SEPARATOR.join(values) if phrase is None else phrase
        said = [self.claims[name]] if name in self.claims else []
        self.claims[name] = SEPARATOR.join([*said, *values])

    def name_place(self, place: Place, acronym: str | None = None) -> None:
        """Say where the neuron is from; with an acronym in front of the noun, which needs a layer to be readable."""
        if acronym is not None and place.layer is not None:
            self.place_words = f"{acronym} {layer_phrase(place.layer)}"
        else:
            self.place = place
        if place.areas:
            self.claim("region", *place.areas, phrase=self._area_words(place, acronym))
        if place.layer is not None:
            self.claim("layer", place.layer, phrase=layer_phrase(place.layer))

    def _area_words(self, place: Place, acronym: str | None) -> str:
        if self.place is None and acronym is not None:
            return acronym
        return place.phrase if place.layer is None else place.phrase.removeprefix(f"{layer_phrase(place.layer)} of ")

    def text(self) -> str:
        """The caption."""
        shape = ", ".join(self.shape_words)
        front = [*self.origin_words, self.species, self.place_words, *self.type_words, self.noun]
        if self.part is None:
            text = indefinite(_phrase(shape, *front))
        else:
            text = f"{_phrase('the', shape, self.part)} of {indefinite(_phrase(*front))}"
        if self.type_name is not None:
            text += f" of the {self.type_name} type"
        if self.features:
            text += f" with {joined(self.features)}"
        if self.place is not None:
            text += f"{',' if self.aside else ''} from {self.place.phrase}"
        if self.figures:
            joint = " and" if self.features and self.place is None else " with" if self.part is None else ", with"
            text += f"{joint} {joined(self.figures)}"
        if self.condition is not None:
            text += f" {self.condition}"
        if self.untraced:
            text += f", traced without its {joined(self.untraced)}"
        return text


def _phrase(*words: str | None) -> str:
    return " ".join(word for word in words if word)
