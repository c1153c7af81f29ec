"""The captions that retrieval ranks: one fixed caption a neuron and level, each different text once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from axonet.evaluation.data import Array, Ints, Neurons
from axonet.evaluation.retrieval import CaptionLevel
from axonet.metadata.captions import NeuronTextGenerator
from axonet.metadata.claims import LEVELS, Caption, Facts, entailment_mask

EmbedText = Callable[[Sequence[str]], npt.NDArray[np.floating]]


def caption_levels(
    generator: NeuronTextGenerator, neurons: Neurons, chosen: Ints, embed: EmbedText
) -> list[CaptionLevel]:
    """Captions of the judged neurons at every level, with their vectors.

    Args:
        generator: with the bins that the model was trained with.
        neurons: judged ones first.
        chosen: indices of those that get captions.
        embed: sentences to ``(n, d)`` unit vectors.

    Returns:
        One entry a level; empty when no judged neuron has metadata.
    """
    known = [int(i) for i in chosen if neurons.records[i] is not None]
    if not known:
        return []
    own: dict[str, list[Caption]] = {level: [] for level in LEVELS}
    facts: list[Facts] = []
    for index in known:
        record, measures = neurons.records[index], neurons.measures[index]
        assert record is not None
        facts.append(generator.facts(record, measures))
        for level, caption in generator.captions(record, measures).items():
            own[level].append(caption)
    vectors = _embed_once([caption.text for captions in own.values() for caption in captions], embed)
    return [_level(level, own[level], facts, known, len(neurons), vectors) for level in LEVELS]


def _embed_once(texts: Sequence[str], embed: EmbedText) -> dict[str, Array]:
    unique = sorted(set(texts))
    return dict(zip(unique, np.asarray(embed(unique), dtype=np.float64), strict=True))


def _level(
    level: str,
    captions: Sequence[Caption],
    facts: Sequence[Facts],
    known: Sequence[int],
    n_neurons: int,
    vectors: dict[str, Array],
) -> CaptionLevel:
    first = {caption.text: caption for caption in reversed(captions)}
    texts = sorted(first)
    place = {text: index for index, text in enumerate(texts)}
    answer = np.full(n_neurons, -1, dtype=np.int64)
    answer[list(known)] = [place[caption.text] for caption in captions]
    rows = np.full(n_neurons, -1, dtype=np.int64)
    rows[list(known)] = np.arange(len(known))
    true = np.ascontiguousarray(entailment_mask([first[text] for text in texts], facts).T)
    return CaptionLevel(level, tuple(texts), np.stack([vectors[text] for text in texts]), answer, true, rows)
