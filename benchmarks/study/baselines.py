"""What an embedding must beat: the commonest class, and forests on four sets of morphometrics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from benchmarks.study.answers import Answers, neuron_embedding
from benchmarks.study.prepare import Prepared
from benchmarks.study.protocols import Cohort

from axonet.core.files import read_table
from axonet.evaluation.baselines import FOREST_WORDS, feature_sets, forest_scores
from axonet.evaluation.data import Array
from axonet.evaluation.folds import Question
from axonet.evaluation.probes import majority_scores

MERGED = "forest_merged"
WORDS = {"majority": "commonest class", **FOREST_WORDS, MERGED: "the last, with apical dendrites called basal"}


def forest_features(cohort: Cohort, prepared: list[Prepared]) -> dict[str, Array]:
    """``(n, f)`` measurements of every forest."""
    sets = feature_sets(cohort.neurons.measured_names)
    found = {name: cohort.neurons.measured(names) for name, names in sets.items()}
    rows = {row["neuron_id"]: row for one in prepared for row in read_table(one.merged).to_pylist()}
    names = sets["forest_compartments"]
    found[MERGED] = np.array([[rows[i][name] for name in names] for i in cohort.neurons.ids], dtype=np.float64)
    return found


def baseline_answers(question: Question, features: Mapping[str, Array], seed: int = 0) -> dict[str, Answers]:
    """Answers of every baseline to a question."""
    embedding = neuron_embedding(np.ones((len(question.truth), 1)))
    found = {"majority": majority_scores(question, embedding)}
    for name, values in features.items():
        found[name] = forest_scores(question, embedding, values, seed, name)
    return {name: Answers(question.judged, scores) for name, scores in found.items()}
