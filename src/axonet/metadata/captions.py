"""Captions of neurons at four levels, from what the records say and what the shapes measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from axonet.core.errors import UserError
from axonet.core.seeds import rng
from axonet.metadata import claims
from axonet.metadata.choice import Choice, pick
from axonet.metadata.claims import LEVELS, Caption, Facts, Level
from axonet.metadata.record import NeuronRecord
from axonet.metadata.sentence import Sentence
from axonet.metadata.shape import Bins, Measures, Shape
from axonet.metadata.speak import Speaker
from axonet.metadata.speakable import spoken_part

if TYPE_CHECKING:
    import numpy as np

FORMAT = 1

# How often each level is drawn.
LEVEL_WEIGHTS: Final[Mapping[Level, float]] = {"broad": 0.1, "standard": 0.3, "detailed": 0.4, "morphometric": 0.2}


class NeuronTextGenerator:
    """Makes captions.

    A fitted generator knows from which size on neurons of its training set are called large. An unfitted one says the
    same, without such adjectives. Nothing else is learned.

    Args:
        bins: where the words of size begin; see :meth:`fit`.
    """

    def __init__(self, bins: Bins | None = None) -> None:
        self.bins = bins if bins is not None else Bins({})

    @classmethod
    def fit(cls, records: Iterable[NeuronRecord], measures: Mapping[str, Measures]) -> NeuronTextGenerator:
        """A generator whose size words are quartiles of these neurons; give it the training neurons only.

        Args:
            records: of the training neurons.
            measures: morphometrics by ``neuron_id`` of the record (``source:id``), or by its ``id``.
        """
        found = (measures.get(record.neuron_id, measures.get(record.id)) for record in records)
        return cls(Bins.fit([row for row in found if row is not None]))

    def to_json(self) -> dict[str, Any]:
        """The state as plain values, for a checkpoint."""
        return {"format": FORMAT, "bins": self.bins.to_json()}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> NeuronTextGenerator:
        """A generator from its state.

        Raises:
            UserError: a state of another format.
        """
        if state.get("format") != FORMAT:
            raise UserError(f"captions of format {state.get('format')!r}; this version reads format {FORMAT}")
        return cls(Bins.from_json(state["bins"]))

    def facts(self, record: NeuronRecord, measures: Measures | None = None) -> Facts:
        """What captions of this generator may claim of a neuron."""
        return claims.facts(record, measures, self.bins)

    def caption(self, record: NeuronRecord, measures: Measures | None, level: Level) -> Caption:
        """The one fixed caption of a neuron at a level, for evaluation.

        Raises:
            ValueError: no such level.
        """
        return self._speak(record, measures, level, Choice(None))

    def captions(self, record: NeuronRecord, measures: Measures | None = None) -> dict[Level, Caption]:
        """The fixed captions of a neuron at all levels."""
        return {level: self.caption(record, measures, level) for level in LEVELS}

    def draw(
        self,
        record: NeuronRecord,
        measures: Measures | None,
        seed: int,
        epoch: int,
        level: Level | None = None,
        levels: Sequence[Level] = LEVELS,
    ) -> Caption:
        """A caption for training: level by weight unless one is given, details at random.

        It depends on seed, neuron, epoch and levels only, so that reruns and workers agree.
        """
        stream = rng(seed, "caption", record.neuron_id, epoch)
        drawn = draw_level(stream, levels)
        return self._speak(record, measures, drawn if level is None else level, Choice(stream))

    def _speak(self, record: NeuronRecord, measures: Measures | None, level: Level, choice: Choice) -> Caption:
        if level not in LEVEL_WEIGHTS:
            raise ValueError(f"no caption level {level!r}; there are {', '.join(LEVELS)}")
        speaker = Speaker(spoken_part(record), Shape.of(measures), self.bins, choice)
        sentence: Sentence = getattr(speaker, level)()
        return Caption(sentence.text(), level, sentence.claims, sentence.phrases)


def draw_level(stream: np.random.Generator, levels: Sequence[Level] = LEVELS) -> Level:
    """A level, by :data:`LEVEL_WEIGHTS`; another one is drawn until it is among ``levels``.

    So leaving a level out changes no caption that was of another.

    Raises:
        ValueError: no levels.
    """
    if not levels:
        raise ValueError("no caption levels to draw from")
    while True:
        level = pick(stream, tuple(LEVEL_WEIGHTS), tuple(LEVEL_WEIGHTS.values()))
        if level in levels:
            return level
