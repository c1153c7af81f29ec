"""Word search without the text encoder: prompts answered at export, and a table of word vectors for all other words.

The table is fitted by ridge regression from the words of a text to what the real encoder makes of it. Order and
negation are lost, so whoever uses it says "approximate" and shows the fidelity that was measured on texts that took no
part in the fit.
"""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from axonet.core.files import write_bytes
from axonet.core.seeds import rng
from axonet.explore.neighbors import nearest

if TYPE_CHECKING:
    from axonet.explore.collection import Collection
    from axonet.metadata.captions import NeuronTextGenerator

Floats = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], Floats]

MOST_TEXTS, TEXTS_PER_NEURON, FEWEST_TEXTS = 6000, 20, 60
MOST_PROMPTS = 500
N_ANSWERS = 20
HELD_OUT, RIDGE = 0.2, 1.0
LEAST_FIDELITY = 0.6
_WORD = re.compile(r"[^\W_]+")
_LABELS = (("cell_type", "cell_type"), ("species", "species"), ("region", "region"), ("layer", "layer"))


def words_of(text: str) -> list[str]:
    """The different words of a text, in lower case, in their order."""
    return list(dict.fromkeys(_WORD.findall(text.lower())))


@dataclass(frozen=True)
class WordVectors:
    """A vector per word: a text is about ``bias`` plus the sum of its words' vectors over the root of their number.

    Attributes:
        words: in alphabetical order.
        codes: ``(w, d)`` int8.
        scale: ``(w,)`` what a step of each row's codes is worth.
        bias: ``(d,)``.
        fidelity: share of the real encoder's best neurons that are found, on texts that were held out.
        n_texts: how many texts were held out for that.
        n_best: how many best neurons of each were compared.
    """

    words: tuple[str, ...]
    codes: npt.NDArray[np.int8]
    scale: Floats
    bias: Floats
    fidelity: float
    n_texts: int
    n_best: int

    def embed(self, texts: Sequence[str]) -> Floats:
        """``(n, d)`` unit vectors of texts; words that are not in the table are passed over."""
        row = {word: number for number, word in enumerate(self.words)}
        found = np.tile(self.bias.astype(np.float64), (len(texts), 1))
        for place, text in enumerate(texts):
            rows = [row[word] for word in words_of(text) if word in row]
            if rows:
                found[place] += (self.codes[rows] * self.scale[rows, None]).sum(axis=0) / math.sqrt(len(rows))
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def training_texts(neurons: Collection, captions: NeuronTextGenerator, seed: int) -> list[str]:
    """Different texts of the kinds that people type: drawn captions of the neurons, and prompts for their labels."""
    from axonet.metadata.prompts import prompts

    n_wanted = min(MOST_TEXTS, TEXTS_PER_NEURON * len(neurons))
    stream = rng(seed, "word_vectors")
    order = stream.permutation(len(neurons))
    drawn = (order[k % len(order)] for k in range(n_wanted))
    texts = [
        captions.draw(neurons.records[k], neurons.measures[k] or None, seed, number // len(order)).text
        for number, k in enumerate(drawn)
    ]
    labels = {(field, label) for field, counts in label_counts(neurons).items() for label in counts}
    return sorted({*texts, *(text for field, label in labels for text in prompts(label, field))})


def label_counts(neurons: Collection) -> dict[str, Counter[str]]:
    """How many neurons carry each label, field by field."""
    from axonet.evaluation.labels import FIELDS

    of = {field.name: field.of for field in FIELDS}
    found = {field: Counter(of[name](record) for record in neurons.records) for name, field in _LABELS}
    return {field: Counter({k: v for k, v in counts.items() if k is not None}) for field, counts in found.items()}


def prompt_texts(neurons: Collection, queries: Sequence[str]) -> list[str]:
    """The texts that are answered at export: given ones, a prompt per label, and one per species and cell type."""
    from axonet.metadata.grammar import indefinite
    from axonet.metadata.prompts import noun_phrase, prompt

    counts = label_counts(neurons)
    texts = Counter({prompt(label, field): n for field, labels in counts.items() for label, n in labels.items()})
    pairs = Counter((record.species, record.type_label) for record in neurons.records)
    for (species, label), n in pairs.items():
        if species and label:
            texts[indefinite(f"{species} {noun_phrase(label)}")] += n
    common = sorted(texts, key=lambda text: (-texts[text], text))
    return list(dict.fromkeys([*queries, *common]))[: max(MOST_PROMPTS, len(queries))]


def fit_word_vectors(texts: Sequence[str], embed: Embed, neurons: Floats, seed: int) -> WordVectors | str:
    """Fit the table and measure it.

    Args:
        texts: different texts.
        embed: the real encoder.
        neurons: ``(n, d)`` unit vectors that are searched.
        seed: which texts are held out.

    Returns:
        The table, or a sentence on why there is none.
    """
    if len(texts) < FEWEST_TEXTS:
        return f"only {len(texts)} different texts to learn words from"
    truth = embed(texts)
    held_out = rng(seed, "held_out_texts").random(len(texts)) < HELD_OUT
    learned = np.flatnonzero(~held_out).tolist()
    vocabulary = sorted({word for k in learned for word in words_of(texts[k])})
    codes, scale, bias = _ridge([words_of(texts[k]) for k in learned], vocabulary, truth[learned])
    judged = np.flatnonzero(held_out).tolist()
    n_best = min(N_ANSWERS, max(1, len(neurons) // 4))
    table = WordVectors(tuple(vocabulary), codes, scale, bias, 0.0, len(judged), n_best)
    right, _ = nearest(neurons, truth[judged], n_best)
    found, _ = nearest(neurons, table.embed([texts[k] for k in judged]), n_best)
    shared = [len(set(a) & set(b)) / n_best for a, b in zip(right.tolist(), found.tolist(), strict=True)]
    fidelity = float(np.mean(shared))
    if fidelity < LEAST_FIDELITY:
        return f"word vectors find only {fidelity:.0%} of the encoder's best {n_best} neurons"
    return WordVectors(tuple(vocabulary), codes, scale, bias, fidelity, len(judged), n_best)


def _ridge(
    texts: Sequence[Sequence[str]], vocabulary: Sequence[str], truth: Floats
) -> tuple[npt.NDArray[np.int8], Floats, Floats]:
    """Codes, their scale and the bias of the least-squares fit."""
    row = {word: number for number, word in enumerate(vocabulary)}
    bag = np.zeros((len(texts), len(vocabulary)))
    for place, words in enumerate(texts):
        bag[place, [row[word] for word in words]] = 1 / math.sqrt(len(words))
    bias = truth.mean(axis=0)
    weight = np.linalg.solve(bag.T @ bag + RIDGE * np.eye(len(vocabulary)), bag.T @ (truth - bias))
    scale = np.maximum(np.abs(weight).max(axis=1), 1e-12) / 127
    codes = np.rint(weight / scale[:, None]).astype(np.int8)
    return codes, scale.astype(np.float32), bias.astype(np.float32)


def write_word_vectors(path: Path, table: WordVectors | None, dim: int) -> None:
    """Write the table as ``.npz``; without one, an empty table."""
    table = table or WordVectors(
        (), np.zeros((0, dim), np.int8), np.zeros(0, np.float32), np.zeros(dim, np.float32), 0, 0, 0
    )
    sink = io.BytesIO()
    np.savez(
        sink,
        words=np.frombuffer("\n".join(table.words).encode(), np.uint8),
        codes=table.codes,
        scale=table.scale,
        bias=table.bias,
        fidelity=np.array([table.fidelity, table.n_texts, table.n_best]),
    )
    write_bytes(path, sink.getvalue())


def read_word_vectors(path: Path) -> WordVectors | None:
    """Read a table; None for an empty one."""
    with np.load(path, allow_pickle=False) as file:
        words = tuple(word for word in file["words"].tobytes().decode().split("\n") if word)
        fidelity, n_texts, n_best = file["fidelity"].tolist()
        if not words:
            return None
        return WordVectors(words, file["codes"], file["scale"], file["bias"], fidelity, int(n_texts), int(n_best))
