from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from axonet.core.files import read_json, write_json
from axonet.evaluation import schema
from axonet.evaluation.data import Embedding
from axonet.evaluation.headline import headline
from axonet.evaluation.run import evaluate
from axonet.metadata.captions import NeuronTextGenerator

from .synthetic import (
    class_vector,
    constant_vector,
    make_captions,
    make_data,
    pick,
    random_vector,
    settings,
    spoken_vector,
    vectors_of,
)


def judge(data, **changes):
    return evaluate(data, make_captions(data), vectors_of, settings(**changes))


@pytest.fixture(scope="module")
def found():
    data = make_data(vector_of=class_vector)
    noise = make_data(vector_of=random_vector).embedding
    return judge(replace(data, references={"untrained_encoder": noise}))


def test_metrics_follow_the_published_schema(found):
    validator = Draft202012Validator(read_json(schema.SCHEMA_FILE))
    validator.validate(json.loads(json.dumps(found.metrics)))
    assert list(found.metrics) == ["format", "splits", "tasks", "retrieval", "zero_shot", "stage1", "dropped"]


@pytest.mark.parametrize("field", ["chance", "baseline", "difference", "n"])
def test_a_row_without_its_chance_or_its_baseline_has_not_the_form(found, field):
    changed = json.loads(json.dumps(found.metrics))
    changed["tasks"][0][field] = None
    assert not Draft202012Validator(read_json(schema.SCHEMA_FILE)).is_valid(changed)
    with pytest.raises(ValidationError):
        schema.check(changed)


def test_every_row_stands_beside_its_chance_and_its_baseline(found):
    for row in [*found.metrics["tasks"], *found.metrics["zero_shot"], *found.metrics["retrieval"]]:
        assert row["chance"] is not None, row
        assert row["baseline"], row
        assert row["difference"][0] is not None, row


def test_the_map_stands_beside_a_shuffled_map(found):
    row = pick(found.metrics["tasks"], task="map")
    assert row["baseline"] == "shuffled_map"
    assert row["difference"][0] == pytest.approx(row["value"] - row["chance"], abs=2e-6)


def test_the_schema_file_is_the_one_of_the_models():
    """If this fails, write `schema.json_schema()` to `schema.SCHEMA_FILE`."""
    assert read_json(schema.SCHEMA_FILE) == schema.json_schema()


def test_every_task_stands_beside_its_majority_and_the_named_baseline(found):
    tasks = [row for row in found.metrics["tasks"] if row["compartments"] is not None]
    for row in tasks:
        assert row["chance"] is not None
        assert row["majority"] is not None
        assert row["baseline"] == {"as_typed": "forest_compartments", "merged": "forest_merged"}[row["compartments"]]
        assert len(row["difference"]) == 3
    own = pick(tasks, task="forest_cell_type", model="forest_compartments", metric="accuracy")
    assert own["difference"] == [0.0, 0.0, 0.0]


def test_claims_are_made_where_dendrites_are_merged(found):
    tasks = [row for row in found.metrics["tasks"] if row["metric"] == "balanced_accuracy"]
    by_column = {
        column: {(row["task"], row["model"]): row for row in tasks if row["compartments"] == column}
        for column in ("as_typed", "merged")
    }
    typed, merged = by_column["as_typed"], by_column["merged"]
    words = {key: key[1].replace("compartments", "merged") for key in typed}
    assert {(key[0], model) for key, model in words.items()} == set(merged)
    for key, row in typed.items():
        if words[key] == key[1]:
            assert row["value"] == merged[key]["value"], "an answer without node types is the same in both columns"
    assert headline(found.metrics)[-1] == merged["forest_cell_type", "forest_merged"]


def test_a_model_that_sees_types_is_judged_by_its_vectors_of_merged_dendrites():
    data = make_data(vector_of=class_vector)
    blind = make_data(vector_of=constant_vector).embedding
    tasks = judge(replace(data, merged=blind), bootstrap=0).metrics["tasks"]
    own = {"task": "knn5_cell_type", "model": "image", "metric": "balanced_accuracy"}
    row = pick(tasks, **own, compartments="merged")
    assert row["value"] == row["chance"]
    assert pick(tasks, **own, compartments="as_typed")["value"] > 0.9


