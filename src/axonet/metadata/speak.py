"""What is said at each level: from a record and a shape to the pieces of a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from axonet.metadata.choice import Choice
from axonet.metadata.claims import SEPARATOR, apical_facts, kind, untraced
from axonet.metadata.figures import figures
from axonet.metadata.grammar import indefinite, joined
from axonet.metadata.normalize import gene_marker
from axonet.metadata.places import acronym, area_names, full_place, short_place
from axonet.metadata.record import NeuronRecord
from axonet.metadata.sentence import MOST_ADJECTIVES, Sentence
from axonet.metadata.shape import (
    APICAL_EXTENT,
    BRANCH_POINTS,
    BRANCHING,
    EXTENT,
    PROCESSES,
    SIZE,
    STEMS,
    Bins,
    Scale,
    Shape,
)
from axonet.metadata.vocabulary.cell_types import (
    CELL_TYPE_ALIASES,
    COARSE_NOUNS,
    SIGN_MODIFIERS,
    SILENT_MODIFIERS,
    SPARSELY_SPINY,
    SPOKEN_MODIFIERS,
    noun_of,
)
from axonet.metadata.vocabulary.markers import is_driver, marker_key
from axonet.metadata.vocabulary.words import CONDITION_CLAUSES, STAGES

_BROAD_WEIGHTS = {"species": 0.6, "type": 0.3, "place": 0.1}
_SIZE_MODIFIERS = frozenset(("large", "small", "giant", "dwarf"))
_SIZED_TYPES = frozenset(("basket",))  # a large basket cell is a type, however large it is
_SHORT_STRAIN = re.compile(r"^[A-Za-z][\w/.-]*(?: [\w/.-]+)?$")
_MOST_MODIFIER_WORDS = 3


@dataclass(slots=True)
class Speaker:
    """Says what is known of one neuron, at one level at a time.

    Attributes:
        record: what the source says.
        shape: what was measured.
        bins: where the words of size begin.
        choice: which details are said.
    """

    record: NeuronRecord
    shape: Shape
    bins: Bins
    choice: Choice

    def broad(self) -> Sentence:
        """One fact: "a mouse neuron"; drawn ones also "a pyramidal neuron", "a neuron from the hippocampus"."""
        sentence = Sentence(kind(self.record))
        sentence.claim("kind", sentence.noun)
        place = short_place(self.record.region)
        known = {"species": self.record.species is not None, "type": self._has_type(), "place": place is not None}
        facts = ["species"] if self.choice.is_fixed else [fact for fact, there in known.items() if there]
        fact = self.choice.one(facts, [_BROAD_WEIGHTS[fact] for fact in facts]) if facts else "species"
        if fact == "type":
            self._say_type(sentence)
        elif fact == "place" and place is not None:
            sentence.name_place(place)
        else:
            self._say_species(sentence)
        return sentence

    def standard(self) -> Sentence:
        """Species, type and place: "a rat spiny stellate neuron from the barrel cortex"."""
        sentence = Sentence(kind(self.record))
        sentence.claim("kind", sentence.noun)
        if self.choice.wants("species") or not (self._has_type() or self.record.region):
            self._say_species(sentence)
        self._say_type(sentence)
        if self.choice.wants("modifier"):
            self._say_modifier(sentence, unknown_too=False)
        place = short_place(self.record.region)
        if place is not None and self.choice.wants("place"):
            sentence.name_place(place)
        return sentence

    def detailed(self) -> Sentence:
        """All that is said in words: size, markers, layer, dendrites, what was not traced."""
        sentence = Sentence(kind(self.record))
        sentence.claim("kind", sentence.noun)
        self._say_type(sentence)
        self._say_part(sentence)
        self._say_scale(sentence, SIZE, "size")
        self._say_scale(sentence, BRANCHING, "branching")
        if self.choice.wants("species") or not self._has_type():
            self._say_origin(sentence)
            self._say_species(sentence)
        self._say_marker(sentence)
        self._say_spines_or_modifier(sentence)
        self._say_feature(sentence)
        self._say_exact_place(sentence)
        self._say_condition(sentence)
        self._say_untraced(sentence)
        return sentence

    def morphometric(self) -> Sentence:
        """The Standard caption with figures; without any figure that can be relied on, the Detailed caption."""
        known = figures(self.shape)
        if not known:
            return self.detailed()
        sentence = self.standard()
        self._say_part(sentence)
        for figure in self.choice.some(known, fixed=3, least=1, most=3):
            if figure.is_unbranched:
                self._say_unbranched(sentence)
            else:
                sentence.figures.append(figure.text())
                sentence.claim(figure.name, figure.claim(), phrase=figure.text())
        return sentence

    def _has_type(self) -> bool:
        return self.record.cell_type is not None or self.record.cell_class is not None

    def _say_species(self, sentence: Sentence) -> None:
        if self.record.species is not None:
            sentence.species = self.record.species
            sentence.claim("species", self.record.species)

    def _say_type(self, sentence: Sentence) -> None:
        cell_type, cell_class = self.record.cell_type, self.record.cell_class
        if cell_type is not None:
            sentence.noun = noun_of(cell_type, area_names(self.record.region))
            sentence.claim("cell_type", cell_type, phrase=sentence.noun)
        elif cell_class is not None:
            sentence.noun = COARSE_NOUNS.get(cell_class, cell_class)
            sentence.claim("cell_class", cell_class, phrase=sentence.noun)

    def _say_modifier(self, sentence: Sentence, unknown_too: bool) -> None:
        skipped = SIGN_MODIFIERS if self._has_type() else frozenset()
        spoken = [word for word in self.record.modifiers if word.casefold() in SPOKEN_MODIFIERS - skipped]
        other = [word for word in self.record.modifiers if unknown_too and self._may_be_said(word)]
        word = next(iter((*spoken, *other)), None)
        if word is None:
            return
        sentence.type_words.append(word)
        sentence.claim("modifiers", word.casefold(), phrase=word)
        letter, _, rest = sentence.noun.partition(" ")
        if len(letter) == 1 and word.startswith(letter):  # "a T4 cell", not "a T4 T cell"
            sentence.noun = rest

    def _may_be_said(self, word: str) -> bool:
        """Whether an unknown word fits a caption: no hedge, no sentence."""
        key = word.casefold()
        if key in SILENT_MODIFIERS or key in SIGN_MODIFIERS or key in CELL_TYPE_ALIASES:
            return False
        return len(word.split(" ")) <= _MOST_MODIFIER_WORDS

    def _say_scale(self, sentence: Sentence, scale: Scale, detail: str) -> None:
        word = self.bins.word(scale, self.shape)
        if word not in (scale.low, scale.high) or not self.choice.wants(detail):
            return
        if scale is SIZE and (
            _SIZE_MODIFIERS.intersection(self.record.modifiers) or self.record.cell_type in _SIZED_TYPES
        ):
            return
        if scale is BRANCHING and self.shape.get(BRANCH_POINTS) == 0:
            self._say_unbranched(sentence)
            return
        sentence.shape_words.append(word)
        sentence.claim(scale.name, word)

    @staticmethod
    def _say_unbranched(sentence: Sentence) -> None:
        sentence.shape_words.append("unbranched")
        sentence.claim(BRANCH_POINTS, "0", phrase="unbranched")

    def _say_origin(self, sentence: Sentence) -> None:
        # "A large adult rat neuron" would make the rat large, so it is either the one or the other.
        if sentence.shape_words or self.record.species is None or not self.choice.wants("stage, sex, strain"):
            return
        strain = self.record.strain
        known = {
            "stage": self.record.stage if self.record.stage in STAGES else None,
            "sex": self.record.sex,
            "strain": strain if strain and _SHORT_STRAIN.match(strain) and self._may_be_said(strain) else None,
        }
        said = [(name, word) for name, word in known.items() if word is not None]
        for name, word in self.choice.some(said, fixed=0, least=1, most=MOST_ADJECTIVES):
            sentence.origin_words.append(word)
            sentence.claim(name, word)

    def _say_marker(self, sentence: Sentence) -> None:
        markers = [marker for marker in self.record.markers if not is_driver(marker) and self._may_be_said(marker)]
        drivers = [marker for marker in self.record.markers if is_driver(marker)]
        if markers and self.choice.wants("marker"):
            marker = self.choice.one(markers, [1.0] * len(markers))
            sentence.type_words.append(marker)
            sentence.claim("markers", marker_key(marker), phrase=marker)
        elif drivers and self.choice.wants("driver"):
            sentence.type_words.append(f"{drivers[0]}-labeled")
            sentence.claim("markers", marker_key(drivers[0]), phrase=sentence.type_words[-1])
        named = any(word in gene_marker(self.record.t_type) for word in sentence.type_words)
        if self.record.t_type is not None and not named and self.choice.wants("type name"):
            sentence.type_name = self.record.t_type
            sentence.claim("t_type", self.record.t_type)

    def _say_spines_or_modifier(self, sentence: Sentence) -> None:
        shown = self.shape.traced
        has_dendrites = shown is None or "dendrites" in shown
        if SPARSELY_SPINY in self.record.modifiers and has_dendrites and self.choice.wants("spines"):
            sentence.features.append(f"{SPARSELY_SPINY} dendrites")
            sentence.claim("modifiers", SPARSELY_SPINY, phrase=sentence.features[-1])
        elif self.choice.wants("modifier"):
            self._say_modifier(sentence, unknown_too=True)

    def _say_feature(self, sentence: Sentence) -> None:
        """The apical dendrite, or else how many processes leave the soma."""
        known = apical_facts(self.record, self.shape, self.bins)
        words = [word for word in ("intact", "truncated", APICAL_EXTENT.high) if word in known]
        if known and self.choice.wants("apical"):
            word = self.choice.one(words, [1.0] * len(words)) if words else None
            sentence.features.append(indefinite(f"{word} apical dendrite" if word else "apical dendrite"))
            values = ("present",) if word is None else ("present", word)
            sentence.claim("apical", *values, phrase=sentence.features[-1])
        elif not known and self.shape.get(STEMS) == 1 and self.choice.wants("single process"):
            self._say_single_process(sentence)
        elif not known:
            self._say_processes(sentence)
            return
        sentence.aside = bool(sentence.features) and not sentence.features[-1].startswith(SPARSELY_SPINY)

    def _say_single_process(self, sentence: Sentence) -> None:
        # Where the only stem has dendrites it is one, even if the axon leaves from it.
        shown = self.shape.traced
        what = "dendrite" if shown is not None and "dendrites" in shown else "process"
        # A dendrite with little reach but much cable, such as a Purkinje cell's, is not a short one.
        short = self.bins.word(EXTENT, self.shape) == EXTENT.low and self.bins.word(SIZE, self.shape) in (
            None,
            SIZE.low,
        )
        sentence.features.append(f"a single {'short' if short else 'primary'} {what}")
        sentence.claim(STEMS, "1", phrase=sentence.features[-1])
        if short:
            sentence.claim(EXTENT.name, EXTENT.low)

    def _say_processes(self, sentence: Sentence) -> None:
        word = self.bins.word(PROCESSES, self.shape)
        if word not in (PROCESSES.low, PROCESSES.high) or self.shape.get(STEMS) == 1:  # one is not "few"
            return
        if self.choice.wants("few or many processes"):
            sentence.features.append(f"{word} primary processes")
            sentence.claim(PROCESSES.name, word, phrase=sentence.features[-1])
            sentence.aside = True

    def _say_exact_place(self, sentence: Sentence) -> None:
        exact = self.choice.wants("exact place")
        place = full_place(self.record.region, self.record.layer) if exact else short_place(self.record.region)
        if place is None:
            return
        # With an apical dendrite the sentence is long, and the source's acronym keeps it in one breath.
        short = acronym(self.record.region) if self.record.cell_type and "apical" in sentence.claims else None
        sentence.name_place(place, short)

    def _say_condition(self, sentence: Sentence) -> None:
        clause = CONDITION_CLAUSES.get((self.record.condition or "").casefold())
        if clause is not None and self.record.species != "human" and self.choice.wants("condition"):
            sentence.condition = clause
            sentence.claim("condition", (self.record.condition or "").casefold(), phrase=clause)

    def _say_untraced(self, sentence: Sentence) -> None:
        missing = untraced(self.record, self.shape)
        if missing and self.choice.wants("untraced"):
            sentence.untraced = tuple(part for part in ("soma", "axon", "dendrites") if part in missing)
            sentence.claims["untraced"] = SEPARATOR.join(sentence.untraced)
            sentence.phrases["untraced"] = f"traced without its {joined(sentence.untraced)}"

    def _say_part(self, sentence: Sentence) -> None:
        """What is measured of a picture that shows an axon alone is true of the axon, not of the cell."""
        if untraced(self.record, self.shape) == frozenset(("soma", "dendrites")):
            sentence.part = "axon"
            sentence.claims["untraced"] = SEPARATOR.join(("soma", "dendrites"))
            sentence.phrases["untraced"] = "the axon of"
