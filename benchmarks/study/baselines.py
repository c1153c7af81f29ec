"""What an embedding must beat: the commonest class, and forests on four sets of morphometrics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from benchmarks.study.answers import Answers, neuron_embedding
from benchmarks.study.protocols import Cohort

from axonet.evaluation.baselines import FOREST_WORDS, feature_sets, features, forest_scores
from axonet.evaluation.data import Array
from axonet.evaluation.folds import Question
from axonet.evaluation.probes import majority_scores

WORDS = {"majority": "commonest class", **FOREST_WORDS}


def forest_features(cohort: Cohort) -> dict[str, Array]:
    """``(n, f)`` measurements of every forest."""
    sets = feature_sets(cohort.neurons.measured_names)
    return {name: features(cohort.neurons, names) for name, names in sets.items()}


def baseline_answers(question: Question, measured: Mapping[str, Array], seed: int = 0) -> dict[str, Answers]:
    """Answers of every baseline to a question."""
    embedding = neuron_embedding(np.ones((len(question.truth), 1)))
    found = {"majority": majority_scores(question, embedding)}
    for name, values in measured.items():
        found[name] = forest_scores(question, embedding, values, seed, name)
    return {name: Answers(question.judged, scores) for name, scores in found.items()}