def test_an_embedding_that_holds_the_class_beats_an_untrained_one(found):
    trained, untrained = (
        pick(found.metrics["tasks"], task="knn5_cell_type", model=model, metric="balanced_accuracy")["value"]
        for model in ("image", "untrained_encoder")
    )
    assert trained > untrained + 0.3


def test_the_same_seed_gives_the_same_bytes_and_another_other_intervals(tmp_path):
    data = make_data(n_judged=16, n_train=20, vector_of=class_vector)
    for name in "ab":
        write_json(tmp_path / name, judge(data, bootstrap=20).metrics)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    intervals = [
        [row["interval"] for row in judge(data, seed=seed, baselines=False).metrics["retrieval"]] for seed in (0, 1)
    ]
    assert intervals[0] != intervals[1]


def test_a_constant_embedding_equals_the_majority_in_every_neighborhood():
    metrics = judge(make_data(vector_of=constant_vector), baselines=False).metrics
    for row in metrics["tasks"]:
        if row["task"].startswith("knn"):
            assert row["value"] == row["majority"]
            assert row["baseline"] == "majority"
        if row["task"].startswith("logistic") and row["metric"] == "balanced_accuracy":
            assert row["value"] == row["chance"]


def test_a_perfect_embedding_scores_one_everywhere():
    data = make_data(n_judged=24, vector_of=spoken_vector(NeuronTextGenerator(), "detailed"))
    metrics = judge(data, baselines=False).metrics
    assert (
        pick(metrics["retrieval"], level="detailed", hit="equal", direction="neuron_to_text", metric="recall_at_1")[
            "value"
        ]
        == 1
    )
    for field in ("cell_type", "region", "species", "layer"):
        for method in ("knn5", "logistic"):
            row = pick(metrics["tasks"], task=f"{method}_{field}", model="image", metric="balanced_accuracy")
            assert row["value"] == 1


def test_labels_in_random_order_are_read_by_chance():
    data = make_data(n_judged=60, n_train=60, vector_of=class_vector)
    order = np.random.default_rng(0).permutation(120)
    shuffled = replace(data, neurons=replace(data.neurons, records=tuple(data.neurons.records[i] for i in order)))
    metrics = judge(shuffled, baselines=False, bootstrap=0).metrics
    for method in ("knn5", "knn20", "logistic"):
        row = pick(metrics["tasks"], task=f"{method}_cell_type", model="image", metric="balanced_accuracy")
        assert row["value"] < row["chance"] + 0.15
        assert row["interval"] is None


def test_what_is_left_out_is_listed_with_a_reason(found):
    reasons = {row["task"]: row["reason"] for row in found.metrics["dropped"]}
    assert "stage1" in reasons
    assert reasons["layer"] == "the metadata does not say"


@pytest.mark.parametrize("pooling", ["max", "none"])
def test_every_pooling_gives_every_section(pooling):
    data = make_data(n_judged=16, n_train=20, vector_of=class_vector, pooling=pooling)
    reference = Embedding(data.embedding.vectors, data.embedding.owner, "mean")
    metrics = judge(replace(data, references={"silhouette_pca": reference}), pooling=pooling, bootstrap=20).metrics
    n = pick(metrics["tasks"], task="knn5_cell_type", model="image", metric="accuracy")["n"]
    assert n == (16 if pooling == "max" else 64)
    assert all(metrics[name] for name in ("tasks", "retrieval", "zero_shot"))


def test_neurons_without_labels_give_a_report_all_the_same():
    data = make_data(n_judged=6, n_train=0)
    nothing = tuple(
        replace(record, label=None, cell_type=None, region=(), species=None, layer=None)
        for record in data.neurons.records
    )
    metrics = judge(replace(data, neurons=replace(data.neurons, records=nothing))).metrics
    assert [row["task"] for row in metrics["tasks"]] == ["map"]
    assert any(row["task"] == "batch_effect" for row in metrics["dropped"])
    assert metrics["zero_shot"] == []
