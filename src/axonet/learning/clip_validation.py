"""How well neurons find their captions and their class: what selects the best epoch of Stage 2."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from axonet.core.seeds import rng
from axonet.inference.abstention import Abstention, fit_abstention
from axonet.inference.pool import unit
from axonet.learning.clip_captions import NeuronCaptions
from axonet.learning.clip_neurons import Neurons
from axonet.metadata.captions import LEVEL_WEIGHTS
from axonet.metadata.claims import LEVELS, Caption, Level
from axonet.metadata.prompts import null_prompts, prompts
from axonet.metrics.classification import balanced_accuracy, confusion_counts
from axonet.metrics.ranks import first_hit_ranks

FloatArray = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
EmbedText = Callable[[Sequence[str]], FloatArray]

QUERIES_AT_ONCE = 1024
FEWEST_OF_A_CLASS = 2


@dataclass(frozen=True)
class Candidates:
    """The distinct captions of a level, and which of them is each neuron's own.

    Attributes:
        texts: ``c`` captions.
        answer: ``(n,)`` index of each neuron's caption.
    """

    texts: tuple[str, ...]
    answer: Indices


@dataclass(frozen=True)
class ClassWords:
    """The cell types of some neurons as prompts.

    Attributes:
        prompts: for each of ``c`` classes its prompts.
        truth: ``(n,)`` class of each neuron, -1 for none or one with too few neurons.
        groups: ``n`` what neurons share with others: donor, else publication, else archive.
    """

    prompts: tuple[tuple[str, ...], ...]
    truth: Indices
    groups: tuple[str, ...]


@dataclass(frozen=True)
class LossBatch:
    """Validation neurons with drawn captions, the same in every epoch.

    Attributes:
        neuron: ``(b,)`` which neurons.
        texts: ``b`` their captions.
        true_of: ``(b, b)`` whether caption ``j`` is true of neuron ``i``.
    """

    neuron: Indices
    texts: tuple[str, ...]
    true_of: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Judgement:
    """What validation says of an embedding.

    Attributes:
        values: by name: ``mrr`` and ``mrr_{level}`` (neuron to caption), ``zero_shot`` (balanced accuracy over cell
            types, where two have neurons), and ``score``, their mean.
        abstention: when to say that no word is true; None with too few neurons.
    """

    values: dict[str, float]
    abstention: Abstention | None


class ValidationWords:
    """Fixed captions and prompts of the validation neurons.

    Args:
        captions: of the validation neurons.
        batch_size: neurons per batch of the validation loss, as in training.
        seed: names the random stream that makes these batches.
    """

    def __init__(self, captions: NeuronCaptions, batch_size: int, seed: int) -> None:
        self.n_neurons = len(captions.neurons)
        self.candidates: dict[Level, Candidates] = {level: distinct_captions(captions.fixed(level)) for level in LEVELS}
        self.classes = class_words(captions.neurons)
        self.loss_batches = list(_loss_batches(captions, batch_size, seed))

    def judge(self, image: FloatArray, embed: EmbedText) -> Judgement:
        """Judge the unit vectors ``(n, d)`` of the validation neurons.

        Args:
            image: one row a neuron.
            embed: sentences to ``(k, d)`` unit vectors.
        """
        ranks = {
            level: mean_reciprocal_rank(image, embed(own.texts), own.answer) for level, own in self.candidates.items()
        }
        values = {f"mrr_{level}": value for level, value in ranks.items()}
        parts = [weighted_over_levels(ranks)]
        abstention = None
        if len(self.classes.prompts) >= 2:
            accuracy, abstention = _zero_shot(image, self.classes, embed)
            values["zero_shot"] = accuracy
            parts.append(accuracy)
        return Judgement(values | {"mrr": parts[0], "score": float(np.mean(parts))}, abstention)


def distinct_captions(texts: Sequence[str]) -> Candidates:
    """The distinct ones of some captions as candidates; a caption that many neurons share is one of them."""
    unique, answer = np.unique(np.asarray(texts, dtype=np.str_), return_inverse=True)
    return Candidates(tuple(str(caption) for caption in unique), answer.astype(np.int64))


def class_words(neurons: Neurons) -> ClassWords:
    """Prompts of the cell types that at least two neurons have."""
    labels = [record.type_label for record in neurons.records]
    counts = Counter(label for label in labels if label is not None)
    names = sorted(name for name, count in counts.items() if count >= FEWEST_OF_A_CLASS)
    place = {name: index for index, name in enumerate(names)}
    truth = np.array([place.get(label or "", -1) for label in labels], dtype=np.int64)
    groups = tuple(record.donor or record.publication or record.archive or record.id for record in neurons.records)
    return ClassWords(tuple(prompts(name, "cell_type") for name in names), truth, groups)


def class_vectors(prompts_of: Sequence[Sequence[str]], embed: EmbedText) -> npt.NDArray[np.float64]:
    """``(c, d)`` one unit vector a class: the re-normalized mean of its prompts' unit vectors."""
    lengths = [len(own) for own in prompts_of]
    vectors = np.asarray(embed([text for own in prompts_of for text in own]), dtype=np.float64)
    parts = np.split(vectors, np.cumsum(lengths)[:-1])
    return unit(np.stack([part.mean(axis=0) for part in parts])).astype(np.float64)


def _zero_shot(image: FloatArray, classes: ClassWords, embed: EmbedText) -> tuple[float, Abstention | None]:
    """Balanced accuracy over cell types, and what was learned about "none of these words"."""
    named = np.flatnonzero(classes.truth >= 0)
    own, truth = image[named].astype(np.float64), classes.truth[named]
    cosine = own @ class_vectors(classes.prompts, embed).T  # (m, c)
    null = own @ class_vectors([null_prompts()], embed)[0]  # (m,)
    counts = confusion_counts(truth, cosine.argmax(axis=1), len(classes.prompts))
    groups = [classes.groups[i] for i in named]
    return float(balanced_accuracy(counts)), fit_abstention(cosine, null, truth, groups)


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


def _loss_batches(captions: NeuronCaptions, batch_size: int, seed: int) -> Iterator[LossBatch]:
    n_neurons = len(captions.neurons)
    order = rng(seed, "clip validation").permutation(n_neurons)
    for part in np.array_split(order, -(-n_neurons // batch_size)):
        chosen = [int(neuron) for neuron in part]
        drawn: list[Caption] = captions.draw(chosen, epoch=0)
        yield LossBatch(part, tuple(caption.text for caption in drawn), captions.true_of(drawn, chosen))
