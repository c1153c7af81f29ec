"""How well neurons find their captions: what selects the best epoch of Stage 2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from axonet.core.seeds import rng
from axonet.learning.clip_captions import NeuronCaptions, TextVectors
from axonet.metadata.captions import LEVEL_WEIGHTS
from axonet.metadata.claims import LEVELS, Caption, Level
from axonet.metrics.ranks import first_hit_ranks

FloatArray = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

QUERIES_AT_ONCE = 1024


@dataclass(frozen=True)
class Candidates:
    """The distinct captions of a level, and which of them is each neuron's own.

    Attributes:
        vectors: ``(c, t)`` vectors of the text encoder.
        answer: ``(n,)`` index of each neuron's caption.
    """

    vectors: FloatArray
    answer: Indices


@dataclass(frozen=True)
class LossBatch:
    """Validation neurons with drawn captions, the same in every epoch.

    Attributes:
        neuron: ``(b,)`` which neurons.
        vectors: ``(b, t)`` vectors of their captions.
        true_of: ``(b, b)`` whether caption ``j`` is true of neuron ``i``.
    """

    neuron: Indices
    vectors: FloatArray
    true_of: npt.NDArray[np.bool_]


class ValidationWords:
    """Fixed captions of the validation neurons.

    Args:
        captions: of the validation neurons.
        text: the text encoder.
        batch_size: neurons per batch of the validation loss, as in training.
        seed: names the random stream that makes these batches.
    """

    def __init__(self, captions: NeuronCaptions, text: TextVectors, batch_size: int, seed: int) -> None:
        self.n_neurons = len(captions.neurons)
        self.candidates: dict[Level, Candidates] = {
            level: distinct_captions(captions.fixed(level), text) for level in LEVELS
        }
        self.loss_batches = list(_loss_batches(captions, text, batch_size, seed))


def distinct_captions(texts: Sequence[str], text: TextVectors) -> Candidates:
    """The distinct ones of some captions as candidates; a caption that many neurons share is one of them."""
    unique, answer = np.unique(np.asarray(texts, dtype=np.str_), return_inverse=True)
    return Candidates(text([str(caption) for caption in unique]), answer.astype(np.int64))


def mean_reciprocal_rank(image: FloatArray, candidates: FloatArray, answer: Indices) -> float:
    """Mean over neurons of one over the rank of their own caption among the distinct ones; ties count against us.

    Args:
        image: ``(n, d)`` unit vectors of neurons.
        candidates: ``(c, d)`` unit vectors of captions.
        answer: ``(n,)`` index of the right one.
    """
    total = 0.0
    for start in range(0, len(image), QUERIES_AT_ONCE):
        part = slice(start, start + QUERIES_AT_ONCE)
        relevant = answer[part, None] == np.arange(len(candidates))
        total += float((1.0 / first_hit_ranks(image[part] @ candidates.T, relevant)).sum())
    return total / len(image)


def weighted_over_levels(values: dict[Level, float]) -> float:
    """Mean of a value over caption levels, weighted as captions are drawn in training."""
    total = sum(LEVEL_WEIGHTS[level] for level in values)
    return sum(LEVEL_WEIGHTS[level] * value for level, value in values.items()) / total


def _loss_batches(captions: NeuronCaptions, text: TextVectors, batch_size: int, seed: int) -> Iterator[LossBatch]:
    n_neurons = len(captions.neurons)
    order = rng(seed, "clip validation").permutation(n_neurons)
    for part in np.array_split(order, -(-n_neurons // batch_size)):
        chosen = [int(neuron) for neuron in part]
        drawn: list[Caption] = captions.draw(chosen, epoch=0)
        yield LossBatch(part, text([caption.text for caption in drawn]), captions.true_of(drawn, chosen))
