"""Words of a batch: captions of this epoch, their vectors, and which of them are true of which neuron."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from axonet.learning.clip_neurons import Neurons
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.claims import LEVELS, Caption, Level, entailment_mask
from axonet.models.text import TextEncoder

FloatArray = npt.NDArray[np.float32]

CACHED_TEXTS = 200_000


class TextVectors:
    """Vectors of texts by a frozen encoder; each text is encoded once, as long as there is room.

    Args:
        encoder: the text encoder.
        limit: texts that are remembered.
    """

    def __init__(self, encoder: TextEncoder, limit: int = CACHED_TEXTS) -> None:
        self.encoder = encoder
        self.limit = limit
        self.known: dict[str, FloatArray] = {}

    def __call__(self, texts: Sequence[str]) -> FloatArray:
        """``(n, t)`` vectors of the texts."""
        new = sorted(set(texts) - self.known.keys())
        if len(self.known) + len(new) > self.limit:
            self.known, new = {}, sorted(set(texts))
        if new:
            self.known.update(zip(new, self.encoder.encode(new), strict=True))
        if not texts:
            return np.zeros((0, self.encoder.dim), np.float32)
        return np.stack([self.known[text] for text in texts])


class NeuronCaptions:
    """What can be said of some neurons.

    Args:
        neurons: whose.
        generator: with bins that were fitted on the training neurons.
        seed: names the random streams of drawn captions.
        levels: of the drawn captions.
    """

    def __init__(
        self, neurons: Neurons, generator: NeuronTextGenerator, seed: int, levels: Sequence[Level] = LEVELS
    ) -> None:
        self.neurons = neurons
        self.generator = generator
        self.seed = seed
        self.levels = levels
        pairs = zip(neurons.records, neurons.measures, strict=True)
        self.facts = [generator.facts(record, measured) for record, measured in pairs]

    def draw(self, chosen: Sequence[int], epoch: int) -> list[Caption]:
        """One caption for each of these neurons, as drawn in this epoch."""
        known = self.neurons
        return [
            self.generator.draw(known.records[i], known.measures[i], self.seed, epoch, levels=self.levels)
            for i in chosen
        ]

    def fixed(self, level: Level) -> list[str]:
        """The fixed caption of every neuron at a level."""
        pairs = zip(self.neurons.records, self.neurons.measures, strict=True)
        return [self.generator.caption(record, measured, level).text for record, measured in pairs]

    def true_of(self, captions: Sequence[Caption], chosen: Sequence[int]) -> npt.NDArray[np.bool_]:
        """``(b, b)``: whether caption ``j`` is true of neuron ``chosen[i]``, decided from claims."""
        return entailment_mask(captions, [self.facts[i] for i in chosen]).T
