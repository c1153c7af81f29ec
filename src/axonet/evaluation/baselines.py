"""What must be beaten: forests on morphometrics, and vectors joined or averaged with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from axonet.core.seeds import stable_seed
from axonet.evaluation.data import Array, Embedding, Ints, Neurons
from axonet.evaluation.folds import Question
from axonet.evaluation.probes import logistic_scores, over_folds
from axonet.morphology.morphometrics import MORPHOMETRICS

N_TREES = 300

AS_TYPED_FOREST, MERGED_FOREST = "forest_compartments", "forest_merged"
# What is left of the compartment features when basal and apical dendrites are one. Stems of dendrites that are
# neither typed basal nor apical are among all stems, which every forest has.
MERGED_PARTS = {
    "dendrite_cable_length": ("basal_cable_length", "apical_cable_length"),
    "dendrite_fraction": ("basal_fraction", "apical_fraction"),
}
READS_DENDRITE_TYPE = (*(name for parts in MERGED_PARTS.values() for name in parts), "n_basal_stems")

FOREST_WORDS = {
    "forest": "random forest on all morphometrics that need no compartment types",
    "forest_no_artefacts": "the same without what tells the tracer rather than the cell (soma radius, diameters, ...)",
    "forest_compartments": "random forest on all morphometrics, compartment features too",
    "forest_merged": "the same with basal and apical dendrites taken for one",
}


def feature_sets(available: Collection[str]) -> dict[str, list[str]]:
    """The morphometrics of each forest, of those that were measured.

    Args:
        available: names of measured morphometrics.
    """
    known = [name for name in MORPHOMETRICS if name in available]
    shape = [name for name in known if not MORPHOMETRICS[name].compartment]
    merged = [name for name in known if name not in READS_DENDRITE_TYPE]
    merged += [name for name, parts in MERGED_PARTS.items() if set(parts) <= set(known)]
    return {
        "forest": shape,
        "forest_no_artefacts": [name for name in shape if not MORPHOMETRICS[name].artefact],
        AS_TYPED_FOREST: known,
        MERGED_FOREST: merged if set(READS_DENDRITE_TYPE) <= set(known) else [],
    }


def features(neurons: Neurons, names: Sequence[str]) -> Array:
    """``(n, f)`` measurements, nan where undefined; those of merged dendrites are the sum of their parts."""
    parts = [MERGED_PARTS.get(name, (name,)) for name in names]
    values = neurons.measured([part for own in parts for part in own])
    first = np.cumsum([0, *(len(own) for own in parts[:-1])])
    return np.asarray(np.add.reduceat(values, first, axis=1))


def forest_scores(question: Question, embedding: Embedding, features: Array, seed: int, name: str) -> Array:
    """Class probabilities of a random forest, classes weighted alike; undefined measurements are a branch of their own.

    Args:
        question: what is asked.
        embedding: tells which items neurons have; all items of a neuron get its answer.
        features: ``(n, f)`` measurements of neurons.
        seed: of the run.
        name: of this forest: it has its own random stream.

    Returns:
        ``(m, c)``.
    """
    from sklearn.ensemble import RandomForestClassifier

    owner = embedding.items

    def predict(train: Ints, test: Ints) -> Array:
        learned, asked = np.unique(owner[train]), np.unique(owner[test])
        state = stable_seed(seed, "forest", name, question.field.name)
        forest = RandomForestClassifier(N_TREES, class_weight="balanced", random_state=state, n_jobs=1)
        forest.fit(features[learned], question.truth[learned])
        probability = np.zeros((len(asked), len(question.classes)))
        probability[:, forest.classes_] = forest.predict_proba(features[asked])
        return probability[np.searchsorted(asked, owner[test])]

    return over_folds(question, embedding, predict)


def joined_scores(
    question: Question,
    embedding: Embedding,
    neurons: Neurons,
    names: Sequence[str],
    groups: npt.NDArray[np.str_],
    seed: int,
) -> Array:
    """Logistic probe on vectors and morphometrics side by side, the latter log-scaled, missing ones marked."""
    values = expressed(neurons.measured(names), [MORPHOMETRICS[name].log for name in names])
    features = np.concatenate([embedding.item_vectors, values[embedding.items]], axis=1)
    return logistic_scores(question, embedding, features, groups, seed)


def expressed(values: Array, logarithmic: Sequence[bool]) -> Array:
    """Measurements as columns of a linear model; nothing is fitted here.

    Args:
        values: ``(n, f)`` measurements, nan where undefined.
        logarithmic: ``f`` whether a column spans orders of magnitude.

    Returns:
        ``(n, f + g)``: logarithms where asked for, still nan where undefined; then a column of 0 and 1 for every
        measurement that some neuron lacks.
    """
    columns = np.array(values)
    large = np.flatnonzero(logarithmic)
    columns[:, large] = np.log1p(np.maximum(columns[:, large], 0.0))
    missing = ~np.isfinite(columns)
    columns[missing] = np.nan
    return np.concatenate([columns, missing[:, missing.any(axis=0)].astype(np.float64)], axis=1)


def reference_scores(
    question: Question, reference: Embedding, embedding: Embedding, score: Callable[[Question, Embedding], Array]
) -> Array:
    """Answers of another embedding of the same neurons, which is pooled by mean, for the items of the judged one.

    Args:
        question: what is asked.
        reference: one item a neuron.
        embedding: the judged one.
        score: a probe.

    Returns:
        ``(m, c)``.
    """
    judged = question.judged
    owner = embedding.items[embedding.items_of(judged)]
    return score(question, reference)[np.searchsorted(judged, owner)]


def mean_probability(scores: Mapping[str, Array]) -> Array:
    """Fusion of several models: the mean of their probabilities."""
    return np.asarray(np.mean(list(scores.values()), axis=0))
