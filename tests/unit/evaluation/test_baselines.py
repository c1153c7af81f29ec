from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from axonet.evaluation import baselines
from axonet.evaluation.folds import ask
from axonet.evaluation.labels import FIELDS
from axonet.evaluation.scoring import answer
from axonet.morphology.morphometrics import MORPHOMETRICS

from .synthetic import make_data, settings


@pytest.fixture(scope="module")
def asked():
    data = make_data()
    question, _ = ask(FIELDS[0], data, settings())
    return data, question, question.truth[question.judged]


def test_the_forests_differ_in_artefacts_and_compartments():
    sets = baselines.feature_sets(set(MORPHOMETRICS) | {"not_a_morphometric"})
    assert set(sets["forest_no_artefacts"]) < set(sets["forest"]) < set(sets["forest_compartments"])
    assert set(sets["forest_compartments"]) == set(MORPHOMETRICS)
    assert "soma_radius" in sets["forest"]
    assert "soma_radius" not in sets["forest_no_artefacts"]
    assert not any(MORPHOMETRICS[name].compartment for name in sets["forest"])


def test_where_dendrites_are_merged_nothing_tells_apical_from_basal():
    data = make_data(4, 2)
    names = baselines.feature_sets(data.neurons.measured_names)["forest_merged"]
    values = baselines.features(data.neurons, names)
    swapped = []
    for row in data.neurons.measures:
        parts = {name: row[name.replace("basal", "apical")] for name in row if name.startswith("basal_")}
        back = {name: row[name.replace("apical", "basal")] for name in row if name.startswith("apical_")}
        swapped.append({**row, **parts, **back, "n_basal_stems": 99.0})
    other = replace(data.neurons, measures=tuple(swapped))
    assert baselines.features(other, names) == pytest.approx(values, nan_ok=True)
    typed = baselines.feature_sets(data.neurons.measured_names)["forest_compartments"]
    assert baselines.features(other, typed) != pytest.approx(baselines.features(data.neurons, typed), nan_ok=True)
    whole = data.neurons.measured(["basal_fraction", "apical_fraction"]).sum(axis=1)
    assert values[:, names.index("dendrite_fraction")] == pytest.approx(whole)


def test_without_dendrite_types_there_is_no_merged_forest():
    assert baselines.feature_sets({"cable_length", "basal_fraction"})["forest_merged"] == []


def test_a_forest_reads_classes_out_of_measurements_with_gaps(asked):
    data, question, truth = asked
    names = baselines.feature_sets(data.neurons.measured_names)["forest_compartments"]
    features = data.neurons.measured(names)
    assert np.isnan(features).any()
    scores = baselines.forest_scores(question, data.embedding, features, 0, "forest")
    assert (answer(scores) == truth).mean() > 0.9
    again = baselines.forest_scores(question, data.embedding, features, 0, "forest")
    assert (scores == again).all()


def test_measurements_join_vectors_in_one_probe(asked):
    data, question, truth = asked
    names = baselines.feature_sets(data.neurons.measured_names)["forest"]
    groups = np.array(data.neurons.groups)
    scores = baselines.joined_scores(question, data.embedding, data.neurons, names, groups, 0)
    assert (answer(scores) == truth).mean() > 0.6, "the vectors alone are noise"


def test_missing_measurements_become_a_column_of_their_own():
    columns = baselines.expressed(np.array([[np.e - 1, 1.0], [0.0, np.nan]]), [True, False])
    assert columns[:, 0] == pytest.approx([1.0, 0.0])
    assert np.isnan(columns[1, 1])
    assert columns[:, 2].tolist() == [0.0, 1.0]


def test_references_answer_for_every_view_of_a_neuron():
    data = make_data(pooling="none")
    question, _ = ask(FIELDS[0], data, settings())
    reference = type(data.embedding)(data.embedding.vectors, data.embedding.owner, "mean")

    def score(asked_question, embedding):
        return np.arange(len(asked_question.judged))[:, None] * np.ones(4)

    scores = baselines.reference_scores(question, reference, data.embedding, score)
    assert scores[:, 0].tolist() == np.repeat(np.arange(len(question.judged)), 4).tolist()
